/* SPDX-License-Identifier: MIT */
/*
 * read.c - a sweep's file: its option tables, and what varies in it.
 */
#include <ctype.h>
#include <math.h>
#include <string.h>

#include "base/text.h"
#include "config/options.h"
#include "sweep/json.h"
#include "sweep/sweep.h"

/* --- option tables -----------------------------------------------------------------------------
 */

struct drawn {
        int64_t runs, seed, factor, epochs;
};

static const struct pxr_option random_rows[] = {
        PXR_INT(struct drawn, runs, NULL, 1, PXR_SWEEP_MOST, "configurations that are drawn"),
        PXR_INT(struct drawn, seed, "1", 0, 9007199254740992.0, "of the random numbers"),
        PXR_END,
};

static const struct pxr_options random_options = { .rows = random_rows,
                                                   .size = sizeof(struct drawn),
                                                   .main = "runs" };

static const struct pxr_option halving_rows[] = {
        PXR_INT(struct drawn, runs, NULL, 1, PXR_SWEEP_MOST, "configurations that are drawn"),
        PXR_INT(struct drawn, seed, "1", 0, 9007199254740992.0, "of the random numbers"),
        PXR_INT(struct drawn, factor, "3", 2, 100,
                "the best one in this many is trained again for this many times as long"),
        PXR_INT(struct drawn, epochs, "1", 1, 1000000,
                "the first training of each configuration; the longest is the spec's train.epochs"),
        PXR_END,
};

static const struct pxr_options halving_options = { .rows = halving_rows,
                                                    .size = sizeof(struct drawn),
                                                    .main = "runs" };

static const struct pxr_variant searches[] = {
        [PXR_GRID] = { .name = "grid", .help = "every combination of values" },
        [PXR_RANDOM] = { .name = "random", .help = "values drawn", .options = &random_options },
        [PXR_HALVING] = { .name = "halving",
                          .help = "values drawn; the better ones are trained for longer (ASHA)",
                          .options = &halving_options },
        { 0 },
};

static const struct pxr_option budget_rows[] = {
        PXR_INT(struct pxr_budget, runs, "0", 0, PXR_SWEEP_MOST, "that are begun; 0: no limit"),
        PXR_REAL(struct pxr_budget, hours, "0", 0, 1e6,
                 "that all runs together may take; 0: no limit"),
        PXR_END,
};

static const struct pxr_options budget_options = { .rows = budget_rows,
                                                   .size = sizeof(struct pxr_budget) };

struct settings {
        const char *name, *description, *spec;
        const struct pxr_yaml *set, *vary;
        struct pxr_choice search;
        int64_t retries;
        struct pxr_budget budget;
};

static const struct pxr_option rows[] = {
        PXR_STRING(struct settings, name, NULL, "what the sweep is called in the database"),
        PXR_STRING(struct settings, description, PXR_UNSET, "for readers"),
        PXR_STRING(struct settings, spec, NULL, "the spec, relative to this file"),
        PXR_NODE(struct settings, set, "{}", "keys of the spec and their value in all runs"),
        PXR_NODE(struct settings, vary, NULL, "keys of the spec and the values to try"),
        PXR_CHOICE(struct settings, search, "grid", searches, "which combinations are tried"),
        PXR_INT(struct settings, retries, "1", 0, 100, "of a run that fails"),
        PXR_SECTION(struct settings, budget, &budget_options, "when to begin no more runs"),
        PXR_END,
};

static const char *check(const void *conf, const char **message)
{
        const struct settings *settings = conf;

        if (*settings->name && pxr_one_line(settings->name))
                return NULL;
        *message = *settings->name ? "has a control character or a line break" : "is empty";
        return "name";
}

static const struct pxr_options options = { .rows = rows,
                                            .size = sizeof(struct settings),
                                            .check = check };

/* --- keys and values ---------------------------------------------------------------------------
 */

/* "KEY=VALUE" for each key of a mapping, NULL after an error; places has room for as many. */
static const char **overrides_of(struct pxr_arena *arena, const struct pxr_yaml *mapping,
                                 struct pxr_override_place *places, struct pxr_diag *diag)
{
        const char **list = pxr_alloc_array(arena, (size_t)mapping->count + 1, sizeof(*list));
        int count = 0;

        for (const struct pxr_yaml *child = mapping->first; list && places && child;
             child = child->next) {
                char *value = pxr_yaml_emit_line(arena, child, diag);

                if (!value)
                        return NULL;
                places[count] = (struct pxr_override_place) { child->key_mark, child };
                list[count] = pxr_strf(arena, "%s=%s", child->key, value);
                if (!list[count++]) {
                        list = NULL;
                        break;
                }
        }
        if (!list || !places)
                pxr_out_of_memory(diag);
        return places ? list : NULL;
}

