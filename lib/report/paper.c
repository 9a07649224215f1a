/* SPDX-License-Identifier: MIT */
/* paper.c - reading reports/paper.yaml by its option tables. */
#include "report/paper.h"

#include <string.h>
#include <unistd.h>

#include "base/installed.h"
#include "base/installed_paths.h"
#include "data/data.h"
#include "config/options.h"
#include "record/database.h"
#include "report/report_file.h"
#include "report/paper_text.h" /* made of paper.sql by the Makefile */

static const char *const relations[] = { "exactly", "about", "at_most", NULL };
static const char *const units[] = { "nats", "bits", NULL };

static const struct pxr_option row_options[] = {
        PXR_STRING(struct pxr_paper_row, row, NULL, "its name, as the paper has it"),
        PXR_STRING(struct pxr_paper_row, source, PXR_UNSET, "what the paper cites for it"),
        PXR_REAL(struct pxr_paper_row, value, NULL, 0, 1e9,
                 "the NLL, in the table's unit; 0: not in the paper"),
        PXR_REAL(struct pxr_paper_row, train_value, "0", 0, 1e9, "on the training split; 0: none"),
        PXR_ENUM(struct pxr_paper_row, relation, "exactly", relations, "of the NLL to the value"),
        PXR_NODE(struct pxr_paper_row, files, "[]", "if not those of the table"),
        PXR_NODE(struct pxr_paper_row, identities, "[]", "if not those of the table"),
        PXR_NODE(struct pxr_paper_row, needs, "[]", "layers the model must contain"),
        PXR_NODE(struct pxr_paper_row, excludes, "[]", "layers it must not contain"),
        PXR_NODE(struct pxr_paper_row, train, "{}", "what the paper gives of its training"),
        PXR_NODE(struct pxr_paper_row, model, "[]", "what the paper gives of its layers"),
        PXR_END,
};

static const struct pxr_options row_table = { .rows = row_options,
                                              .size = sizeof(struct pxr_paper_row) };

