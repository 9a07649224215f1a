-- find_sweep.sql - the sweep here of the same name and search as sweep ?1 of the source. Where
-- another search has the name, it is NAME (SEARCH).
SELECT here.id FROM source.sweep AS there JOIN main.sweep AS here ON here.search = there.search
  AND here.name IN (there.name, there.name || ' (' || there.search || ')')
WHERE there.id = ?1 ORDER BY here.name = there.name DESC