static int read_value(struct pxr_arena *arena, const struct pxr_factor *factor,
                      const struct pxr_yaml *value, struct pxr_level *level, struct pxr_diag *diag)
{
        const char **override = pxr_alloc_array(arena, 1, sizeof(*override));
        struct pxr_override_place *place = pxr_alloc(arena, sizeof(*place));

        level->words = pxr_yaml_emit_line(arena, value, diag);
        if (!level->words)
                return -1;
        level->json = pxr_yaml_json(arena, value);
        if (!override || !place || !level->json ||
            !(override[0] = pxr_strf(arena, "%s=%s", factor->name, level->words)))
                return pxr_out_of_memory(diag);
        *place = (struct pxr_override_place) { factor->mark, value };
        level->overrides = override;
        level->places = place;
        level->count = 1;
        return 0;
}

static int read_case(struct pxr_arena *arena, const struct pxr_yaml *node, struct pxr_level *level,
                     struct pxr_diag *diag)
{
        struct pxr_override_place *places =
                pxr_alloc_array(arena, (size_t)node->count + 1, sizeof(*places));

        if (node->kind != PXR_YAML_MAPPING || !node->first)
                return pxr_error_at(diag, node->mark,
                                    "case '%s' wants a mapping of the keys it sets", node->key);
        level->words = node->key;
        level->json = pxr_json_word(arena, node->key); /* cases can be told by numbers */
        level->overrides = overrides_of(arena, node, places, diag);
        level->places = places;
        level->count = node->count;
        return level->json && level->overrides ? 0 : -1;
}

/* The children of a list of values, or of a mapping of cases. */
static int read_levels(struct pxr_arena *arena, struct pxr_factor *factor,
                       const struct pxr_yaml *node, struct pxr_diag *diag)
{
        bool cases = node->kind == PXR_YAML_MAPPING;
        int status = 0;

        if (!node->first)
                return pxr_error_at(diag, node->mark, "'%s' has no value to try", factor->name);
        factor->level = pxr_alloc_array(arena, (size_t)node->count, sizeof(*factor->level));
        if (!factor->level)
                return pxr_out_of_memory(diag);
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
        const char *wanted = factor->range == PXR_INTEGER ? "an integer" : "a number";
        bool number = node->kind == PXR_YAML_SCALAR && !node->quoted &&
                      pxr_parse_real(node->text, bound) == PXR_NUMBER;

        if (!number || (factor->range == PXR_INTEGER &&
                        (floor(*bound) != *bound || fabs(*bound) > 2147483647)))
                return pxr_error_at(diag, node->mark, "a bound of '%s' must be %s", factor->name,
                                    wanted);
        if (factor->range == PXR_LOG_UNIFORM && *bound <= 0)
                return pxr_error_at(diag, node->mark, "a bound of log_uniform must be above 0");
        return 0;
}

static int read_range(struct pxr_factor *factor, const struct pxr_yaml *node, struct pxr_diag *diag)
{
        if (node->kind != PXR_YAML_SEQUENCE || node->count != 2)
                return pxr_error_at(diag, node->mark, "%s wants two bounds: [LOWEST, HIGHEST]",
                                    node->key);
        if (read_bound(factor, node->first, &factor->low, diag) ||
            read_bound(factor, node->last, &factor->high, diag))
                return -1;
        factor->bounds = node;
        if (factor->low >= factor->high)
                return pxr_error_at(diag, node->mark, "the lower bound comes first");
        return 0;
}

/* {uniform: [LOW, HIGH]}, ..., {cases: {...}} */
static int read_spread(struct pxr_arena *arena, struct pxr_factor *factor,
                       const struct pxr_yaml *node, struct pxr_diag *diag)
{
        const struct pxr_yaml *only = node->first;
        int range = 0;

        if (node->kind != PXR_YAML_MAPPING || node->count != 1) {
                pxr_error_at(diag, node->mark, "'%s' wants a list of values, or a range",
                             factor->name);
                pxr_note(diag, "a range is {uniform: [LOW, HIGH]}, {log_uniform: [LOW, HIGH]} or "
                               "{integer: [LOW, HIGH]}; {cases: {NAME: {KEY: VALUE}}} sets several "
                               "keys at once");
                return -1;
        }
        while (range < RANGES && strcmp(range_names[range], only->key) != 0)
                range++;
        if (range == RANGES) {
                const char *nearest = pxr_nearest(only->key, range_names, RANGES);

                pxr_error_at(diag, only->key_mark, "there is no range '%s'", only->key);
                pxr_hint(diag,
                         nearest ? "did you mean '%s'?"
                                 : "there are uniform, log_uniform, "
                                   "integer and cases",
                         nearest);
                return -1;
        }
        factor->range = (enum pxr_range)range;
        if (range != PXR_LEVELS)
                return read_range(factor, only, diag);
        if (only->kind != PXR_YAML_MAPPING)
                return pxr_error_at(diag, only->mark, "cases wants a mapping NAME: {KEY: VALUE}");
        return read_levels(arena, factor, only, diag);
}

