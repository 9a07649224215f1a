/* SPDX-License-Identifier: MIT */
/* show.c - all that is on record of one run: the reports of the folder show, and its curve. */
#include <inttypes.h>
#include <string.h>

#include "report/query_table.h"
#include "report/report_file.h"

/* In their order. The last two only where they are named. */
static const char *const names[] = { "facts", "results",    "chain",       "curve",   "layers",
                                     "files", "plugins",    "checkpoints", "samples", "events",
                                     "spec",  "difference", NULL };

static bool wanted(const char *part, const char *name)
{
        return part ? strcmp(part, name) == 0
                    : strcmp(name, "spec") != 0 && strcmp(name, "difference") != 0;
}

static struct pxr_table *part_table(struct pxr_arena *arena, struct pxr_store *store,
                                    const struct pxr_run *run, const char *name, bool all_steps,
                                    struct pxr_diag *diag)
{
        const char *number = pxr_strf(arena, "%" PRId64, run->id);
        const struct pxr_report_call call = { &number, 1, .programs = true };
        const struct pxr_report_file *file;

        if (strcmp(name, "curve") == 0)
                return pxr_curve_table(arena, store, &run, 1, all_steps, diag);
        file = pxr_report_file_find(arena, "show", name, NULL, diag);
        return file ? pxr_report_file_table(arena, store, file, &call, diag) : NULL;
}

struct pxr_table *pxr_report_show(struct pxr_arena *arena, struct pxr_store *store,
                                  const char *which, const char *part, bool all_steps,
                                  struct pxr_diag *diag)
{
        const struct pxr_run *run = pxr_check_part(part, names, diag)
                                            ? NULL
                                            : pxr_store_find_run(store, arena, which, diag);
        struct pxr_table_list list = { 0 };

        for (const char *const *name = names; run && *name; name++) {
                struct pxr_table *table;

                if (!wanted(part, *name))
                        continue;
                table = part_table(arena, store, run, *name, all_steps, diag);
                if (!table)
                        return NULL;
                if (table->rows > 0 || table->note || part)
                        pxr_table_append(&list, table);
        }
        return list.first;
}
