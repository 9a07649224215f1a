/* SPDX-License-Identifier: MIT */
/* show.c - all that is on record of one run. */
#include <string.h>

#include "report/chain.h"
#include "report/parts.h"
#include "record/cursor.h"
#include "record/run_state.h"

static const char *const names[] = { "facts", "results",    "chain",       "curve",   "layers",
                                     "files", "plugins",    "checkpoints", "samples", "events",
                                     "spec",  "difference", NULL };

static const struct pxr_column fact_columns[] = { { "fact", "Fact", PXR_IF_FILLED },
                                                  { "value", "Value", PXR_IF_FILLED } };

/* What is NULL has no row. */
#define FACT(name, value) "UNION ALL SELECT '" name "', " value " FROM run WHERE id = ?1 "

/* git_difference begins with untracked files, each a line "?? NAME". */
#define DIFFERENCE_AT "instr(char(10) || git_difference, char(10) || 'diff ')"
#define UNTRACKED                                                                          \
        "replace(substr(git_difference, 4, CASE " DIFFERENCE_AT " WHEN 0 THEN 500 "        \
        "ELSE min(500, " DIFFERENCE_AT " - 5) END), char(10) || '?? ', ', ') || "          \
        "iif(" DIFFERENCE_AT " > 505 OR " DIFFERENCE_AT " = 0 AND length(git_difference) " \
        "> 503, ' ... (--part difference)', '')"

/* clang-format off */
static const char facts[] =
        "SELECT fact, value FROM (SELECT 'run' AS fact, id AS value FROM run WHERE id = ?1 "
        FACT("name", "name")
        FACT("id", "uid")
        FACT("status", PXR_RUN_STATE)
        FACT("message", "message")
        FACT("tags", "(SELECT tags FROM run_summary WHERE run = ?1)")
        FACT("note", "note")
        FACT("archived", "archived_at")
        FACT("repeats", "coalesce((SELECT 'run ' || other.id || ' (' || other.uid || ')' FROM run AS "
             "other WHERE other.uid = run.repeats), repeats)")
        FACT("data set", "data_set")
        FACT("data identity", "data_identity")
        FACT("data transforms", "data_transforms")
        FACT("exact entropy, nats per image", "data_entropy")
        FACT("NLLs of images given", "given")
        FACT("reproduces", "'table ' || nullif(reproduces_table, 0) || ', ' || reproduces_row")
        FACT("parameters", "parameters")
        FACT("seed", "CAST(seed AS TEXT)")
        FACT("started", "started_at")
        FACT("ended", "finished_at")
        FACT("wall time, seconds", "round(wall_seconds, 1)")
        FACT("training, images a second", "(SELECT round(avg(value), 1) FROM metric WHERE run = ?1 "
             "AND name = 'images_per_second')")
        FACT("of it waiting for images, %", "(SELECT round(100 * avg(value), 2) FROM metric WHERE "
             "run = ?1 AND name = 'data_wait_share')")
        FACT("gone on with, times", "nullif(taken, 0)")
        FACT("command line", "command_line")
        FACT("started in folder", "folder")
        FACT("program", "program_version || coalesce(' ' || program_revision, '')")
        FACT("git revision of the spec", "git_revision")
        FACT("uncommitted changes", "CASE WHEN git_revision IS NULL THEN NULL "
             "WHEN git_difference IS NULL THEN 'not known' "
             "WHEN " DIFFERENCE_AT " = 0 THEN 'none' ELSE 'yes (--part difference)' END")
        FACT("untracked files", "CASE WHEN git_difference LIKE '?? %' THEN " UNTRACKED " END")
        FACT("host", "host")
        FACT("processor", "processor")
        FACT("instruction set", "instruction_set")
        FACT("libraries", "libraries")
        FACT("threads", "threads")
        FACT("causality certificate", "certificate")
        FACT("fingerprint: nats of a fixed image", "fingerprint_nll")
        FACT("fingerprint: sum of its gradient", "fingerprint_gradient")
        FACT("fingerprint: nats of its first pixels, in floats", "fingerprint_single")
        FACT("SHA-256 of the spec", "spec_hash")
        FACT("SHA-256 of the recipe: the spec without seed, name, data.path", "recipe_hash")
        FACT("SHA-256 of the parameters", "parameter_hash")
        ") WHERE value IS NOT NULL";
/* clang-format on */

static const struct pxr_column result_columns[] = {
        { "split", "Split", PXR_IF_FILLED },
        { "nats_per_image", "Nats/image", PXR_IF_FILLED },
        { "bits_per_dimension", "Bits/dim", PXR_IF_FILLED },
        { "standard_error", "Std. error (nats)", PXR_IF_FILLED },
        { "images", "Images", PXR_IF_FILLED },
        { "step", "Step", PXR_IF_FILLED },
        { "epoch", "Epoch", PXR_IF_FILLED },
        { "suspect", "Suspect", PXR_IF_FILLED },
};

