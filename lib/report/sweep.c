/* SPDX-License-Identifier: MIT */
/* sweep.c - a sweep: its jobs, the best of them, and the effects of its keys (reports/sweep). */
#include <string.h>

#include "report/query_table.h"
#include "report/report_file.h"

struct pxr_table *pxr_report_sweep(struct pxr_arena *arena, struct pxr_store *store,
                                   const char *name, const char *part, struct pxr_diag *diag)
{
        static const char *const names[] = { "jobs", "best", "effects", NULL };
        static const char *const files[] = { "jobs", "jobs", "effects" };
        const char *words[] = { name, "5" };
        struct pxr_table_list tables = { 0 };

        if (pxr_check_part(part, names, diag))
                return NULL;
        for (int i = 0; names[i]; i++) {
                const struct pxr_report_call call = { words, i == 1 ? 2 : 1, .programs = true };
                const struct pxr_report_file *file;
                struct pxr_table *table;

                if (part && strcmp(part, names[i]) != 0)
                        continue;
                file = pxr_report_file_find(arena, "sweep", files[i], NULL, diag);
                table = file ? pxr_report_file_table(arena, store, file, &call, diag) : NULL;
                if (pxr_table_append(&tables, table))
                        return NULL;
                table->name = names[i];
        }
        return tables.first;
}
