/*
title: no certificate
advice: >-
  The model was not proven causal, so its NLL proves nothing: train it again.
*/
SELECT id AS run, 'no causality certificate' AS found
FROM examined
WHERE length(trim(certificate)) = 0;
