-- copy_rows.sql - makes the statements that delete the rows of run ?2, and copy those of run ?1 of
-- the source in their place, in each table of what belongs to runs. The tags of an existing run
-- (?3 = 0) are kept.
SELECT 'DELETE FROM main.' || name || ' WHERE run = ?2',
  'INSERT INTO main.' || name || ' SELECT '
    || (SELECT group_concat(CASE name WHEN 'run' THEN '?2' WHEN 'id' THEN 'NULL' ELSE name END)
      FROM pragma_table_info(part.name))
    || ' FROM source.' || name || ' WHERE run = ?1 ORDER BY 1'
FROM main.sqlite_schema AS part
WHERE type = 'table' AND (name <> 'tag' OR ?3)
  AND EXISTS (SELECT 1 FROM pragma_foreign_key_list(part.name)
    WHERE "table" = 'run' AND on_delete = 'CASCADE')
