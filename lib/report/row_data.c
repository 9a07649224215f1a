/* SPDX-License-Identifier: MIT */
/*
 * row_data.c - data are recognized by hashes: of the official files, or of the whole set.
 *
 * The name of a set and its number of images prove nothing: a file named like one of CIFAR-10 may
 * hold other images. The same images in any format have the same identity.
 */
#include "report/row_data.h"

#include <fnmatch.h>
#include <inttypes.h>
#include <string.h>

#include "data/official.h"
#include "record/cursor.h"
#include "config/yaml.h"

static const char *official_sha256(const char *set, const char *name)
{
        const struct pxr_data_format *format =
                pxr_data_format_find(set, (struct pxr_location) { 0 }, NULL);
        const struct pxr_official_file *file = format ? pxr_official_file(format, name) : NULL;

        return file ? file->sha256 : NULL;
}

/* Whether a run read the official files of a list, and no others. Returns 0 or -1. */
static int are_files(struct pxr_store *store, int64_t run, const struct pxr_yaml *names,
                     const char *set, bool *are, struct pxr_diag *diag)
{
        int64_t files;

        if (pxr_store_integer(store, &files, diag, "SELECT count(*) FROM data_file WHERE run = ?",
                              "i", run))
                return -1;
        *are = files == names->count;
        for (const struct pxr_yaml *name = names->first; name && *are; name = name->next) {
                if (pxr_store_integer(store, &files, diag,
                                      "SELECT count(*) FROM data_file WHERE run = ? AND sha256 = ?",
                                      "it", run, official_sha256(set, name->text)))
                        return -1;
                *are = files > 0;
        }
        return 0;
}

static bool is_listed(const struct pxr_yaml *list, const char *text, bool pattern)
{
        for (const struct pxr_yaml *item = list->first; item; item = item->next)
                if (pattern ? fnmatch(item->text, text, 0) == 0 : strcmp(item->text, text) == 0)
                        return true;
        return false;
}

int pxr_row_data_misfit(struct pxr_arena *arena, struct pxr_store *store,
                        const struct pxr_paper_table *table, const struct pxr_paper_row *row,
                        const struct pxr_row_data *data, const char **reason, struct pxr_diag *diag)
{
        const char *transforms = data->transforms ? data->transforms : "";
        bool known = is_listed(row->identities, data->identity, false);

        *reason = NULL;
        if (!known && strcmp(data->set, table->set) != 0)
                *reason = pxr_strf(arena, "its data set is %s, not %s", data->set, table->set);
        else if (!known && !is_listed(table->transforms, transforms, true))
                *reason = pxr_strf(arena, "its data are not those of the row: %s", transforms);
        else if (table->images > 0 && data->images != table->images)
                *reason = pxr_strf(arena,
                                   "its NLL is over %" PRId64 " images; the split has %" PRId64,
                                   data->images, table->images);
        if (*reason)
                return 0;
        for (const struct pxr_yaml *list = row->files->first; list && !known; list = list->next)
                if (are_files(store, data->run, list, table->set, &known, diag))
                        return -1;
        if (!known)
                *reason = pxr_strf(arena,
                                   "its data are not, by their SHA-256, the whole of the "
                                   "official %s",
                                   table->set);
        return 0;
}
