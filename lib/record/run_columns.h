/* SPDX-License-Identifier: MIT */
/*
 * run_columns.h - what is recorded of a run when it starts: one line a column of table `run`.
 *
 * Include it with COLUMN(kind, name, text) defined. struct pxr_run (database.h), the table (its
 * comments are the texts), and the statements that write and read a row (rows.c) follow from these
 * lines. A new column is a line here; after the first release, also a step in schema.c. Columns by
 * PROCESS are of the process that has the run, and set again when another resumes it. Kinds:
 *
 *         TEXT      text; "" in place of NULL, which only a foreign file has
 *         OPTIONAL  text or NULL
 *         INTEGER   int64_t
 *         SMALL     int; -1 for what is negative or too large, which only a foreign file has
 *         FLAG      bool
 *         REAL      double; NAN is NULL
 */
/* clang-format off */
#ifndef PROCESS
#define PROCESS COLUMN
#endif
COLUMN(TEXT, name, "of the spec")
COLUMN(TEXT, spec, "resolved, YAML")
COLUMN(OPTIONAL, spec_json, "the same as JSON: spec_json ->> '$.train.batch'")
COLUMN(TEXT, spec_hash, "SHA-256 of spec")
COLUMN(OPTIONAL, recipe_hash, "SHA-256 of the spec without name, seed and the like")
COLUMN(TEXT, origins, "where every value came from")
COLUMN(OPTIONAL, folder, "the working directory, which relative paths start from")
COLUMN(OPTIONAL, repeats, "uid of the run that it repeats")
COLUMN(OPTIONAL, start_from, "of train.start_from: uid@step of a run, or a file")
COLUMN(OPTIONAL, start_hash, "SHA-256 of these initial parameters")
COLUMN(INTEGER, seed, "of the spec")
COLUMN(OPTIONAL, family, "of its model: 'pixelcnn', 'row', 'diagonal', or a layer")
COLUMN(INTEGER, parameters, "how many values")
COLUMN(TEXT, certificate, "digest of the causality certificate")
COLUMN(REAL, fingerprint_nll, "of a fixed image, in nats")
COLUMN(REAL, fingerprint_gradient, "weighted sum of magnitudes")
COLUMN(REAL, fingerprint_single, "of its first pixels, in float32")
COLUMN(INTEGER, fingerprint_version, "of the three above; 0: not on record")
COLUMN(TEXT, data_set, "its name")
COLUMN(TEXT, data_identity, "SHA-256 of its files and transforms")
COLUMN(OPTIONAL, data_content, "data_identity of the images as they are in the files")
COLUMN(OPTIONAL, data_transforms, "applied to its images")
COLUMN(REAL, data_entropy, "exact, nats per image, where known")
COLUMN(SMALL, image_rows, "0: not on record")
COLUMN(SMALL, image_cols, "0: not on record")
COLUMN(SMALL, image_colours, "0: not on record")
COLUMN(SMALL, image_levels, "0: not on record")
COLUMN(OPTIONAL, given, "'32x32': NLLs are of images given their small versions")
COLUMN(OPTIONAL, given_identity, "data_identity of the small versions")
COLUMN(INTEGER, reproduces_table, "of the paper; 0: none")
COLUMN(OPTIONAL, reproduces_row, "of that table")
COLUMN(OPTIONAL, command_line, "that started it")
PROCESS(TEXT, program_version, "of pxr")
PROCESS(OPTIONAL, program_revision, "git revision pxr was built from")
COLUMN(OPTIONAL, git_revision, "of the folder of the spec")
COLUMN(OPTIONAL, git_difference, "uncommitted changes there")
PROCESS(OPTIONAL, host, "that it runs on")
PROCESS(OPTIONAL, processor, "its model")
PROCESS(OPTIONAL, instruction_set, "that kernels use")
PROCESS(OPTIONAL, libraries, "with their versions")
PROCESS(INTEGER, threads, "at most, of each rank")
PROCESS(INTEGER, ranks, "processes that share it, under MPI; 1: alone")
PROCESS(INTEGER, process_id, "of the process that has it")
PROCESS(OPTIONAL, process_start, "boot and start time: tells processes of one id apart")
/* clang-format on */
#undef COLUMN
#undef PROCESS
