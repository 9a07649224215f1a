/*
title: Tags
empty: No run has a tag.
columns:
  tag: {heading: Tag, show: always}
  runs: {heading: Runs, show: always}
  newest: {heading: Newest run, show: always}
*/
SELECT tag, count(*) AS runs, max(run) AS newest
FROM tag
GROUP BY tag
ORDER BY tag;
