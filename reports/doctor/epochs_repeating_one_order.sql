/*
title: epochs repeating one order
advice: >-
  Each epoch draws a new order of the images; batches that never change are learnt by heart: was
  the shuffling of this program changed?
*/
-- 16 images have more orders than there are ever epochs.
SELECT id AS run, printf('epochs %.0f and %.0f had their images in the same order', first, second) AS found
FROM (
  SELECT run.id, min(d.epoch) AS first, max(d.epoch) AS second
  FROM examined AS run
  CROSS JOIN metric AS d ON d.run = run.id AND d.name = 'order_digest' AND d.split = 'train'
  CROSS JOIN metric AS n ON n.run = run.id AND n.name = 'nll' AND n.split = 'train' AND n.step = d.step
  WHERE n.images >= 16
  GROUP BY run.id, d.value
  HAVING count(*) > 1)
GROUP BY id;