/* The view adds standard errors as if all images erred alike: it can only be less. */
static const struct pxr_column chain_columns[] = {
        { "split", "Split", PXR_IF_FILLED },
        { "nats_per_image", "Nats/image", PXR_IF_FILLED },
        { "bits_per_dimension", "Bits/dim", PXR_IF_FILLED },
        { "standard_error", "Std. error at most (nats)", PXR_IF_FILLED },
        { "images", "Images", PXR_IF_FILLED },
        { "counted", "Counted whole", PXR_IF_FILLED },
};

static const struct pxr_column layer_columns[] = {
        { "position", "Nr", PXR_IF_FILLED },
        { "path", "Layer", PXR_IF_FILLED },
        { "rows", "Rows", PXR_IF_FILLED },
        { "cols", "Cols", PXR_IF_FILLED },
        { "channels", "Channels", PXR_IF_FILLED },
        { "parameters", "Parameters", PXR_IF_FILLED },
        { "multiply_adds", "Multiply-adds", PXR_IF_FILLED },
        { "field_above", "Sees above", PXR_IF_FILLED },
        { "field_left", "left", PXR_IF_FILLED },
        { "field_right", "right", PXR_IF_FILLED },
};

static const struct pxr_column file_columns[] = { { "path", "File", PXR_IF_FILLED },
                                                  { "size", "Bytes", PXR_IF_FILLED },
                                                  { "sha256", "SHA-256", PXR_IF_FILLED } };

static const struct pxr_column plugin_columns[] = { { "name", "Plugin", PXR_IF_FILLED },
                                                    { "version", "Version", PXR_IF_FILLED },
                                                    { "path", "File", PXR_IF_FILLED },
                                                    { "sha256", "SHA-256", PXR_IF_FILLED } };

static const struct pxr_column checkpoint_columns[] = {
        { "step", "Step", PXR_IF_FILLED },      { "epoch", "Epoch", PXR_IF_FILLED },
        { "path", "File", PXR_IF_FILLED },      { "size", "Bytes", PXR_IF_FILLED },
        { "best", "Best", PXR_IF_FILLED },      { "created_at", "Made", PXR_IF_FILLED },
        { "sha256", "SHA-256", PXR_IF_FILLED },
};

static const struct pxr_column sample_columns[] = {
        { "kind", "Kind", PXR_IF_FILLED },
        { "step", "Step", PXR_IF_FILLED },
        { "epoch", "Epoch", PXR_IF_FILLED },
        { "seed", "Seed", PXR_IF_FILLED },
        { "count", "Count", PXR_IF_FILLED },
        { "log_likelihood", "Log-likelihood (nats/image)", PXR_IF_FILLED },
        { "nll", "NLL then (nats/image)", PXR_IF_FILLED },
        { "nll_split", "of", PXR_IF_FILLED },
        { "temperature", "Temperature", PXR_TO_PROGRAMS },
        { "parameter_hash", "Parameters", PXR_TO_PROGRAMS },
        { "bytes", "Bytes", PXR_IF_FILLED },
};

static const struct pxr_column event_columns[] = { { "at", "At", PXR_IF_FILLED },
                                                   { "step", "Step", PXR_IF_FILLED },
                                                   { "kind", "Kind", PXR_IF_FILLED },
                                                   { "message", "Message", PXR_IF_FILLED } };

/* PLAIN is 0: what is not named here is. */
static const enum pxr_style plain[16], result_style[16] = {
        [1] = PXR_STYLE_NLL, [2] = PXR_STYLE_NLL, [3] = PXR_STYLE_NLL, [6] = PXR_STYLE_EPOCH
};
static const enum pxr_style epoch_style_1[16] = { [1] = PXR_STYLE_EPOCH }, sample_style[16] = {
        [2] = PXR_STYLE_EPOCH, [5] = PXR_STYLE_NLL, [6] = PXR_STYLE_NLL
};

#define COLUMNS(list) list, plain, PXR_COUNT(list)
#define STYLED(list, style) list, style, PXR_COUNT(list)

