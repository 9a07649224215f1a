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

enum { MOST_BYTES = 1 << 20, MOST_REPORTS = 1000 };

static const char suffix[] = ".sql";

/* --- the head ----------------------------------------------------------------------------------
 */

static const char *const formats[] = { "plain",   "nll",   "difference", "epoch", "seconds",
                                       "percent", "bytes", "short",      "lines", "keys",
                                       "note",    "title", NULL };
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

/* The mapping {MAIN: VALUE} that NAME: VALUE is short for. NULL when out of memory. */
static struct pxr_yaml *spelt_out(struct pxr_arena *arena, const struct pxr_yaml *scalar,
                                  const char *main)
{
        struct pxr_yaml *conf = pxr_alloc(arena, sizeof(*conf));
        struct pxr_yaml *value = pxr_alloc(arena, sizeof(*value));

        if (!conf || !value)
                return NULL;
        *value = *scalar;
        value->key = main;
        value->parent = conf;
        value->next = NULL;
        *conf = (struct pxr_yaml) { .kind = PXR_YAML_MAPPING,
                                    .location = scalar->location,
                                    .first = value,
                                    .last = value,
                                    .count = 1 };
        return conf;
}

/* Read a mapping of items, {NAME: VALUE or {OPTIONS}}, in their order. */
static int read_items(struct pxr_arena *arena, const struct pxr_yaml *node, const char *what,
                      const struct pxr_options *options, struct pxr_report_item **end,
                      struct pxr_diag *diag)
{
        if (node->kind != PXR_YAML_MAPPING)
                return pxr_error_at(diag, node->location, "%s: expected a mapping, NAME: VALUE",
                                    what);
        for (struct pxr_yaml *child = node->first; child; child = child->next) {
                struct pxr_yaml *conf = child->kind == PXR_YAML_SCALAR
                                                ? spelt_out(arena, child, options->main)
                                                : child;
                struct pxr_report_item *item = pxr_alloc(arena, sizeof(*item));
                struct pxr_reading reading = { options, item };

                if (!conf || !item || pxr_options_read(arena, conf, child->key, &reading, 1, diag))
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
        if (file->notes->kind != PXR_YAML_SEQUENCE)
                return pxr_error_at(diag, file->notes->location, "notes: expected a list of texts");
        for (const struct pxr_yaml *note = file->notes->first; note; note = note->next)
                if (note->kind != PXR_YAML_SCALAR)
                        return pxr_error_at(diag, note->location,
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

static struct pxr_report_file *read_file(struct pxr_arena *arena, const char *path,
                                         const char *name, struct pxr_diag *diag)
{
        struct pxr_report_file *file = pxr_alloc(arena, sizeof(*file));
        struct pxr_source *head = pxr_alloc(arena, sizeof(*head));
        struct pxr_reading reading = { &head_options, file };
        struct pxr_yaml *root;
        uint8_t *bytes;
        size_t size;

        if (!file || !head || !(bytes = pxr_file_read(arena, path, MOST_BYTES, &size, diag)))
                return NULL;
        file->name = name;
        file->path = path;
        file->sql = pxr_strndup(arena, (const char *)bytes, size);
        file->source = (struct pxr_source) { path, file->sql, size };
        if (strlen(file->sql) < size) {
                pxr_user_error(diag, "%s: a report is text, and has no byte 0", path);
                return NULL;
        }
        head->name = path;
        if (!(head->text = head_text(arena, file, diag)))
                return NULL;
        head->size = strlen(head->text);
        root = pxr_yaml_parse(arena, head, diag);
        if (!root || pxr_options_read(arena, root, "the head", &reading, 1, diag) ||
            read_items(arena, file->columns, "columns", &column_options, &file->column, diag) ||
            read_items(arena, file->arguments, "arguments", &argument_options, &file->argument,
                       diag) ||
            read_notes(file, diag))
                return NULL;
        return file;
}

/* --- the folders -------------------------------------------------------------------------------
 */

/* Where a report may be. */
struct found {
        const char *name, *path;
        bool shipped;
};

struct search {
        struct pxr_arena *arena;
        const char *folder; /* below those that are searched */
        struct found found[MOST_REPORTS];
        size_t count;
        struct pxr_diag *diag;
};

static int by_name(const void *left, const void *right)
{
        const struct found *a = left, *b = right;

        return strcmp(a->name, b->name);
}

static int search_folder(struct search *search, const char *top, bool shipped)
{
        const char *path =
                *search->folder ? pxr_strf(search->arena, "%s/%s", top, search->folder) : top;
        DIR *folder = opendir(path);

        if (!folder) {
                if (errno == ENOENT && !shipped && *search->folder)
                        return 0; /* optional in a user's folder */
                return pxr_file_error(path, "read", errno, search->diag);
        }
        for (const struct dirent *entry; (entry = readdir(folder));) {
                size_t length = strlen(entry->d_name);

                if (*entry->d_name == '.' || length < sizeof(suffix) ||
                    strcmp(entry->d_name + length - strlen(suffix), suffix) != 0 ||
                    search->count == MOST_REPORTS)
                        continue;
                search->found[search->count++] = (struct found) {
                        pxr_strndup(search->arena, entry->d_name, length - strlen(suffix)),
                        pxr_strf(search->arena, "%s/%s", path, entry->d_name), shipped
                };
        }
        closedir(folder);
        return 0;
}

static int search_all(struct search *search)
{
        const char *own = getenv("PXR_REPORT_PATH");

        if (search_folder(search, pxr_installed(search->arena, "reports", PXR_DATADIR "/reports"),
                          true))
                return -1;
        while (own && *own) {
                size_t length = strcspn(own, ":");

                if (length > 0 &&
                    search_folder(search, pxr_strndup(search->arena, own, length), false))
                        return -1;
                own += length + (own[length] == ':');
        }
        qsort(search->found, search->count, sizeof(search->found[0]), by_name);
        for (size_t i = 1; i < search->count; i++) {
                const struct found *a = &search->found[i - 1], *b = a + 1;

                if (strcmp(a->name, b->name) == 0)
                        return pxr_user_error(search->diag,
                                              "%s: there is also %s: rename one of them", a->path,
                                              b->path);
        }
        return pxr_arena_failed(search->arena) ? -1 : 0;
}

static struct search *new_search(struct pxr_arena *arena, const char *folder, struct pxr_diag *diag)
{
        struct search *search = pxr_alloc(arena, sizeof(*search));

        if (!search)
                return NULL;
        search->arena = arena;
        search->folder = folder;
        search->diag = diag;
        return search_all(search) ? NULL : search;
}

static struct pxr_report_file *read_found(struct search *search, size_t i)
{
        const struct found *found = &search->found[i];
        struct pxr_report_file *file =
                read_file(search->arena, found->path, found->name, search->diag);

        if (file)
                file->shipped = found->shipped;
        return file;
}

int pxr_report_files(struct pxr_arena *arena, const char *folder, struct pxr_report_file **list,
                     struct pxr_diag *diag)
{
        struct search *search = new_search(arena, folder, diag);

        *list = NULL;
        for (size_t i = 0; search && i < search->count; i++)
                if ((*list = read_found(search, i)))
                        list = &(*list)->next;
        return search ? 0 : -1;
}

struct pxr_report_file *pxr_report_file_find(struct pxr_arena *arena, const char *folder,
                                             const char *name, const char *const *others,
                                             struct pxr_diag *diag)
{
        struct search *search = new_search(arena, folder, diag);
        const char *names[2 * MOST_REPORTS];
        size_t count = 0;

        for (; search && count < search->count; count++) {
                names[count] = search->found[count].name;
                if (strcmp(names[count], name) == 0)
                        return read_found(search, count);
        }
        if (!search)
                return NULL;
        while (others && *others && count < 2 * MOST_REPORTS)
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
                       "show, compare, sweep, doctor and html.");
        return pxr_table_finish(table, diag) ? NULL : table;
}
