/* SPDX-License-Identifier: MIT */
/* paper.c - the option tables of reports/paper.yaml. */
#include "report/paper.h"

#include <string.h>
#include <unistd.h>

#include "base/installed.h"
#include "base/installed_paths.h"
#include "data/data.h"
#include "config/options.h"

static const char *const relations[] = { "exactly", "about", "at_most", NULL };
static const char *const units[] = { "nats", "bits", NULL };

static const struct pxr_option row_options[] = {
        PXR_STRING(struct pxr_paper_row, row, NULL, "its name, as the paper has it"),
        PXR_STRING(struct pxr_paper_row, source, PXR_UNSET, "where the paper has it from"),
        PXR_REAL(struct pxr_paper_row, value, NULL, 0, 1e9, "the NLL, in the table's unit"),
        PXR_REAL(struct pxr_paper_row, train_value, "0", 0, 1e9, "on the training split; 0: none"),
        PXR_ENUM(struct pxr_paper_row, relation, "exactly", relations, "of the NLL to the value"),
        PXR_NODE(struct pxr_paper_row, files, "[]", "where they are not the table's"),
        PXR_NODE(struct pxr_paper_row, identities, "[]", "where they are not the table's"),
        PXR_NODE(struct pxr_paper_row, needs, "[]", "layers the model must have"),
        PXR_NODE(struct pxr_paper_row, excludes, "[]", "layers it must not have"),
        PXR_NODE(struct pxr_paper_row, train, "{}", "what the paper says of its training"),
        PXR_NODE(struct pxr_paper_row, model, "[]", "what the paper says of its layers"),
        PXR_END,
};

static const struct pxr_options row_table = { .rows = row_options,
                                              .size = sizeof(struct pxr_paper_row) };

static const struct pxr_option table_options[] = {
        PXR_INT(struct pxr_paper_table, table, NULL, 1, 99, "its number"),
        PXR_STRING(struct pxr_paper_table, title, NULL, "for readers"),
        PXR_ENUM(struct pxr_paper_table, unit, NULL, units, "nats an image, or bits a dimension"),
        PXR_ENUM(struct pxr_paper_table, split, NULL, pxr_split_names, "that the NLLs are of"),
        PXR_INT(struct pxr_paper_table, images, "0", 0, 1e12, "in that split; 0: any number"),
        PXR_STRING(struct pxr_paper_table, set, NULL, "the data set"),
        PXR_NODE(struct pxr_paper_table, files, "[]", "lists of official files"),
        PXR_NODE(struct pxr_paper_table, identities, "[]", "of the data, as pxr-data info has it"),
        PXR_NODE(struct pxr_paper_table, data, "{}", "what the paper says of their settings"),
        PXR_NODE(struct pxr_paper_table, transforms, "[]", "that are allowed"),
        PXR_NODE(struct pxr_paper_table, rows, NULL, "the rows"),
        PXR_END,
};

static const struct pxr_options table_table = { .rows = table_options,
                                                .size = sizeof(struct pxr_paper_table) };

static const struct pxr_option file_options[] = {
        { .name = "tables", .help = "the tables", .type = PXR_TYPE_NODE },
        PXR_END,
};

static const struct pxr_options file_table = { .rows = file_options,
                                               .size = sizeof(const struct pxr_yaml *) };

static int want_list(const struct pxr_yaml *node, const char *what, struct pxr_diag *diag)
{
        if (node->kind == PXR_YAML_SEQUENCE)
                return 0;
        return pxr_error_at(diag, node->mark, "%s wants a list", what);
}

static int want_names(const struct pxr_yaml *node, const char *what, struct pxr_diag *diag)
{
        if (want_list(node, what, diag))
                return -1;
        for (const struct pxr_yaml *item = node->first; item; item = item->next)
                if (item->kind != PXR_YAML_SCALAR)
                        return pxr_error_at(diag, item->mark, "%s wants a list of names", what);
        return 0;
}

static int want_files(const struct pxr_yaml *node, struct pxr_diag *diag)
{
        if (want_list(node, "files", diag))
                return -1;
        for (const struct pxr_yaml *item = node->first; item; item = item->next)
                if (want_names(item, "a list of files", diag))
                        return -1;
        return 0;
}

static struct pxr_paper_row *read_row(struct pxr_arena *arena, struct pxr_yaml *node,
                                      struct pxr_diag *diag)
{
        struct pxr_paper_row *row = pxr_alloc(arena, sizeof(*row));
        struct pxr_reading reading = { &row_table, row };

        if (!row) {
                pxr_out_of_memory(diag);
                return NULL;
        }
        if (pxr_options_read(arena, node, "row", &reading, 1, diag) ||
            want_files(row->files, diag) || want_names(row->identities, "identities", diag) ||
            want_names(row->needs, "needs", diag) || want_names(row->excludes, "excludes", diag) ||
            want_list(row->model, "model", diag))
                return NULL;
        return row;
}

static struct pxr_paper_table *read_table(struct pxr_arena *arena, struct pxr_yaml *node,
                                          struct pxr_diag *diag)
{
        struct pxr_paper_table *table = pxr_alloc(arena, sizeof(*table));
        struct pxr_reading reading = { &table_table, table };
        struct pxr_paper_row **end;

