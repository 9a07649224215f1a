/* SPDX-License-Identifier: MIT */
/* report_file.c - finding report files and reading their heads, which are YAML. */
#include "report/report_file.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/installed.h"
#include "base/installed_paths.h"
#include "config/options.h"

enum { MOST_BYTES = 1 << 20 };

/* --- the head ----------------------------------------------------------------------------------
 */

static const char *const formats[] = { "plain",   "nll",     "difference", "rounded", "epoch",
                                       "seconds", "percent", "bytes",      "short",   "lines",
                                       "keys",    "note",    "title",      NULL };
static const char *const shows[] = { "filled", "room", "always", "programs", "conditions", NULL };
static const char *const types[] = { "text", "number", "run", "sweep", NULL };

static const struct pxr_option column_rows[] = {
        PXR_STRING(struct pxr_report_item, heading, PXR_UNSET, "its heading; default: its name"),
        PXR_ENUM(struct pxr_report_item, format, "plain", formats, "what its values are"),
        PXR_ENUM(struct pxr_report_item, show, "filled", shows, "when people see it"),
        PXR_END,
};

static const struct pxr_options column_options = { .rows = column_rows,
                                                   .size = sizeof(struct pxr_report_item),
                                                   .main = "heading" };

static const struct pxr_option argument_rows[] = {
        PXR_ENUM(struct pxr_report_item, type, "text", types, "what it is"),
        { .name = "default",
          .help = "its value when it is not given; without: it is required",
          .type = PXR_TYPE_STRING,
          .offset = offsetof(struct pxr_report_item, initial),
          .initial = PXR_UNSET },
        PXR_STRING(struct pxr_report_item, help, PXR_UNSET, "what it is for"),
        PXR_END,
};

static const struct pxr_options argument_options = { .rows = argument_rows,
                                                     .size = sizeof(struct pxr_report_item),
                                                     .main = "type" };

static const struct pxr_option head_rows[] = {
        PXR_STRING(struct pxr_report_file, title, NULL, "one line, above the table"),
        PXR_STRING(struct pxr_report_file, description, PXR_UNSET, "what it shows"),
        PXR_STRING(struct pxr_report_file, advice, PXR_UNSET, "what to do about it"),
        PXR_STRING(struct pxr_report_file, empty, PXR_UNSET, "the note below a table of no rows"),
        PXR_NODE(struct pxr_report_file, arguments, "{}", "NAME: TYPE, in their order"),
        PXR_NODE(struct pxr_report_file, columns, "{}", "NAME: HEADING"),
        PXR_NODE(struct pxr_report_file, notes, "[]", "below the table"),
        PXR_END,
};

static const struct pxr_options head_options = { .rows = head_rows,
                                                 .size = sizeof(struct pxr_report_file) };

/* Read a mapping of items, {NAME: VALUE or {OPTIONS}}, in their order. */
static int read_items(struct pxr_arena *arena, const struct pxr_yaml *node, const char *what,
                      const struct pxr_options *options, struct pxr_report_item **end,
                      struct pxr_diag *diag)
{
        if (node->kind != PXR_YAML_MAPPING)
                return pxr_error_at(diag, node->location, "%s: expected a mapping, NAME: VALUE",
                                    what);
        for (struct pxr_yaml *child = node->first; child; child = child->next) {
                struct pxr_report_item *item = pxr_alloc(arena, sizeof(*item));
                struct pxr_reading reading = { options, item };

                if (!item || pxr_options_read(arena, child, child->key, &reading, 1, diag))
                        return -1;
                item->name = child->key;
                item->location = child->key_location;
                *end = item;
                end = &item->next;
        }
        return 0;
}

static int read_notes(const struct pxr_report_file *file, struct pxr_diag *diag)
{
        const struct pxr_yaml *list = file->notes, *wrong = list->first;

        while (wrong && wrong->kind == PXR_YAML_SCALAR)
                wrong = wrong->next;
        if (list->kind != PXR_YAML_SEQUENCE || wrong)
                return pxr_error_at(diag, wrong ? wrong->location : list->location,
                                    "notes: expected a list of texts");
        return 0;
}

