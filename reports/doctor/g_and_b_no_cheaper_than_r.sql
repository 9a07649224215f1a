/*
title: G and B no cheaper than R
advice: >-
  The green of a pixel is given its red, and the blue both: where that does not help, does the
  model leave a colour out (the groups of channels, masks B), or are the colours of the data in
  another order?
*/
-- A model that has learnt next to nothing (red at 0.9 or more) shows nothing about its colours.
SELECT id AS run, printf('%s: of the cost of a uniform value, red takes %.1f %%, green %.1f %%, blue %.1f %%',
    split, 100 * red, 100 * green, 100 * blue) AS found
FROM (
  SELECT run.id, split, colour_share(nats, colours, 0, image_levels) AS red,
    colour_share(nats, colours, 1, image_levels) AS green,
    colour_share(nats, colours, 2, image_levels) AS blue
  FROM examined AS run
  CROSS JOIN nll_map ON nll_map.run = run.id
  WHERE colours = 3 AND split <> 'train')
WHERE red < 0.9 AND max(green, blue) >= red
GROUP BY id;
