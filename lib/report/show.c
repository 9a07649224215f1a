/* SPDX-License-Identifier: MIT */
/* show.c - reports of several tables, each a report file: show, sweep, and compare.c's. */
#include <inttypes.h>
#include <string.h>

#include "report/report.h"
#include "report/report_file.h"

static int check_part(const struct pxr_report_part *part, const char *wanted, struct pxr_diag *diag)
{
        const char *names[16];
        size_t count = 0;

        for (; part->name; part++) {
                if (!wanted || strcmp(part->name, wanted) == 0)
                        return 0;
                names[count++] = part->name;
        }
        pxr_user_error(diag, "unknown part '%s'", wanted);
        pxr_hint_nearest(diag, wanted, names, count);
        for (size_t i = 0; i < count; i++)
                pxr_note(diag, "a part is '%s'", names[i]);
        return -1;
}

struct pxr_table *pxr_report_parts(struct pxr_arena *arena, struct pxr_store *store,
                                   const struct pxr_report_part *part, const char *const *argument,
                                   const char *wanted, struct pxr_diag *diag)
{
        struct pxr_table *list = NULL, **end = &list;

        if (check_part(part, wanted, diag))
                return NULL;
        for (; part->name; part++) {
                const struct pxr_report_call call = { argument,
                                                      part->arguments ? part->arguments : 1,
                                                      .programs = true };

                if (wanted ? strcmp(wanted, part->name) != 0 : part->hidden)
                        continue;
                *end = pxr_report_by_name(arena, store, part->folder,
                                          part->file ? part->file : part->name, &call, diag);
                if (!*end)
                        return NULL;
                (*end)->name = part->name;
                if ((*end)->rows > 0 || (*end)->note || wanted)
                        end = &(*end)->next;
        }
        *end = NULL;
        return list;
}

struct pxr_table *pxr_report_show(struct pxr_arena *arena, struct pxr_store *store,
                                  const char *which, const char *wanted, bool all_steps,
                                  struct pxr_diag *diag)
{
        const struct pxr_run *run = pxr_store_find_run(store, arena, which, diag);
        const char *number = run ? pxr_strf(arena, "%" PRId64, run->id) : NULL;
        const struct pxr_report_part parts[] = { PXR_SHOW_PARTS(PXR_PART) { 0 } };

        return run ? pxr_report_parts(arena, store, parts, &number, wanted, diag) : NULL;
}

struct pxr_table *pxr_report_sweep(struct pxr_arena *arena, struct pxr_store *store,
                                   const char *name, const char *wanted, struct pxr_diag *diag)
{
        static const struct pxr_report_part parts[] = { PXR_SWEEP_PARTS(PXR_PART) { 0 } };
        const char *const arguments[] = { name, "5" };

        return pxr_report_parts(arena, store, parts, arguments, wanted, diag);
}
