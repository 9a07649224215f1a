/*
title: Results
arguments: {run: run}
columns:
  split: Split
  nats_per_image: {heading: Nats/image, format: nll}
  bits_per_dimension: {heading: Bits/dim, format: nll}
  standard_error: {heading: Std. error (nats), format: nll}
  images: Images
  step: Step
  epoch: {heading: Epoch, format: epoch}
  suspect: Suspect
*/
SELECT split, nats_per_image, bits_per_dimension, standard_error, images, step, epoch, suspect
FROM nll
WHERE run = :run AND name = 'final_nll'
ORDER BY split;