static const struct pxr_option table_options[] = {
        PXR_INT(struct pxr_paper_table, table, NULL, 1, 99, "its number"),
        PXR_STRING(struct pxr_paper_table, title, NULL, "for readers"),
        PXR_ENUM(struct pxr_paper_table, unit, NULL, units,
                 "nats per image, or bits per dimension"),
        PXR_ENUM(struct pxr_paper_table, split, NULL, pxr_split_names, "of the NLLs"),
        PXR_INT(struct pxr_paper_table, images, "0", 0, 1e12, "in that split; 0: any number"),
        PXR_STRING(struct pxr_paper_table, set, NULL, "the data set"),
        PXR_NODE(struct pxr_paper_table, files, "[]", "lists of official files"),
        PXR_NODE(struct pxr_paper_table, identities, "[]",
                 "of the data, as pxr-data info prints it"),
        PXR_NODE(struct pxr_paper_table, data, "{}", "what the paper gives of their settings"),
        PXR_NODE(struct pxr_paper_table, transforms, "[]",
                 "allowed transforms; * matches any text"),
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

/* Check that a node is a list: of texts (depth 1), of such lists (2), or of anything (0). */
static int expect_list(const struct pxr_yaml *node, const char *what, int depth,
                       struct pxr_diag *diag)
{
        if (node->kind != PXR_YAML_SEQUENCE)
                return pxr_error_at(diag, node->location, "%s: expected a list", what);
        for (const struct pxr_yaml *item = node->first; item; item = item->next)
                if (depth == 1 && item->kind != PXR_YAML_SCALAR)
                        return pxr_error_at(diag, item->location, "%s: expected a list of texts",
                                            what);
                else if (depth > 1 && expect_list(item, what, depth - 1, diag))
                        return -1;
        return 0;
}

static int read_row(struct pxr_arena *arena, struct pxr_paper_row *row, struct pxr_yaml *node,
                    struct pxr_diag *diag)
{
        const struct pxr_reading reading = { &row_table, row };

        return pxr_options_read(arena, node, "row", &reading, 1, diag) ||
                               expect_list(row->files, "files", 2, diag) ||
                               expect_list(row->identities, "identities", 1, diag) ||
                               expect_list(row->needs, "needs", 1, diag) ||
                               expect_list(row->excludes, "excludes", 1, diag) ||
                               expect_list(row->model, "model", 0, diag)
                       ? -1
                       : 0;
}

static int read_table(struct pxr_arena *arena, struct pxr_paper_table *table, struct pxr_yaml *node,
                      struct pxr_diag *diag)
{
        const struct pxr_reading reading = { &table_table, table };
        struct pxr_paper_row **end = &table->row;

        if (pxr_options_read(arena, node, "table", &reading, 1, diag) ||
            expect_list(table->files, "files", 2, diag) ||
            expect_list(table->identities, "identities", 1, diag) ||
            expect_list(table->transforms, "transforms", 1, diag) ||
            expect_list(table->rows, "rows", 0, diag))
                return -1;
        for (struct pxr_yaml *item = table->rows->first; item; item = item->next) {
                struct pxr_paper_row *row = pxr_alloc(arena, sizeof(*row));

                if (!row || read_row(arena, row, item, diag))
                        return -1;
                if (pxr_paper_row(table, row->row))
                        return pxr_error_at(diag, item->location, "a second row '%s'", row->row);
                row->data = table->data;
                *end = row;
                end = &row->next;
        }
        return 0;
}

static int read_tables(struct pxr_arena *arena, struct pxr_paper *paper, struct pxr_yaml *root,
                       struct pxr_diag *diag)
{
        const struct pxr_yaml *list = NULL;
        const struct pxr_reading reading = { &file_table, &list };
        struct pxr_paper_table **end = &paper->table;

        if (pxr_options_read(arena, root, "the file of tables", &reading, 1, diag) ||
            expect_list(list, "tables", 0, diag))
                return -1;
        for (struct pxr_yaml *item = list->first; item; item = item->next) {
                struct pxr_paper_table *table = pxr_alloc(arena, sizeof(*table));

                if (!table || read_table(arena, table, item, diag))
                        return -1;
                if (pxr_paper_find(paper, table->table, NULL))
                        return pxr_error_at(diag, item->location, "a second table %d",
                                            (int)table->table);
                *end = table;
                end = &table->next;
        }
        return 0;
}

static const char *installed_path(struct pxr_arena *arena)
{
        return pxr_installed(arena, "reports/paper.yaml", PXR_DATADIR "/reports/paper.yaml");
}

struct pxr_paper *pxr_paper_open(struct pxr_arena *arena, const char *path, struct pxr_diag *diag)
{
        struct pxr_paper *paper = pxr_alloc(arena, sizeof(*paper));
        struct pxr_yaml *root =
                pxr_spec_load(arena, path ? path : installed_path(arena), NULL, NULL, 0, diag);

        if (!paper || !root || read_tables(arena, paper, root, diag) ||
            !(paper->json = pxr_yaml_json(arena, root)))
                return NULL;
        return paper;
}

int pxr_paper_views(const struct pxr_paper *paper, struct pxr_store *store, struct pxr_diag *diag)
{
        static const char end[] = ";\n"; /* of a statement */
        const char *sql = paper_views;

        if (pxr_report_functions(store, diag) ||
            pxr_store_make_temporary(store, "DROP TABLE IF EXISTS temp.paper_row", NULL, diag) ||
            pxr_store_make_temporary(store, sql, paper->json, diag))
                return -1;
        while (*(sql = strstr(sql, end) + strlen(end)))
                if (pxr_store_make_temporary(store, sql, NULL, diag))
                        return -1;
        return 0;
}

const struct pxr_paper_table *pxr_paper_find(const struct pxr_paper *paper, int64_t number,
                                             struct pxr_diag *diag)
{
        const struct pxr_paper_table *table = paper->table;

        while (table && table->table != number)
                table = table->next;
        if (!table)
                pxr_user_error(diag, "the file of the paper's tables has no table %d", (int)number);
        return table;
}

const struct pxr_paper_row *pxr_paper_row(const struct pxr_paper_table *table, const char *name)
{
        const struct pxr_paper_row *row = table->row;

        while (row && strcmp(row->row, name) != 0)
                row = row->next;
        return row;
}

int pxr_paper_check(struct pxr_arena *arena, const char *path, const struct pxr_yaml *spec,
                    struct pxr_diag *diag)
{
        const struct pxr_yaml *number = pxr_yaml_find((struct pxr_yaml *)spec, "reproduces.table");
        const struct pxr_yaml *row = pxr_yaml_find((struct pxr_yaml *)spec, "reproduces.row");
        const struct pxr_paper_table *table;
        const struct pxr_paper *paper;
        const char *file = path ? path : installed_path(arena), *names[64];
        size_t count = 0;
        int64_t wanted;

        if (!number || number->kind != PXR_YAML_SCALAR || !row || row->kind != PXR_YAML_SCALAR ||
            pxr_parse_int(number->text, &wanted) != PXR_NUMBER || wanted == 0 ||
            (!path && access(file, R_OK) != 0))
                return 0;
        paper = pxr_paper_open(arena, file, diag);
        if (!paper)
                return -1;
        table = pxr_paper_find(paper, wanted, NULL);
        if (!table || pxr_paper_row(table, row->text))
                return 0;
        pxr_error_at(diag, row->location, "table %d of the paper has no row '%s'",
                     (int)table->table, row->text);
        for (const struct pxr_paper_row *other = table->row; other && count < PXR_COUNT(names);
             other = other->next)
                names[count++] = other->row;
        pxr_hint_nearest(diag, row->text, names, count);
        return -1;
}
