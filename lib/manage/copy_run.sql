-- copy_run.sql - makes the statement that copies row ?1 of table `run`, as number ?2 (0: a new one)
-- and with the name ?3. Of an existing run the columns of its user are kept.
SELECT 'INSERT INTO main.run SELECT '
  || group_concat(CASE name WHEN 'id' THEN 'nullif(?2, 0)' WHEN 'name' THEN '?3' ELSE name END)
  || ' FROM source.run WHERE id = ?1 ON CONFLICT (id) DO UPDATE SET '
  || group_concat(name || ' = excluded.' || name) FILTER (WHERE name NOT IN ('archived_at', 'note'))
FROM pragma_table_info('run')
