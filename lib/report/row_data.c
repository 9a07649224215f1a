/* SPDX-License-Identifier: MIT */
/*
 * row_data.c - identity by hash: official files, or the identity of the whole set.
 *
 * Neither the name of a set nor the number of its images proves anything: a part of CIFAR-10 under
 * the names of its files is another set, and the same images are the same in any format.
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

/* A file that was read, wherever it lay. */
struct file {
        const char *sha256;
        struct file *next;
};

static int read_files(struct pxr_arena *arena, struct pxr_store *store, int64_t run,
                      struct file **list, struct pxr_diag *diag)
{
        struct pxr_cursor rows = pxr_query(store, arena, diag,
                                           "SELECT sha256 FROM data_file WHERE run = ?", "i", run);

        while (pxr_cursor_next(&rows)) {
                struct file *file = pxr_alloc(arena, sizeof(*file));

                if (!file)
                        break;
                file->sha256 = pxr_cursor_text(&rows, 0);
                file->next = *list;
                *list = file;
        }
        return pxr_cursor_end(&rows);
}

/* Are the files read all of the list, and no others? */
static bool are_files(const struct pxr_yaml *names, const char *set, const struct file *files)
{
        int read = 0;

        for (const struct file *file = files; file; file = file->next)
                read++;
        if (read != names->count)
                return false;
        for (const struct pxr_yaml *name = names->first; name; name = name->next) {
                const char *sha256 = official_sha256(set, name->text);
                const struct file *file = files;

                while (sha256 && file && strcmp(file->sha256, sha256) != 0)
                        file = file->next;
                if (!sha256 || !file)
                        return false;
        }
        return true;
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
        struct file *files = NULL;

        *reason = NULL;
        if (!known && strcmp(data->set, table->set) != 0)
                *reason = pxr_strf(arena, "its data set is %s, not %s", data->set, table->set);
        else if (!known && !is_listed(table->transforms, transforms, true))
                *reason = pxr_strf(arena, "its data are not the row's: %s", transforms);
        else if (table->images > 0 && data->images != table->images)
                *reason = pxr_strf(
                        arena, "its NLL is over %" PRId64 " images, where the split has %" PRId64,
                        data->images, table->images);
        else if (known)
                return 0;
        else if (read_files(arena, store, data->run, &files, diag))
                return -1;
        if (!*reason) {
                for (const struct pxr_yaml *list = row->files->first; list; list = list->next)
                        if (are_files(list, table->set, files))
                                return 0;
                *reason = pxr_strf(arena,
                                   "its data are not known, by their SHA-256, to be the "
                                   "whole of the official %s",
                                   table->set);
        }
        return *reason ? 0 : pxr_out_of_memory(diag);
}
