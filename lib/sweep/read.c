/* SPDX-License-Identifier: MIT */
/* read.c - a sweep's file: its option tables, and what varies in it. */
#include <ctype.h>
#include <math.h>
#include <string.h>

#include "base/text.h"
#include "config/options.h"
#include "sweep/sweep.h"

/* --- option tables -----------------------------------------------------------------------------
 */

/* clang-format off */
#define DRAWS \
        PXR_INT(struct pxr_draws, runs, NULL, 1, PXR_SWEEP_MAX_TRIALS, \
                "number of configurations to draw"), \
        PXR_INT(struct pxr_draws, seed, "1", 0, 9007199254740992.0, \
                "seed of the random numbers")
/* clang-format on */

static const struct pxr_option random_rows[] = { DRAWS, PXR_END };

static const struct pxr_options random_options = { .rows = random_rows,
                                                   .size = sizeof(struct pxr_draws),
                                                   .main = "runs" };

static const struct pxr_option halving_rows[] = {
        DRAWS,
        PXR_INT(struct pxr_draws, factor, "3", 2, 100,
                "the best one in this many is trained again for this many times as long"),
        PXR_INT(struct pxr_draws, epochs, "1", 1, 1000000,
                "epochs of the first training; the longest is the spec's train.epochs"),
        PXR_END,
};

static const struct pxr_options halving_options = { .rows = halving_rows,
                                                    .size = sizeof(struct pxr_draws),
                                                    .main = "runs" };

static const struct pxr_variant searches[] = {
        [PXR_GRID] = { .name = "grid", .help = "every combination of values" },
        [PXR_RANDOM] = { .name = "random", .help = "random values", .options = &random_options },
        [PXR_HALVING] = { .name = "halving",
                          .help = "random values; the better ones are trained for longer (ASHA)",
                          .options = &halving_options },
        { 0 },
};

static const struct pxr_option budget_rows[] = {
        PXR_INT(struct pxr_budget, runs, "0", 0, PXR_SWEEP_MAX_TRIALS,
                "number of runs to start; 0: no limit"),
        PXR_REAL(struct pxr_budget, hours, "0", 0, 1e6, "time of all runs together; 0: no limit"),
        PXR_END,
};

static const struct pxr_options budget_options = { .rows = budget_rows,
                                                   .size = sizeof(struct pxr_budget) };

static const struct pxr_option rows[] = {
        PXR_STRING(struct pxr_sweep, name, NULL, "name of the sweep in the database"),
        PXR_STRING(struct pxr_sweep, description, PXR_UNSET, "for readers"),
        PXR_STRING(struct pxr_sweep, spec, NULL, "the spec, relative to this file"),
        PXR_NODE(struct pxr_sweep, set, "{}", "keys of the spec and their value in all runs"),
        PXR_NODE(struct pxr_sweep, vary, NULL, "keys of the spec and the values to try"),
        PXR_CHOICE(struct pxr_sweep, search, "grid", searches, "which combinations to try"),
        PXR_INT(struct pxr_sweep, retries, "1", 0, 100, "how often to retry a failed run"),
        PXR_SECTION(struct pxr_sweep, budget, &budget_options, "when to stop starting runs"),
        PXR_END,
};

static const char *check(const void *conf, const char **message)
{
        const struct pxr_sweep *sweep = conf;

        if (*sweep->name && pxr_one_line(sweep->name))
                return NULL;
        *message = *sweep->name ? "has a control character or a line break" : "is empty";
        return "name";
}

const struct pxr_options pxr_sweep_table = { .rows = rows,
                                             .size = sizeof(struct pxr_sweep),
                                             .check = check };

/* --- keys and values ---------------------------------------------------------------------------
 */

void pxr_override_add(struct pxr_arena *arena, struct pxr_overrides *list, const char *text,
                      struct pxr_override_location location)
{
        size_t count = (size_t)list->count, room = count ? 2 * count : 1;

        if ((count & (count - 1)) == 0) { /* full: it holds a power of two */
                const char **texts = pxr_alloc_array(arena, room + 1, sizeof(*texts));
                struct pxr_override_location *copy = pxr_alloc_array(arena, room, sizeof(*copy));

                if (!texts || !copy)
                        return;
                for (size_t i = 0; i < count; i++) {
                        texts[i] = list->text[i];
                        copy[i] = list->location[i];
                }
                list->text = texts;
                list->location = copy;
        }
        list->text[count] = text;
        list->location[count] = location;
        list->count++;
}

