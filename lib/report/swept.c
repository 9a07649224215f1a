/* SPDX-License-Identifier: MIT */
/* swept.c - reading a sweep and its jobs from the run database. */
#include "base/json.h"
#include "report/swept.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "report/report.h"
#include "record/cursor.h"
#include "config/options.h"
#include "record/run_state.h"

/* --- values ------------------------------------------------------------------------------------
 */

/* A value of job.varied as text. NULL when memory is out. */
static char *text_of(struct pxr_arena *arena, const json_t *value)
{
        char number[PXR_REAL_TEXT], *encoded, *copy;

        if (json_is_string(value))
                return pxr_strdup(arena, json_string_value(value));
        if (json_is_real(value))
                return pxr_strdup(arena, pxr_format_real(json_real_value(value), number));
        encoded = json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(17));
        copy = encoded ? pxr_strdup(arena, encoded) : NULL;
        free(encoded);
        return copy;
}

static int key_index(const struct pxr_swept *swept, const char *name)
{
        for (int i = 0; i < swept->keys; i++)
                if (strcmp(swept->key[i].name, name) == 0)
                        return i;
        return -1;
}

/* Add the keys that a job has and no job had before. */
static int add_keys(struct pxr_arena *arena, struct pxr_swept *swept, json_t *varied)
{
        size_t most = (size_t)swept->keys + json_object_size(varied);
        struct pxr_swept_key *key = pxr_alloc_array(arena, most + 1, sizeof(*key));
        const char *name;
        json_t *value;

        if (!key)
                return -1;
        if (swept->keys)
                memcpy(key, swept->key, (size_t)swept->keys * sizeof(*key));
        swept->key = key;
        json_object_foreach(varied, name, value)
        {
                if (key_index(swept, name) >= 0)
                        continue;
                if (!(key[swept->keys].name = pxr_strdup(arena, name)))
                        return -1;
                swept->keys++;
        }
        return 0;
}

static bool has_new_key(const struct pxr_swept *swept, json_t *varied)
{
        const char *name;
        json_t *value;

        json_object_foreach(varied, name, value)
        {
                if (key_index(swept, name) < 0)
                        return true;
        }
        return false;
}

static int read_values(struct pxr_arena *arena, const struct pxr_swept *swept,
                       struct pxr_swept_job *job, const json_t *varied)
{
        struct pxr_swept_value *value =
                pxr_alloc_array(arena, (size_t)swept->keys + 1, sizeof(*value));

        job->value = value;
        for (int i = 0; value && i < swept->keys; i++) {
                const json_t *found = json_object_get(varied, swept->key[i].name);

                value[i].number = json_is_number(found) ? json_number_value(found) : NAN;
                if (found && !(value[i].text = text_of(arena, found)))
                        return -1;
        }
        return value ? 0 : -1;
}

/* The keys first, then each job's values. `varied` has a text for each job. */
static int read_all_values(struct pxr_arena *arena, struct pxr_swept *swept,
                           const char *const *varied, struct pxr_diag *diag)
{
        for (int pass = 0; pass < 2; pass++)
                for (int i = 0; i < swept->jobs; i++) {
                        json_error_t error;
                        json_t *object =
                                pxr_json_parse(varied[i], strlen(varied[i]), SIZE_MAX, &error);
                        int status = 0;

                        if (!object && pxr_json_memory_out(&error))
                                return pxr_out_of_memory(diag);
                        if (!json_is_object(object)) {
                                json_decref(object);
                                return pxr_user_error(diag,
                                                      "sweep '%s': the values of job %lld cannot "
                                                      "be read: the database is damaged",
                                                      swept->name, (long long)swept->job[i].number);
                        }
                        if (pass == 1)
                                status = read_values(arena, swept, &swept->job[i], object);
                        else if (has_new_key(swept, object))
                                status = add_keys(arena, swept, object);
                        json_decref(object);
                        if (status)
                                return pxr_out_of_memory(diag);
                }
        return 0;
}

