-- paper.sql - the rows of the paper, and the runs that stand for them: temporary tables and views that
-- paper_table.c and the doctor's signs read. ?1 is reports/paper.yaml as JSON.

-- A row without files or identities of its own has those of its table.
CREATE TEMP TABLE paper_row AS
  SELECT part.value ->> '$.table' AS paper_table, CAST(line.value ->> '$.row' AS TEXT) AS row,
    line.value ->> '$.value' AS value, part.value ->> '$.split' AS split, part.value ->> '$.set' AS data_set,
    part.value ->> '$.images' AS images, part.value -> '$.transforms' AS wanted_transforms,
    iif(line.value -> '$.files' = '[]', part.value, line.value) -> '$.files' AS files,
    iif(line.value -> '$.identities' = '[]', part.value, line.value) -> '$.identities' AS identities
  FROM json_each(?1, '$.tables') AS part, json_each(part.value, '$.rows') AS line;

-- Runs that name a row of the paper, with their result on its split, and why their data are not the
-- row's (misfit; NULL: they are).
--
-- Data are recognized by hashes, of the official files or of the whole set: the name of a set and its
-- number of images prove nothing, and a file named like one of CIFAR-10 may hold other images. The same
-- images in any format have the same identity; so have their contents, however many `valid` takes from
-- train. A run is judged by itself, whatever other runs there are.
CREATE TEMP VIEW IF NOT EXISTS claim AS
  SELECT *, CASE
      WHEN NOT EXISTS (SELECT 1 FROM paper_row AS other WHERE other.paper_table = claimed.paper_table)
        THEN 'reproduces a table that is not known'
      WHEN wanted_set IS NULL
        THEN printf('reproduces unknown row ''%s'' of table %d', row, paper_table)
          || coalesce((SELECT '; did you mean ''' || other.row || '''?' FROM paper_row AS other
            WHERE other.paper_table = claimed.paper_table AND is_near(claimed.row, other.row)), '')
      WHEN is_known AND other_images IS NULL THEN NULL
      WHEN data_set IS NOT wanted_set AND NOT is_known AND NOT has_content
        THEN printf('its data set is %s, not %s', data_set, wanted_set)
      WHEN NOT EXISTS (SELECT 1 FROM json_each(wanted_transforms) WHERE transforms GLOB value) AND NOT is_known
        THEN 'its data are not those of the row: ' || transforms
      WHEN other_images IS NOT NULL
        THEN printf('its NLL is over %d images; the split has %d', images, other_images)
      -- A list of official files of which the run read all, and no others.
      WHEN NOT has_content AND NOT EXISTS (
          SELECT 1 FROM json_each(wanted_files) AS list
          WHERE json_array_length(list.value) = (SELECT count(*) FROM data_file WHERE data_file.run = claimed.run)
            AND NOT EXISTS (
              SELECT 1 FROM json_each(list.value) AS file
              WHERE NOT EXISTS (
                SELECT 1 FROM data_file
                WHERE data_file.run = claimed.run AND sha256 = official_sha256(wanted_set, file.value))))
        THEN 'its data are not, by their SHA-256, the whole of the official ' || wanted_set
    END AS misfit
  FROM (
    SELECT run.id AS run, reproduces_table AS paper_table, reproduces_row AS row, paper.split,
      recipe_hash, run.data_set, data_identity, coalesce(data_transforms, '') AS transforms, seed,
      parameters, given, wall_seconds, archived_at, run_state(status, host, process_id, process_start) AS state,
      nll.images, nll.dimensions, sum_nats / nll.images AS nats, standard_error, epoch, suspect,
      data_identity IN (SELECT value FROM json_each(identities)) AS is_known, paper.data_set AS wanted_set,
      coalesce(data_content IN (SELECT value FROM json_each(identities)), FALSE) AS has_content,
      iif(paper.images > 0 AND nll.images <> paper.images, paper.images, NULL) AS other_images,
      wanted_transforms, files AS wanted_files
    FROM run
    LEFT JOIN paper_row AS paper ON paper.paper_table = reproduces_table AND paper.row = reproduces_row
    LEFT JOIN metric AS nll
      ON nll.run = run.id AND nll.name = 'final_nll' AND nll.split = paper.split AND nll.images > 0
    WHERE reproduces_table > 0 AND reproduces_row IS NOT NULL) AS claimed;

-- The same without archived runs, and why a run is not shown in its row (reason; NULL: it may be).
CREATE TEMP VIEW IF NOT EXISTS judged AS
  SELECT *, CASE
      WHEN images IS NULL AND state = 'finished' THEN printf('it was not evaluated on the %s split', split)
      WHEN images IS NULL THEN iif(state = 'failed', 'it has ', 'it is ') || state
      WHEN suspect IS NOT NULL THEN suspect
      WHEN NOT coalesce(abs(nats) < 9e999, 0) THEN 'its NLL is not finite'
      WHEN given LIKE 'class %' THEN 'its NLL is conditional on the class of the images'
      WHEN given IS NOT NULL THEN 'its NLL is conditional on smaller versions of the images'
      ELSE misfit
    END AS reason
  FROM claim
  WHERE split IS NOT NULL AND recipe_hash IS NOT NULL AND archived_at IS NULL;

-- Means over the runs of one spec on the same data: of each seed the newest run that may be shown.
-- missing: how many seeds have none. What is the same for all is the first seed's. temp.candidate has the
-- rows of judged for one table of the paper.
CREATE TEMP VIEW IF NOT EXISTS spec_result AS
  WITH newest AS (
    SELECT run, row, recipe_hash, data_identity, seed, nats, standard_error, epoch, wall_seconds, parameters,
      dimensions, transforms, reason, max(iif(reason IS NULL, run, -run))
    FROM candidate
    GROUP BY row, recipe_hash, data_identity, seed),
  counted AS (
    SELECT *, avg(iif(reason IS NULL, nats, NULL)) OVER of_spec AS mean,
      sum(reason IS NOT NULL) OVER of_spec AS missing
    FROM newest
    WINDOW of_spec AS (PARTITION BY row, recipe_hash, data_identity))
  SELECT row, avg(nats) AS nats, avg(counted.standard_error) AS standard_error,
    sqrt(sum((nats - mean) * (nats - mean)) / nullif(count(*) - 1, 0)) AS deviation, count(*) AS seeds, missing,
    avg(iif(abs(valid.sum_nats) < 9e999, valid.sum_nats / valid.images, NULL)) AS valid,
    iif(count(train.images) = count(*), avg(train.sum_nats / train.images), NULL) AS train,
    iif(count(*) = 1, counted.run, group_concat(counted.run, ', ')) AS runs, counted.run AS first_run,
    min(seed) AS first_seed, avg(counted.epoch) AS epochs, avg(wall_seconds) AS wall_seconds, parameters,
    counted.dimensions, transforms
  FROM (SELECT * FROM counted WHERE reason IS NULL ORDER BY row, recipe_hash, data_identity, seed) AS counted
  LEFT JOIN metric AS valid ON valid.run = counted.run AND valid.name = 'final_nll'
    AND valid.split = 'valid' AND valid.suspect IS NULL
  LEFT JOIN metric AS train ON train.run = counted.run AND train.name = 'final_nll' AND train.split = 'train'
  GROUP BY row, recipe_hash, data_identity;
