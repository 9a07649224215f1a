/*
title: Whether a run is the same as the one that it repeats, to the bit
description: Two lists of what is the same and what differs. What a clock measured is left out.
arguments: {old: run, new: run}
*/
WITH pair AS MATERIALIZED (
  -- The numbers and pictures of the old run, and whether the new one has the same.
  SELECT iif(old.images IS NULL, 'other measures', 'NLLs') AS what, new.run IS NOT NULL AS same
  FROM metric AS old
  LEFT JOIN metric AS new ON new.run = :new AND new.name = old.name AND new.split = old.split
    AND new.step = old.step AND new.value IS old.value AND new.sum_nats IS old.sum_nats
    AND new.sum_squares IS old.sum_squares AND new.images IS old.images
  WHERE old.run = :old AND old.name NOT IN ('images_per_second', 'data_wait_share', 'step_images_per_second', 'step_seconds')
  UNION ALL
  SELECT 'pictures', coalesce(same_pixels(old.png, new.png), 0)
  FROM sample AS old
  LEFT JOIN sample AS new ON new.run = :new AND new.kind = old.kind AND new.step = old.step AND new.seed = old.seed
  WHERE old.run = :old),
fact AS (
  SELECT 1 AS place, old.parameter_hash = new.parameter_hash AS same, 'parameters' AS text
  FROM run AS old JOIN run AS new ON old.id = :old AND new.id = :new
  WHERE old.parameter_hash IS NOT NULL AND new.parameter_hash IS NOT NULL
  UNION ALL
  -- With as many digits as it takes to see the difference.
  SELECT 2, 0, (
    SELECT printf('%s NLL %!.*g, not %!.*g nats an image', old.split, value, new.nats_per_image, value, old.nats_per_image)
    FROM json_each('[6, 8, 10, 12, 14, 17]')
    WHERE printf('%!.*g', value, new.nats_per_image) <> printf('%!.*g', value, old.nats_per_image) LIMIT 1)
  FROM nll AS old
  JOIN nll AS new ON new.run = :new AND new.name = old.name AND new.split = old.split
  WHERE old.run = :old AND old.name = 'final_nll' AND new.nats_per_image IS NOT old.nats_per_image
  UNION ALL
  SELECT 3, min(same), iif(min(same), '', sum(NOT same) || ' of ') || count(*) || ' '
    || iif(count(*) = 1, rtrim(what, 's'), what)
  FROM pair GROUP BY what)
SELECT group_concat(iif(same, text, NULL), '; ') AS same, group_concat(iif(same, NULL, text), '; ') AS differs
FROM (SELECT * FROM fact ORDER BY place, text NOT LIKE '%NLL%', text);