        if (!table) {
                pxr_out_of_memory(diag);
                return NULL;
        }
        end = &table->row;
        if (pxr_options_read(arena, node, "table", &reading, 1, diag) ||
            want_files(table->files, diag) || want_names(table->identities, "identities", diag) ||
            want_names(table->transforms, "transforms", diag) ||
            want_list(table->rows, "rows", diag))
                return NULL;
        for (struct pxr_yaml *item = table->rows->first; item; item = item->next) {
                if (!(*end = read_row(arena, item, diag)))
                        return NULL;
                if (pxr_paper_row(table, (*end)->row) != *end) {
                        pxr_error_at(diag, item->mark, "a second row '%s'", (*end)->row);
                        return NULL;
                }
                (*end)->data = table->data;
                if (!(*end)->files->first)
                        (*end)->files = table->files;
                if (!(*end)->identities->first)
                        (*end)->identities = table->identities;
                end = &(*end)->next;
        }
        return table;
}

static int read_tables(struct pxr_arena *arena, struct pxr_paper *paper, struct pxr_yaml *root,
                       struct pxr_diag *diag)
{
        const struct pxr_yaml *list = NULL;
        struct pxr_reading reading = { &file_table, &list };
        struct pxr_paper_table **end = &paper->table;

        if (pxr_options_read(arena, root, "the file of tables", &reading, 1, diag) ||
            want_list(list, "tables", diag))
                return -1;
        for (struct pxr_yaml *item = list->first; item; item = item->next) {
                if (!(*end = read_table(arena, item, diag)))
                        return -1;
                if (pxr_paper_find(paper, (*end)->table, NULL) != *end)
                        return pxr_error_at(diag, item->mark, "a second table %d",
                                            (int)(*end)->table);
                end = &(*end)->next;
        }
        return 0;
}

static const char *installed_path(struct pxr_arena *arena)
{
        return pxr_installed(arena, "reports/paper.yaml", PXR_DATADIR "/paper.yaml");
}

struct pxr_paper *pxr_paper_open(struct pxr_arena *arena, const char *path, struct pxr_diag *diag)
{
        struct pxr_paper *paper = pxr_alloc(arena, sizeof(*paper));
        struct pxr_yaml *root;

        if (!path)
                path = installed_path(arena);
        if (!paper || !path) {
                pxr_out_of_memory(diag);
                return NULL;
        }
        root = pxr_spec_load(arena, path, NULL, 0, diag);
        return root && !read_tables(arena, paper, root, diag) ? paper : NULL;
}

const struct pxr_paper_table *pxr_paper_find(const struct pxr_paper *paper, int64_t number,
                                             struct pxr_diag *diag)
{
        const struct pxr_paper_table *table = paper->table;

        while (table && table->table != number)
                table = table->next;
        if (!table)
                pxr_user_error(diag, "the paper's tables with numbers have no table %d",
                               (int)number);
        return table;
}

const struct pxr_paper_row *pxr_paper_row(const struct pxr_paper_table *table, const char *name)
{
        const struct pxr_paper_row *row = table->row;

        while (row && strcmp(row->row, name) != 0)
                row = row->next;
        return row;
}

const char *pxr_paper_nearest(const struct pxr_paper_table *table, const char *name)
{
        const char *names[64];
        size_t count = 0;

        for (const struct pxr_paper_row *row = table->row; row && count < 64; row = row->next)
                names[count++] = row->row;
        return pxr_nearest(name, names, count);
}

static int unknown_row(const struct pxr_paper_table *table, const struct pxr_yaml *row,
                       struct pxr_diag *diag)
{
        const char *nearest = pxr_paper_nearest(table, row->text);

        pxr_error_at(diag, row->mark, "table %d of the paper has no row '%s'", (int)table->table,
                     row->text);
        if (nearest)
                pxr_hint(diag, "did you mean '%s'?", nearest);
        return -1;
}

int pxr_paper_check(struct pxr_arena *arena, const char *path, const struct pxr_yaml *spec,
                    struct pxr_diag *diag)
{
        const struct pxr_yaml *number = pxr_yaml_find((struct pxr_yaml *)spec, "reproduces.table");
        const struct pxr_yaml *row = pxr_yaml_find((struct pxr_yaml *)spec, "reproduces.row");
        const struct pxr_paper_table *table;
        const struct pxr_paper *paper;
        const char *file = path ? path : installed_path(arena);
        int64_t wanted;

        if (!file)
                return pxr_out_of_memory(diag);
        if (!number || number->kind != PXR_YAML_SCALAR || !row || row->kind != PXR_YAML_SCALAR ||
            pxr_parse_int(number->text, &wanted) != PXR_NUMBER || wanted == 0 ||
            (!path && access(file, R_OK) != 0))
                return 0;
        paper = pxr_paper_open(arena, file, diag);
        if (!paper)
                return -1;
        table = pxr_paper_find(paper, wanted, NULL);
        return table && !pxr_paper_row(table, row->text) ? unknown_row(table, row, diag) : 0;
}
