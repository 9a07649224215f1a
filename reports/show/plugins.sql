/*
title: Plugins
arguments: {run: run}
columns:
  name: Plugin
  version: Version
  path: File
  sha256: SHA-256
*/
SELECT name, version, path, sha256
FROM plugin
WHERE run = :run
ORDER BY name;