/* --- what varies -------------------------------------------------------------------------------
 */

static int read_factors(struct pxr_sweep *sweep, const struct pxr_yaml *vary, struct pxr_diag *diag)
{
        int status = 0;

        if (vary->kind != PXR_YAML_MAPPING || !vary->first)
                return pxr_error_at(diag, vary->mark,
                                    "vary wants a mapping of keys and the values to try");
        sweep->factor = pxr_alloc_array(sweep->arena, (size_t)vary->count, sizeof(*sweep->factor));
        if (!sweep->factor)
                return pxr_out_of_memory(diag);
        for (const struct pxr_yaml *node = vary->first; node; node = node->next) {
                struct pxr_factor *factor = &sweep->factor[sweep->factors++];

                factor->name = node->key;
                factor->mark = node->key_mark;
                if (node->kind == PXR_YAML_SEQUENCE ? read_levels(sweep->arena, factor, node, diag)
                                                    : read_spread(sweep->arena, factor, node, diag))
                        status = -1;
        }
        return status;
}

/* Does a name end in ".tail", or is it the tail? */
static bool ends_in(const char *name, const char *tail)
{
        size_t length = strlen(name), end = strlen(tail);

        return length >= end && strcmp(name + length - end, tail) == 0 &&
               (length == end || name[length - end - 1] == '.');
}

static bool tells_apart(const struct pxr_sweep *sweep, const struct pxr_factor *factor,
                        const char *tail)
{
        if (isdigit((unsigned char)*tail)) /* the number of an item says nothing */
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
                const char *name = factor->name, *tail = name + strlen(name);

                factor->short_name = name;
                while (tail > name) {
                        if (*--tail == '.' && tells_apart(sweep, factor, tail + 1)) {
                                factor->short_name = tail + 1;
                                break;
                        }
                }
        }
}

/* --- the search --------------------------------------------------------------------------------
 */

static int too_many(const struct pxr_sweep *sweep, struct pxr_diag *diag)
{
        return pxr_user_error(diag,
                              "%s: these are more than %d combinations; search: random tries "
                              "some of them",
                              sweep->path, PXR_SWEEP_MOST);
}

static int read_grid(struct pxr_sweep *sweep, struct pxr_diag *diag)
{
        sweep->configurations = 1;
        for (int i = 0; i < sweep->factors; i++) {
                const struct pxr_factor *factor = &sweep->factor[i];

                if (factor->range != PXR_LEVELS)
                        return pxr_error_at(diag, factor->mark,
                                            "a grid wants a list of values for '%s'; ranges are "
                                            "for search: random and halving",
                                            factor->name);
                if (factor->levels > PXR_SWEEP_MOST / sweep->configurations)
                        return too_many(sweep, diag);
                sweep->configurations *= factor->levels;
        }
        return 0;
}

static int read_search(struct pxr_sweep *sweep, const struct pxr_choice *choice,
                       struct pxr_diag *diag)
{
        const struct drawn *drawn = choice->conf;

        sweep->search = (enum pxr_search)(choice->variant - searches);
        sweep->rungs = 1;
        if (sweep->search == PXR_GRID)
                return read_grid(sweep, diag);
        sweep->configurations = (int)drawn->runs;
        sweep->seed = drawn->seed;
        sweep->halving = drawn->factor;
        sweep->first_epochs = drawn->epochs;
        for (int i = 0; i < sweep->factors && sweep->search == PXR_HALVING; i++)
                if (strcmp(sweep->factor[i].name, "train.epochs") == 0)
                        return pxr_error_at(diag, sweep->factor[i].mark,
                                            "halving sets train.epochs itself: it cannot vary");
        return 0;
}

/* --- the whole ---------------------------------------------------------------------------------
 */