/* "KEY=VALUE" for each key of a mapping. */
static int read_mapping(struct pxr_arena *arena, const struct pxr_yaml *mapping,
                        struct pxr_overrides *list, struct pxr_diag *diag)
{
        for (const struct pxr_yaml *child = mapping->first; child; child = child->next) {
                char *value = pxr_yaml_emit_line(arena, child, diag);

                if (!value)
                        return -1;
                pxr_override_add(arena, list, pxr_strf(arena, "%s=%s", child->key, value),
                                 (struct pxr_override_location) { child->key_location, child });
        }
        return 0;
}

void pxr_factor_set(struct pxr_arena *arena, const struct pxr_factor *factor, const char *text,
                    const char *json, const struct pxr_yaml *node, struct pxr_level *level)
{
        *level = (struct pxr_level) { .text = text, .json = json };
        pxr_override_add(arena, &level->overrides, pxr_strf(arena, "%s=%s", factor->name, text),
                         (struct pxr_override_location) { factor->location, node });
}

static int read_value(struct pxr_arena *arena, const struct pxr_factor *factor,
                      const struct pxr_yaml *node, struct pxr_level *level, struct pxr_diag *diag)
{
        char *text = pxr_yaml_emit_line(arena, node, diag), *json = pxr_yaml_json(arena, node);

        if (!text)
                return -1;
        pxr_factor_set(arena, factor, text, json, node, level);
        return 0;
}

static int read_case(struct pxr_arena *arena, const struct pxr_yaml *node, struct pxr_level *level,
                     struct pxr_diag *diag)
{
        if (node->kind != PXR_YAML_MAPPING || !node->first)
                return pxr_error_at(diag, node->location,
                                    "case '%s': expected a mapping of keys to values", node->key);
        level->text = node->key;
        level->json = pxr_json_word(arena, node->key); /* a case may be named by a number */
        return read_mapping(arena, node, &level->overrides, diag);
}

/* The children of a list of values, or of a mapping of cases. */
static int read_levels(struct pxr_arena *arena, struct pxr_factor *factor,
                       const struct pxr_yaml *node, struct pxr_diag *diag)
{
        bool cases = node->kind == PXR_YAML_MAPPING;
        int status = 0;

        if (!node->first)
                return pxr_error_at(diag, node->location, "'%s': expected at least one value",
                                    factor->name);
        factor->level = pxr_alloc_array(arena, (size_t)node->count, sizeof(*factor->level));
        if (!factor->level)
                return -1;
        for (const struct pxr_yaml *child = node->first; child; child = child->next) {
                struct pxr_level *level = &factor->level[factor->levels++];

                if (cases ? read_case(arena, child, level, diag)
                          : read_value(arena, factor, child, level, diag))
                        status = -1;
        }
        return status;
}

/* --- ranges ------------------------------------------------------------------------------------
 */

static const char *const range_names[] = { [PXR_LEVELS] = "cases",
                                           [PXR_UNIFORM] = "uniform",
                                           [PXR_LOG_UNIFORM] = "log_uniform",
                                           [PXR_INTEGER] = "integer" };

enum { RANGES = PXR_COUNT(range_names) };

static int read_bound(const struct pxr_factor *factor, const struct pxr_yaml *node, double *bound,
                      struct pxr_diag *diag)
{
        bool integer = factor->range == PXR_INTEGER;

        if (node->kind != PXR_YAML_SCALAR || node->quoted ||
            pxr_parse_real(node->text, bound) != PXR_NUMBER ||
            (integer && (floor(*bound) != *bound || fabs(*bound) > 2147483647)))
                return pxr_error_at(diag, node->location, "'%s': a bound must be %s", factor->name,
                                    integer ? "an integer" : "a number");
        if (factor->range == PXR_LOG_UNIFORM && *bound <= 0)
                return pxr_error_at(diag, node->location,
                                    "'%s': log_uniform requires bounds above 0", factor->name);
        return 0;
}

static int read_range(struct pxr_factor *factor, const struct pxr_yaml *node, struct pxr_diag *diag)
{
        if (node->kind != PXR_YAML_SEQUENCE || node->count != 2)
                return pxr_error_at(diag, node->location, "'%s': expected two bounds, [LOW, HIGH]",
                                    node->key);
        if (read_bound(factor, node->first, &factor->low, diag) ||
            read_bound(factor, node->last, &factor->high, diag))
                return -1;
        factor->bounds = node;
        if (factor->low >= factor->high)
                return pxr_error_at(diag, node->location, "'%s': the lower bound must come first",
                                    node->key);
        return 0;
}

