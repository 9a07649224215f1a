-- objects.sql - what differs in a schema from the expected objects: type, name, and how. ?1 has all
-- expected ones as a JSON array of [type, name, table, SQL].
--
-- Statistics of ANALYZE and indexes of columns alone, over all rows, may be added: they run no SQL.
WITH expected AS (
  SELECT json_extract(value, '$[0]') AS type, json_extract(value, '$[1]') AS name,
    json_extract(value, '$[2]') AS tbl_name, json_extract(value, '$[3]') AS sql
  FROM json_each(?1)),
found AS (
  SELECT ifnull(type, '') AS type, ifnull(name, '') AS name, ifnull(tbl_name, '') AS tbl_name, sql
  FROM sqlite_schema)
SELECT type, name, CASE
    WHEN type = 'table' AND substr(name, 1, 11) = 'sqlite_stat' THEN
      iif(ifnull(sql, '') IN ('CREATE TABLE sqlite_stat1(tbl,idx,stat)',
        'CREATE TABLE sqlite_stat4(tbl,idx,neq,nlt,ndlt,sample)'), NULL, 'not as SQLite makes it')
    WHEN EXISTS (SELECT 1 FROM expected AS e WHERE e.type = found.type AND e.name = found.name) THEN
      iif(EXISTS (SELECT 1 FROM expected AS e WHERE e.type = found.type AND e.name = found.name
        AND e.tbl_name = found.tbl_name AND e.sql IS found.sql), NULL, 'not as pxr makes it')
    WHEN type = 'index'
      AND EXISTS (SELECT 1 FROM pragma_index_list(found.tbl_name) AS i
        WHERE i.name = found.name AND NOT i.partial)
      AND NOT EXISTS (SELECT 1 FROM pragma_index_xinfo(found.name) WHERE cid = -2) THEN NULL
    ELSE 'added'
  END AS how
FROM found WHERE how IS NOT NULL
UNION ALL
SELECT type, name, 'missing' FROM expected AS e
WHERE NOT EXISTS (SELECT 1 FROM found WHERE found.type = e.type AND found.name = e.name)