/* Which keys are drawn from a range, by the sweep's file. */
static int mark_drawn(struct pxr_arena *arena, struct pxr_swept *swept, struct pxr_diag *diag)
{
        const struct pxr_source source = { "the sweep's definition", swept->definition,
                                           strlen(swept->definition) };
        struct pxr_yaml *root = pxr_yaml_parse(arena, &source, diag), *vary;

        if (!root)
                return -1;
        vary = pxr_yaml_get(root, "vary");
        for (int i = 0; i < swept->keys; i++) {
                const struct pxr_yaml *node = pxr_yaml_get(vary, swept->key[i].name);

                swept->key[i].drawn = node && node->kind == PXR_YAML_MAPPING && node->first &&
                                      strcmp(node->first->key, "cases") != 0;
        }
        return 0;
}

/* --- jobs --------------------------------------------------------------------------------------
 */

static const char select_jobs[] =
        "SELECT job.number, job.rung, job.run, job.failures, " PXR_JOB_STATE ", job.message, "
        "coalesce(valid.suspect, test.suspect), run.data_identity, " PXR_JOB_SECONDS
        ", job.varied, "
        "valid.epoch, valid.nats_per_image, valid.bits_per_dimension, valid.standard_error, "
        "test.nats_per_image, test.bits_per_dimension, "
        "coalesce(valid.dimensions, test.dimensions), run.image_colours, "
        "run.archived_at IS NOT NULL "
        "FROM job LEFT JOIN run ON run.id = job.run "
        "LEFT JOIN nll AS valid ON valid.run = job.run AND valid.name = 'final_nll' AND "
        "valid.split = 'valid' "
        "LEFT JOIN nll AS test ON test.run = job.run AND test.name = 'final_nll' AND "
        "test.split = 'test' WHERE job.sweep = ?1 AND job.wanted ORDER BY job.number";

static void read_job(struct pxr_cursor *rows, struct pxr_swept *swept, struct pxr_swept_job *job)
{
        int64_t dimensions = pxr_cursor_integer(rows, 16);
        bool bits = dimensions && pxr_reported_in_bits(dimensions, pxr_cursor_integer(rows, 17));

        *job = (struct pxr_swept_job) {
                .number = pxr_cursor_integer(rows, 0),
                .rung = pxr_cursor_integer(rows, 1),
                .run = pxr_cursor_integer(rows, 2),
                .failures = pxr_cursor_integer(rows, 3),
                .state = pxr_cursor_text(rows, 4),
                .message = pxr_cursor_optional(rows, 5),
                .suspect = pxr_cursor_optional(rows, 6),
                .identity = pxr_cursor_optional(rows, 7),
                .seconds = pxr_cursor_real(rows, 8),
                .epoch = pxr_cursor_real(rows, 10),
                .archived = pxr_cursor_integer(rows, 18),
                .valid = pxr_cursor_real(rows, bits ? 12 : 11),
                .standard_error = pxr_cursor_real(rows, 13),
                .test = pxr_cursor_real(rows, bits ? 15 : 14),
        };
        if (bits)
                job->standard_error /= M_LN2 * (double)dimensions;
        if (dimensions)
                swept->unit = bits ? "bits/dim" : "nats/image";
}

static int count_jobs(struct pxr_store *store, struct pxr_arena *arena, int64_t sweep, int *count,
                      struct pxr_diag *diag)
{
        struct pxr_cursor rows =
                pxr_query(store, arena, diag, "SELECT count(*) FROM job WHERE sweep = ? AND wanted",
                          "i", sweep);

        if (pxr_cursor_next(&rows))
                *count = (int)pxr_cursor_integer(&rows, 0);
        return pxr_cursor_end(&rows);
}

static int read_jobs(struct pxr_arena *arena, struct pxr_store *store, struct pxr_swept *swept,
                     struct pxr_diag *diag)
{
        struct pxr_cursor rows;
        const char **varied;
        int most = 0;

