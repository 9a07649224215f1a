/*
title: Pictures
arguments: {run: run}
columns:
  kind: Kind
  step: Step
  epoch: {heading: Epoch, format: epoch}
  seed: Seed
  count: Count
  log_likelihood: {heading: Log-likelihood (nats/image), format: nll}
  nll: {heading: NLL then (nats/image), format: nll}
  nll_split: of
  temperature: {heading: Temperature, show: programs}
  parameter_hash: {heading: Parameters, show: programs}
  bytes: Bytes
*/
SELECT kind, step, epoch, seed, count, log_likelihood, nll, nll_split, temperature, parameter_hash,
  length(png) AS bytes
FROM sample
WHERE run = :run
ORDER BY kind, step, seed;