/* The head: the text up to the end of the first comment, with its beginning blanked so that lines
 * and columns stay the same. NULL after an error. */
static const char *head_text(struct pxr_arena *arena, const struct pxr_report_file *file,
                             struct pxr_diag *diag)
{
        const struct pxr_location start = { &file->source, 1, 1, 0 };
        size_t begin = strspn(file->sql, " \t\r\n");
        const char *end = strncmp(file->sql + begin, "/*", 2) == 0
                                  ? strstr(file->sql + begin + 2, "*/")
                                  : NULL;
        char *head;

        if (!end) {
                pxr_error_at(diag, start,
                             "expected a head: a comment '/* ... */' with at least 'title: ...'");
                return NULL;
        }
        head = pxr_strndup(arena, file->sql, (size_t)(end - file->sql));
        if (*head)
                memset(head + begin, ' ', 2);
        return head;
}

/* Read the file of which the name and the path are known. Returns 0 or -1. */
static int read_file(struct pxr_arena *arena, struct pxr_report_file *file, struct pxr_diag *diag)
{
        struct pxr_source *head = pxr_alloc(arena, sizeof(*head));
        struct pxr_reading reading = { &head_options, file };
        struct pxr_yaml *root;
        uint8_t *bytes;
        size_t size;

        if (!head || !(bytes = pxr_file_read(arena, file->path, MOST_BYTES, &size, diag)))
                return -1;
        file->sql = pxr_strndup(arena, (const char *)bytes, size);
        file->source = (struct pxr_source) { file->path, file->sql, size };
        if (strlen(file->sql) < size)
                return pxr_user_error(diag, "%s: a report is text, and has no byte 0", file->path);
        head->name = file->path;
        if (!(head->text = head_text(arena, file, diag)))
                return -1;
        head->size = strlen(head->text);
        root = pxr_yaml_parse(arena, head, diag);
        if (!root || pxr_options_read(arena, root, "the head", &reading, 1, diag) ||
            read_items(arena, file->columns, "columns", &column_options, &file->column, diag) ||
            read_items(arena, file->arguments, "arguments", &argument_options, &file->argument,
                       diag) ||
            read_notes(file, diag))
                return -1;
        return 0;
}

/* --- the folders -------------------------------------------------------------------------------
 */

struct search {
        struct pxr_arena *arena;
        const char *folder;           /* below those that are searched */
        struct pxr_report_file *list; /* by name, not read yet */
        struct pxr_diag *diag;
};

static int add_file(struct search *search, const char *name, const char *path, bool shipped)
{
        struct pxr_report_file *file = pxr_alloc(search->arena, sizeof(*file));
        struct pxr_report_file **at = &search->list;

        if (!file)
                return -1;
        while (*at && strcmp((*at)->name, name) < 0)
                at = &(*at)->next;
        if (*at && strcmp((*at)->name, name) == 0)
                return pxr_user_error(search->diag, "%s: there is also %s: rename one of them",
                                      (*at)->path, path);
        *file = (struct pxr_report_file) {
                .name = name, .path = path, .shipped = shipped, .next = *at
        };
        *at = file;
        return 0;
}

static int search_folder(struct search *search, const char *top, bool shipped)
{
        const char *path =
                *search->folder ? pxr_strf(search->arena, "%s/%s", top, search->folder) : top;
        DIR *folder = opendir(path);
        int status = 0;

        if (!folder) {
                if (errno == ENOENT && !shipped && *search->folder)
                        return 0; /* optional in a user's folder */
                return pxr_file_error(path, "read", errno, search->diag);
        }
        for (const struct dirent *entry; !status && (entry = readdir(folder));) {
                const char *name = entry->d_name, *dot = strrchr(name, '.');

                if (*name != '.' && dot && strcmp(dot, ".sql") == 0)
                        status = add_file(search,
                                          pxr_strndup(search->arena, name, (size_t)(dot - name)),
                                          pxr_strf(search->arena, "%s/%s", path, name), shipped);
        }
        closedir(folder);
        return status;
}