        if (count_jobs(store, arena, swept->id, &most, diag))
                return -1;
        swept->job = pxr_alloc_array(arena, (size_t)most + 1, sizeof(*swept->job));
        varied = pxr_alloc_array(arena, (size_t)most + 1, sizeof(*varied));
        if (!swept->job || !varied)
                return pxr_out_of_memory(diag);
        rows = pxr_query(store, arena, diag, select_jobs, "i", swept->id);
        while (pxr_cursor_next(&rows) && swept->jobs < most) {
                read_job(&rows, swept, &swept->job[swept->jobs]);
                varied[swept->jobs++] = pxr_cursor_text(&rows, 9);
        }
        return pxr_cursor_end(&rows) ? -1 : read_all_values(arena, swept, varied, diag);
}

bool pxr_swept_counts(const struct pxr_swept_job *job)
{
        static const char bad[] = "worse than ";

        return isfinite(job->valid) && !job->archived &&
               (!job->suspect || strncmp(job->suspect, bad, sizeof(bad) - 1) == 0);
}

bool pxr_swept_comparable(const struct pxr_swept *swept)
{
        const char *first = NULL;

        for (int i = 0; i < swept->jobs; i++) {
                const char *identity = swept->job[i].identity;

                if (!identity)
                        continue;
                if (first && strcmp(first, identity) != 0)
                        return false;
                first = identity;
        }
        return true;
}

/* --- the sweep ---------------------------------------------------------------------------------
 */

enum { MOST_NAMES = 1000 };

/* There is no such sweep: say which there are. */
static int no_sweep(struct pxr_arena *arena, struct pxr_store *store, const char *name,
                    struct pxr_diag *diag)
{
        struct pxr_cursor rows =
                pxr_query(store, arena, diag, "SELECT name FROM sweep ORDER BY id", "");
        const char *names[MOST_NAMES], *nearest;
        char *list = "";
        size_t count = 0;

        while (list && count < MOST_NAMES && pxr_cursor_next(&rows)) {
                names[count] = pxr_cursor_text(&rows, 0);
                if (!names[count])
                        break;
                list = pxr_strf(arena, "%s%s'%s'", list, count ? ", " : "", names[count]);
                count++;
        }
        if (pxr_cursor_end(&rows))
                return -1;
        if (!list)
                return pxr_out_of_memory(diag);
        if (!count)
                return pxr_user_error(diag,
                                      "there is no sweep '%s', nor any other: pxr-sweep "
                                      "runs one",
                                      name);
        nearest = pxr_nearest(name, names, count);
        pxr_user_error(diag, "there is no sweep '%s'; there are: %s", name, list);
        if (nearest)
                pxr_hint(diag, "did you mean '%s'?", nearest);
        return -1;
}

struct pxr_swept *pxr_swept_read(struct pxr_arena *arena, struct pxr_store *store, const char *name,
                                 struct pxr_diag *diag)
{
        struct pxr_cursor rows = pxr_query(
                store, arena, diag, "SELECT id, name, search, definition FROM sweep WHERE name = ?",
                "t", name);
        struct pxr_swept *swept = pxr_alloc(arena, sizeof(*swept));

        if (!swept)
                pxr_out_of_memory(diag);
        if (swept && pxr_cursor_next(&rows))
                *swept = (struct pxr_swept) { .id = pxr_cursor_integer(&rows, 0),
                                              .name = pxr_cursor_text(&rows, 1),
                                              .search = pxr_cursor_text(&rows, 2),
                                              .definition = pxr_cursor_text(&rows, 3) };
        if (pxr_cursor_end(&rows) || !swept)
                return NULL;
        if (!swept->name) {
                no_sweep(arena, store, name, diag);
                return NULL;
        }
        if (read_jobs(arena, store, swept, diag) || mark_drawn(arena, swept, diag))
                return NULL;
        return swept;
}
