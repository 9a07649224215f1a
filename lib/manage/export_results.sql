-- export_results.sql - the results of run ?1, as lines for people.
SELECT printf('  %-6s %s nats per image, %s bits per dimension%s', split,
  printf(iif(nats_per_image < 1e7, '%.4f', '%.3g'), nats_per_image),
  printf(iif(bits_per_dimension < 1e7, '%.4f', '%.3g'), bits_per_dimension),
  iif(suspect IS NULL, '', ' (SUSPECT)'))
FROM nll WHERE run = ?1 AND name = 'final_nll' ORDER BY split
