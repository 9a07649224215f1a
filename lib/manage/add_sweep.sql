-- add_sweep.sql - copy sweep ?1 of the source; returns its number here.
INSERT INTO main.sweep (name, search, definition, created_at)
SELECT iif(name IN (SELECT name FROM main.sweep), name || ' (' || search || ')', name), search,
  definition, created_at
FROM source.sweep WHERE id = ?1
RETURNING id