static const struct pxr_part parts[] = {
        { "facts", "Facts", COLUMNS(fact_columns), facts },
        { "results", "Results", STYLED(result_columns, result_style),
          "SELECT split, nats_per_image, bits_per_dimension, standard_error, images, step, epoch, "
          "suspect FROM nll WHERE run = ?1 AND name = 'final_nll' ORDER BY split" },
        { "chain",
          "Results with the small images: all runs' nats added, bits/dim of the large image",
          STYLED(chain_columns, result_style),
          "SELECT split, nats_per_image, bits_per_dimension, standard_error, images, counted "
          "FROM chain_nll WHERE run = ?1 ORDER BY split" },
        { "layers", "Layers", COLUMNS(layer_columns),
          "SELECT position, path, rows, cols, channels, parameters, "
          "CAST(round(multiply_adds) AS INTEGER), field_above, field_left, field_right "
          "FROM layer WHERE run = ?1 ORDER BY position" },
        { "files", "Files of data", COLUMNS(file_columns),
          "SELECT path, size, sha256 FROM data_file WHERE run = ?1 ORDER BY path" },
        { "plugins", "Plugins", COLUMNS(plugin_columns),
          "SELECT name, version, path, sha256 FROM plugin WHERE run = ?1 ORDER BY name" },
        { "checkpoints", "Checkpoints", STYLED(checkpoint_columns, epoch_style_1),
          "SELECT step, epoch, path, size, CASE best WHEN 1 THEN 'best' END, created_at, sha256 "
          "FROM checkpoint WHERE run = ?1 ORDER BY step" },
        { "samples", "Pictures", STYLED(sample_columns, sample_style),
          "SELECT kind, step, epoch, seed, count, log_likelihood, nll, nll_split, temperature, "
          "parameter_hash, length(png) FROM sample WHERE run = ?1 "
          "ORDER BY kind, step, seed" },
        { "events", "Events", COLUMNS(event_columns),
          "SELECT at, step, kind, message FROM event WHERE run = ?1 ORDER BY id" },
};

enum { PARTS = PXR_COUNT(parts) };

/* A row a line, so that it comes out as it is. */
static struct pxr_table *line_table(struct pxr_arena *arena, const char *name,
                                    const struct pxr_column *column, const char *all,
                                    struct pxr_diag *diag)
{
        struct pxr_table *table = pxr_table_new(arena, name, column->heading, column, 1);

        for (const char *line = all; table && line && *line; line += strcspn(line, "\n")) {
                char *text;

                line += *line == '\n';
                if (!*line)
                        break;
                text = pxr_strndup(arena, line, strcspn(line, "\n"));
                table->failed |= !text;
                *pxr_table_row(table) = pxr_text_cell(table, text);
        }
        if (!table) {
                pxr_out_of_memory(diag);
                return NULL;
        }
        return pxr_table_finish(table, diag) ? NULL : table;
}

static struct pxr_table *spec_table(struct pxr_arena *arena, const struct pxr_run *run,
                                    struct pxr_diag *diag)
{
        static const struct pxr_column column = { "line", "Spec", PXR_IF_FILLED };

        return line_table(arena, "spec", &column, run->spec, diag);
}

static struct pxr_table *difference_table(struct pxr_arena *arena, struct pxr_store *store,
                                          const struct pxr_run *run, struct pxr_diag *diag)
{
        static const struct pxr_column column = { "line", "Uncommitted changes", PXR_IF_FILLED };
        struct pxr_cursor rows = pxr_query(
                store, arena, diag, "SELECT git_difference FROM run WHERE id = ?", "i", run->id);
        const char *text = NULL;

        while (pxr_cursor_next(&rows))
                text = pxr_cursor_optional(&rows, 0);
        return pxr_cursor_end(&rows) ? NULL : line_table(arena, "difference", &column, text, diag);
}

static bool wanted(const char *part, const char *name)
{
        return part ? strcmp(part, name) == 0
                    : strcmp(name, "spec") != 0 && strcmp(name, "difference") != 0;
}

struct pxr_table *pxr_report_show(struct pxr_arena *arena, struct pxr_store *store,
                                  const char *which, const char *part, bool all_steps,
                                  struct pxr_diag *diag)
{
        const struct pxr_run *run = pxr_check_part(part, names, diag)
                                            ? NULL
                                            : pxr_store_find_run(store, arena, which, diag);
        struct pxr_table_list list = { 0 };

        if (!run)
                return NULL;
        for (int i = 0; i < PARTS; i++) {
                struct pxr_table *table;

                if (wanted(part, parts[i].name)) {
                        table = pxr_part_table(arena, store, &parts[i], run->id, diag);
                        if (!table || (strcmp(parts[i].name, "chain") == 0 &&
                                       pxr_note_no_chain(table, store, run->id, diag)))
                                return NULL;
                        if ((table->rows > 0 || table->note || part) &&
                            pxr_table_append(&list, table))
                                return NULL;
                }
                if (strcmp(parts[i].name, "chain") != 0 || !wanted(part, "curve"))
                        continue;
                if (pxr_table_append(&list, all_steps
                                                    ? pxr_points_table(arena, store, &run, 1, diag)
                                                    : pxr_lines_table(arena, store, &run, 1, diag)))
                        return NULL;
        }
        if (wanted(part, "spec") && pxr_table_append(&list, spec_table(arena, run, diag)))
                return NULL;
        if (wanted(part, "difference") &&
            pxr_table_append(&list, difference_table(arena, store, run, diag)))
                return NULL;
        return list.first;
}