/* {uniform: [LOW, HIGH]}, ..., {cases: {...}} */
static int read_spread(struct pxr_arena *arena, struct pxr_factor *factor,
                       const struct pxr_yaml *node, struct pxr_diag *diag)
{
        const struct pxr_yaml *only = node->first;
        int range = 0;

        if (node->kind != PXR_YAML_MAPPING || node->count != 1) {
                pxr_error_at(diag, node->location, "'%s': expected a list of values or a range",
                             factor->name);
                pxr_note(diag, "a range is {uniform: [LOW, HIGH]}, {log_uniform: [LOW, HIGH]} or "
                               "{integer: [LOW, HIGH]}; {cases: {NAME: {KEY: VALUE}}} sets several "
                               "keys at once");
                return -1;
        }
        while (range < RANGES && strcmp(range_names[range], only->key) != 0)
                range++;
        if (range == RANGES) {
                pxr_error_at(diag, only->key_location, "unknown range '%s'", only->key);
                if (!pxr_hint_nearest(diag, only->key, range_names, RANGES))
                        pxr_hint(diag, "expected uniform, log_uniform, integer or cases");
                return -1;
        }
        factor->range = (enum pxr_range)range;
        if (range != PXR_LEVELS)
                return read_range(factor, only, diag);
        if (only->kind != PXR_YAML_MAPPING)
                return pxr_error_at(diag, only->location,
                                    "'cases': expected a mapping, {NAME: {KEY: VALUE}}");
        return read_levels(arena, factor, only, diag);
}

/* --- what varies -------------------------------------------------------------------------------
 */

static int read_factors(struct pxr_sweep *sweep, struct pxr_diag *diag)
{
        const struct pxr_yaml *vary = sweep->vary;
        int status = 0;

        if (vary->kind != PXR_YAML_MAPPING || !vary->first)
                return pxr_error_at(diag, vary->location,
                                    "'vary': expected a mapping of keys to values or ranges");
        sweep->factor = pxr_alloc_array(sweep->arena, (size_t)vary->count, sizeof(*sweep->factor));
        if (!sweep->factor)
                return -1;
        for (const struct pxr_yaml *node = vary->first; node; node = node->next) {
                struct pxr_factor *factor = &sweep->factor[sweep->factors++];

                factor->name = node->key;
                factor->location = node->key_location;
                factor->json_name = pxr_json_string(sweep->arena, node->key);
                if (node->kind == PXR_YAML_SEQUENCE ? read_levels(sweep->arena, factor, node, diag)
                                                    : read_spread(sweep->arena, factor, node, diag))
                        status = -1;
        }
        return status;
}

/* Whether a name ends in ".tail", or is the tail. */
static bool ends_in(const char *name, const char *tail)
{
        size_t length = strlen(name), end = strlen(tail);

        return length >= end && strcmp(name + length - end, tail) == 0 &&
               (length == end || name[length - end - 1] == '.');
}

/* Whether a tail can stand for a factor: no other ends in it, and it is not only the number of a
 * list's item. */
static bool is_distinct(const struct pxr_sweep *sweep, const struct pxr_factor *factor,
                        const char *tail)
{
        if (isdigit((unsigned char)*tail))
                return false;
        for (int i = 0; i < sweep->factors; i++)
                if (&sweep->factor[i] != factor && ends_in(sweep->factor[i].name, tail))
                        return false;
        return true;
}

static void shorten_names(struct pxr_sweep *sweep)
{
        for (int i = 0; i < sweep->factors; i++) {
                struct pxr_factor *factor = &sweep->factor[i];
                const char *tail = factor->name + strlen(factor->name);

                while (tail > factor->name &&
                       (tail[-1] != '.' || !is_distinct(sweep, factor, tail)))
                        tail--;
                factor->short_name = tail;
        }
}

/* --- the search --------------------------------------------------------------------------------
 */

static int count_grid(struct pxr_sweep *sweep, struct pxr_diag *diag)
{
        sweep->configurations = 1;
        for (int i = 0; i < sweep->factors; i++) {
                const struct pxr_factor *factor = &sweep->factor[i];

                if (factor->range != PXR_LEVELS)
                        return pxr_error_at(diag, factor->location,
                                            "'%s': a grid requires a list of values; ranges are "
                                            "for search: random and halving",
                                            factor->name);
                if (factor->levels > PXR_SWEEP_MAX_TRIALS / sweep->configurations)
                        return pxr_user_error(diag,
                                              "%s: more than %d combinations; search: random tries "
                                              "some of them",
                                              sweep->path, PXR_SWEEP_MAX_TRIALS);
                sweep->configurations *= factor->levels;
        }
        return 0;
}

static int read_search(struct pxr_sweep *sweep, struct pxr_diag *diag)
{
        sweep->kind = (enum pxr_search)(sweep->search.variant - searches);
        sweep->rungs = 1;
        if (sweep->kind == PXR_GRID)
                return count_grid(sweep, diag);
        sweep->draws = *(const struct pxr_draws *)sweep->search.conf;
        sweep->configurations = (int)sweep->draws.runs;
        for (int i = 0; i < sweep->factors && sweep->kind == PXR_HALVING; i++)
                if (strcmp(sweep->factor[i].name, "train.epochs") == 0)
                        return pxr_error_at(diag, sweep->factor[i].location,
                                            "'train.epochs' cannot vary: halving sets it");
        return 0;
}

