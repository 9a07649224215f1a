/*
title: not the same bits
advice: >-
  The same spec, seed, data, program, layers and instruction set gave other numbers: look for
  faulty memory, another library, or a race.
*/
WITH candidate AS (
  SELECT run.id, nats_per_image AS nats, spec_hash, data_identity, program_revision, instruction_set,
    libraries, (
      -- A run's layers as they were: the hashes of their files, and what they computed.
      SELECT ifnull(group_concat(plugin.name || plugin.sha256), '') FROM plugin WHERE plugin.run = run.id)
      || printf(' %.8g %.8g %.4g', fingerprint_nll, fingerprint_gradient, fingerprint_single) AS layers
  FROM run
  CROSS JOIN nll ON nll.run = run.id AND nll.name = 'final_nll' AND nll.split = 'test'
  WHERE spec_hash IN (SELECT spec_hash FROM examined)
    AND (archived_at IS NULL OR run.id IN (SELECT id FROM examined))
    AND program_revision NOT LIKE '%dirty')
SELECT max(id) AS run, printf('runs %d and %d should be the same to the bit: test %.15g and %.15g nats/image',
    lowest, highest, min(nats), max(nats)) AS found
FROM (
  SELECT *, first_value(id) OVER alike AS lowest, last_value(id) OVER alike AS highest
  FROM candidate
  WINDOW alike AS (
    PARTITION BY spec_hash, data_identity, program_revision, instruction_set, libraries, layers
    ORDER BY nats, id ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING))
GROUP BY spec_hash, data_identity, program_revision, instruction_set, libraries, layers
HAVING min(nats) <> max(nats) AND max(id IN (SELECT id FROM examined));