/* Find the files of the folder that came with pxr and of those of $PXR_REPORT_PATH. */
static int search_all(struct search *search)
{
        const char *own = getenv("PXR_REPORT_PATH"), *folder;
        char *folders = pxr_strdup(search->arena, own ? own : "");

        if (search_folder(search, pxr_installed(search->arena, "reports", PXR_DATADIR "/reports"),
                          true))
                return -1;
        while ((folder = strsep(&folders, ":")))
                if (*folder && search_folder(search, folder, false))
                        return -1;
        return pxr_arena_failed(search->arena) ? -1 : 0;
}

int pxr_report_refuse(struct pxr_arena *arena, const char *const *subcommand, struct pxr_diag *diag)
{
        const char *own = getenv("PXR_REPORT_PATH"), *folder, *path;

        for (; own && *subcommand; subcommand++) {
                char *folders = pxr_strdup(arena, own);

                while ((folder = strsep(&folders, ":"))) {
                        path = pxr_strf(arena, "%s/%s.sql", folder, *subcommand);
                        if (*folder && access(path, F_OK) == 0)
                                return pxr_user_error(diag,
                                                      "%s: '%s' is a subcommand of pxr-report: "
                                                      "rename the file",
                                                      path, *subcommand);
                }
        }
        return pxr_arena_failed(arena) ? -1 : 0;
}

int pxr_report_files(struct pxr_arena *arena, const char *folder, struct pxr_report_file **list,
                     struct pxr_diag *diag)
{
        struct search search = { arena, folder, NULL, diag };

        if (search_all(&search))
                return -1;
        *list = search.list;
        while (*list)
                if (read_file(arena, *list, diag))
                        *list = (*list)->next;
                else
                        list = &(*list)->next;
        return 0;
}

struct pxr_report_file *pxr_report_file_find(struct pxr_arena *arena, const char *folder,
                                             const char *name, const char *const *others,
                                             struct pxr_diag *diag)
{
        struct search search = { arena, folder, NULL, diag };
        const char *names[256];
        size_t count = 0;

        if (search_all(&search))
                return NULL;
        for (struct pxr_report_file *file = search.list; file; file = file->next) {
                if (strcmp(file->name, name) == 0)
                        return read_file(arena, file, diag) ? NULL : file;
                if (count < PXR_COUNT(names))
                        names[count++] = file->name;
        }
        while (others && *others && count < PXR_COUNT(names))
                names[count++] = *others++;
        pxr_user_error(diag, "no report '%s' ('pxr-report list' lists them)", name);
        pxr_hint_nearest(diag, name, names, count);
        return NULL;
}

/* "RUN [LIMIT]": how a report is called. */
static const char *usage(struct pxr_arena *arena, const struct pxr_report_file *file)
{
        const char *text = file->name;

        for (const struct pxr_report_item *item = file->argument; item; item = item->next)
                text = pxr_strf(arena, item->initial ? "%s [%s]" : "%s %s", text, item->name);
        return text;
}

struct pxr_table *pxr_report_list(struct pxr_arena *arena, struct pxr_diag *diag)
{
        static const struct pxr_column columns[] = { { "report", "Report", PXR_ALWAYS },
                                                     { "title", "Title", PXR_ALWAYS },
                                                     { "description", "", PXR_TO_PROGRAMS },
                                                     { "file", "File", PXR_IF_ROOM } };
        struct pxr_table *table =
                pxr_table_new(arena, "list", "Reports", columns, PXR_COUNT(columns));
        struct pxr_report_file *list;

        if (!table || pxr_report_files(arena, "", &list, diag))
                return NULL;
        for (; list; list = list->next) {
                struct pxr_cell *cell = pxr_table_row(table);

                cell[0] = pxr_text_cell(table, usage(arena, list));
                cell[1] = pxr_text_cell(table, list->title);
                cell[2] = pxr_text_cell(table, list->description);
                cell[3] = pxr_text_cell(table, list->path);
        }
        pxr_table_note(table, NULL,
                       "pxr-report --help describes the other reports: table2 to table6, "
                       "show, compare, sweep, doctor, html, serve and watch.");
        return pxr_table_finish(table, diag) ? NULL : table;
}
