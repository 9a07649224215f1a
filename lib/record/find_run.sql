-- find_run.sql - the id of the run that ?1 names: its number, its name, its uid, or 'last'. Archived
-- runs are found only if no other matches.
SELECT coalesce(
  (SELECT id FROM run WHERE id = CAST(?1 AS INTEGER) AND CAST(id AS TEXT) = ?1),
  (SELECT id FROM run WHERE name = ?1 AND archived_at IS NULL ORDER BY id DESC LIMIT 1),
  (SELECT id FROM run WHERE name = ?1 ORDER BY id DESC LIMIT 1),
  (SELECT id FROM run WHERE uid = ?1 AND archived_at IS NULL ORDER BY id DESC LIMIT 1),
  (SELECT id FROM run WHERE uid = ?1 ORDER BY id DESC LIMIT 1),
  (SELECT id FROM run WHERE ?1 = 'last' AND archived_at IS NULL ORDER BY id DESC LIMIT 1),
  (SELECT id FROM run WHERE ?1 = 'last' ORDER BY id DESC LIMIT 1))
