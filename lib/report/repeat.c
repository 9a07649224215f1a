/* SPDX-License-Identifier: MIT */
/* repeat.c - is a run the same as the one that it repeats, to the bit? */
#include <inttypes.h>
#include <string.h>

#include "report/report.h"
#include "report/report_file.h"

static const char *verdict_text(struct pxr_arena *arena, const struct pxr_run *old,
                                const char *same, const char *differs)
{
        bool whole = strcmp(old->status, "finished") == 0;

        if (differs)
                return pxr_strf(arena, "differs from run %" PRId64 ": %s%s%s", old->id, differs,
                                same ? "; the same are: " : "", same ? same : "");
        if (same)
                return pxr_strf(arena, "the same to the bit as run %" PRId64 "%s: %s", old->id,
                                whole ? "" : ", as far as that got", same);
        return pxr_strf(arena, "run %" PRId64 " has no result to compare with: it is '%s'", old->id,
                        old->status);
}

int pxr_report_repetition(struct pxr_arena *arena, struct pxr_store *store, const char *which,
                          const char *of, struct pxr_repetition *verdict, struct pxr_diag *diag)
{
        const struct pxr_run *old = pxr_store_find_run(store, arena, of, diag);
        const char *const runs[] = { of, which };
        const struct pxr_report_call call = { runs, 2, .programs = true };
        const struct pxr_table *table =
                old ? pxr_report_by_name(arena, store, "compare", "repetition", &call, diag) : NULL;
        const char *same, *differs;

        if (!table)
                return -1;
        same = table->cell[0].text;
        differs = table->cell[1].text;
        *verdict = (struct pxr_repetition) { .of = old->id,
                                             .same = same && !differs,
                                             .text = verdict_text(arena, old, same, differs) };
        if (differs)
                verdict->circumstances =
                        pxr_report_compare(arena, store, runs, 2, "circumstances", false, diag);
        return pxr_arena_failed(arena) || (differs && !verdict->circumstances) ? -1 : 0;
}