/* What all runs are set to: by the file, then by the command line. */
static int read_fixed(struct pxr_sweep *sweep, const struct pxr_yaml *set,
                      const char *const *overrides, size_t count, struct pxr_diag *diag)
{
        size_t most = (size_t)set->count + count + 1;
        struct pxr_override_place *places = pxr_alloc_array(sweep->arena, most, sizeof(*places));
        const char **own, **all;

        if (set->kind != PXR_YAML_MAPPING)
                return pxr_error_at(diag, set->mark, "set wants a mapping of keys and values");
        own = overrides_of(sweep->arena, set, places, diag);
        if (!own)
                return -1;
        all = pxr_alloc_array(sweep->arena, most, sizeof(*all));
        if (!all)
                return pxr_out_of_memory(diag);
        for (int i = 0; i < set->count; i++)
                all[i] = own[i];
        for (size_t i = 0; i < count; i++)
                all[(size_t)set->count + i] = overrides[i];
        sweep->fixed = all;
        sweep->fixed_places = places; /* none of those of the command line: zero */
        sweep->fixed_count = set->count + (int)count;
        return 0;
}

/* Does an override "KEY=VALUE" replace all that is set at `key`, or below it? */
static bool replaces(const char *override, const char *key)
{
        size_t length = strcspn(override, "=");

        return strncmp(override, key, length) == 0 && strchr("=.", key[length]);
}

/* Has a factor another value for `key` in every run? A case that has none leaves the one that is
 * set. */
static bool always_replaces(const struct pxr_factor *factor, const char *key)
{
        for (int i = 0; i < factor->levels; i++) {
                const struct pxr_level *level = &factor->level[i];
                int k = 0;

                while (k < level->count && !replaces(level->overrides[k], key))
                        k++;
                if (k == level->count)
                        return false;
        }
        return factor->levels > 0 || replaces(factor->name, key);
}

/* What is set for all runs is so in some of them. */
static int check_fixed(const struct pxr_sweep *sweep, struct pxr_diag *diag)
{
        static const char varies[] = "'%.*s' varies: it cannot be set for all runs";
        int status = 0;

        for (int i = 0; i < sweep->fixed_count; i++) {
                const char *key = sweep->fixed[i];
                const struct pxr_location *place = &sweep->fixed_places[i].key;

                for (int k = 0; k < sweep->factors; k++) {
                        const char *name = sweep->factor[k].name;

                        if (!always_replaces(&sweep->factor[k], key))
                                continue;
                        status = place->source ? pxr_error_at(diag, *place, varies,
                                                              (int)strcspn(key, "="), key)
                                               : pxr_user_error(diag, varies,
                                                                (int)strcspn(key, "="), key);
                        pxr_note(diag, "its values are those of '%s', below vary", name);
                }
        }
        return status;
}

/* A spec is told by one error instead of one for each of its keys. */
static int check_no_spec(const struct pxr_yaml *root, const char *path, struct pxr_diag *diag)
{
        const struct pxr_yaml *model = pxr_yaml_get(root, "model");

        if (!model || pxr_yaml_get(root, "vary"))
                return 0;
        pxr_error_at(diag, model->key_mark, "this is a spec, not a sweep");
        pxr_hint(diag,
                 "run it with 'pxr-run %s', or name it as 'spec' in a file that says what varies",
                 path);
        return -1;
}

/* A path relative to the sweep's file, as seen from here. */
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
        struct pxr_yaml *root = sweep ? pxr_spec_load(arena, path, NULL, 0, diag) : NULL;
        struct settings settings = { 0 };
        struct pxr_reading reading = { &options, &settings };

        if (!sweep)
                pxr_out_of_memory(diag);
        if (!root || check_no_spec(root, path, diag) ||
            pxr_options_read(arena, root, "sweep", &reading, 1, diag))
                return NULL;
        *sweep = (struct pxr_sweep) { .arena = arena,
                                      .path = path,
                                      .name = settings.name,
                                      .description = settings.description,
                                      .retries = settings.retries,
                                      .budget = settings.budget,
                                      .definition = pxr_yaml_emit(arena, root, diag) };
        sweep->spec = beside(sweep, settings.spec);
        if (!sweep->spec)
                pxr_out_of_memory(diag);
        if (!sweep->spec || !sweep->definition ||
            read_fixed(sweep, settings.set, overrides, count, diag) ||
            read_factors(sweep, settings.vary, diag) || check_fixed(sweep, diag) ||
            read_search(sweep, &settings.search, diag))
                return NULL;
        shorten_names(sweep);
        return sweep;
}