/* --- values that are the same for all runs -----------------------------------------------------
 */

/* Those of the file, then those of the command line. */
static int read_fixed(struct pxr_sweep *sweep, const char *const *overrides, size_t count,
                      struct pxr_diag *diag)
{
        if (sweep->set->kind != PXR_YAML_MAPPING)
                return pxr_error_at(diag, sweep->set->location,
                                    "'set': expected a mapping of keys to values");
        if (read_mapping(sweep->arena, sweep->set, &sweep->fixed, diag))
                return -1;
        for (size_t i = 0; i < count; i++)
                pxr_override_add(sweep->arena, &sweep->fixed, overrides[i],
                                 (struct pxr_override_location) { 0 });
        return 0;
}

/* Whether an override "KEY=VALUE" replaces all that is set at `key`, or below it. */
static bool replaces(const char *override, const char *key)
{
        size_t length = strcspn(override, "=");

        return strncmp(override, key, length) == 0 && strchr("=.", key[length]);
}

/* Whether every run has a value of the factor for `key`. A case without one keeps the fixed value.
 */
static bool always_replaces(const struct pxr_factor *factor, const char *key)
{
        for (int i = 0; i < factor->levels; i++) {
                const struct pxr_overrides *list = &factor->level[i].overrides;
                int k = 0;

                while (k < list->count && !replaces(list->text[k], key))
                        k++;
                if (k == list->count)
                        return false;
        }
        return factor->levels > 0 || replaces(factor->name, key);
}

/* Refuse a fixed value that no run would have. */
static int check_fixed(const struct pxr_sweep *sweep, struct pxr_diag *diag)
{
        static const char varies[] = "'%.*s' cannot be set for all runs: it varies";
        int status = 0;

        for (int i = 0; i < sweep->fixed.count; i++) {
                const char *key = sweep->fixed.text[i];
                const struct pxr_location at = sweep->fixed.location[i].key;

                for (int k = 0; k < sweep->factors; k++) {
                        if (!always_replaces(&sweep->factor[k], key))
                                continue;
                        status = at.source ? pxr_error_at(diag, at, varies, (int)strcspn(key, "="),
                                                          key)
                                           : pxr_user_error(diag, varies, (int)strcspn(key, "="),
                                                            key);
                        pxr_note(diag, "its values are those of '%s' under 'vary'",
                                 sweep->factor[k].name);
                }
        }
        return status;
}

/* --- the file ----------------------------------------------------------------------------------
 */

/* For a spec, one error instead of one for each of its keys. */
static int check_no_spec(const struct pxr_yaml *root, const char *path, struct pxr_diag *diag)
{
        const struct pxr_yaml *model = pxr_yaml_get(root, "model");

        if (!model || pxr_yaml_get(root, "vary"))
                return 0;
        pxr_error_at(diag, model->key_location, "this is a spec, not a sweep");
        pxr_hint(diag, "run it with 'pxr-run %s', or name it as 'spec' in a file with 'vary'",
                 path);
        return -1;
}

/* A path relative to the sweep's file, as one relative to the current directory. */
static char *beside(const struct pxr_sweep *sweep, const char *path)
{
        const char *slash = strrchr(sweep->path, '/');

        if (!slash || *path == '/')
                return pxr_strdup(sweep->arena, path);
        return pxr_strf(sweep->arena, "%.*s/%s", (int)(slash - sweep->path), sweep->path, path);
}

struct pxr_sweep *pxr_sweep_read(struct pxr_arena *arena, const char *path,
                                 const char *const *overrides, size_t count, struct pxr_diag *diag)
{
        struct pxr_sweep *sweep = pxr_alloc(arena, sizeof(*sweep));
        struct pxr_yaml *root = sweep ? pxr_spec_load(arena, path, NULL, NULL, 0, diag) : NULL;
        const struct pxr_reading reading = { &pxr_sweep_table, sweep };

        if (!root || check_no_spec(root, path, diag) ||
            pxr_options_read(arena, root, "sweep", &reading, 1, diag))
                return NULL;
        sweep->arena = arena;
        sweep->path = path;
        sweep->spec = beside(sweep, sweep->spec);
        sweep->definition = pxr_yaml_emit(arena, root, diag);
        if (!sweep->definition || read_fixed(sweep, overrides, count, diag) ||
            read_factors(sweep, diag) || check_fixed(sweep, diag) || read_search(sweep, diag))
                return NULL;
        shorten_names(sweep);
        return pxr_arena_failed(arena) ? NULL : sweep;
}
