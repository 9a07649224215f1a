-- builds_of_sweep.sql - the newest run with a fingerprint for each set of plugins that runs of sweep
-- ?1 used, after the number of such runs.
SELECT count(*) OVER (), max(run) FROM (
  SELECT run.id AS run, (SELECT group_concat(plugin.name || plugin.sha256) FROM plugin
    WHERE plugin.run = run.id) AS plugins
  FROM sweep JOIN job ON job.sweep = sweep.id JOIN run ON run.id = job.run
  WHERE sweep.name = ?1 AND run.fingerprint_version IS NOT NULL)
GROUP BY plugins ORDER BY 2 DESC LIMIT 64
