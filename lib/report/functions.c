/* SPDX-License-Identifier: MIT */
/* functions.c - what reports and conditions may call beside SQLite's own functions. */
#include "report/report_file.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/number.h"
#include "config/yaml.h"
#include "data/official.h"
#include "data/png.h"
#include "record/folder.h"
#include "record/cursor.h"
#include "report/curves.h"

/* has_tag(tags, 'x'): whether x is one of the tags, which are separated by ", ". */
static void has_tag(sqlite3_context *context, int count, sqlite3_value **value)
{
        const char *tags = (const char *)sqlite3_value_text(value[0]);
        const char *tag = (const char *)sqlite3_value_text(value[1]);
        size_t length = tag ? strlen(tag) : 0;

        (void)count;
        while (tags && tag &&
               (strncmp(tags, tag, length) != 0 || (tags[length] != '\0' && tags[length] != ','))) {
                tags = strstr(tags, ", ");
                tags = tags ? tags + strlen(", ") : NULL;
        }
        sqlite3_result_int(context, tags && tag);
}

/* nats_text(nats): an NLL as text, with three decimals. */
static void nats_text(sqlite3_context *context, int count, sqlite3_value **value)
{
        char text[PXR_NUMBER_TEXT];

        (void)count;
        if (sqlite3_value_type(value[0]) != SQLITE_NULL)
                sqlite3_result_text(context,
                                    pxr_number_text(sqlite3_value_double(value[0]), 3, text), -1,
                                    SQLITE_TRANSIENT);
}

/* colour_share(nats, colours, colour, levels): the mean nats of a colour's values in a map of nats,
 * as a share of ln(levels), which they have under the uniform distribution. */
static void colour_share(sqlite3_context *context, int count, sqlite3_value **value)
{
        const uint8_t *bytes = sqlite3_value_blob(value[0]);
        int values = sqlite3_value_bytes(value[0]) / 4, colours = sqlite3_value_int(value[1]);
        int colour = sqlite3_value_int(value[2]), levels = sqlite3_value_int(value[3]);
        double sum = 0;

        (void)count;
        if (!bytes || colours < 1 || colour < 0 || values < colours || levels < 2)
                return; /* NULL */
        for (int i = colour; i < values; i += colours)
                sum += pxr_nll_map_value(bytes, i);
        sqlite3_result_double(context, sum / (values / colours) / log(levels));
}

/* paired_error(nats, other): the standard error of the mean difference between the images of two
 * blobs of floats, such as image_nll.nats; NULL if they do not pair, or are fewer than 2. */
static void paired_error(sqlite3_context *context, int count, sqlite3_value **value)
{
        const uint8_t *a = sqlite3_value_blob(value[0]), *b = sqlite3_value_blob(value[1]);
        int size = sqlite3_value_bytes(value[0]), n = size / 4;
        double mean = 0, squares = 0;

        (void)count;
        if (!a || !b || n < 2 || size % 4 || size != sqlite3_value_bytes(value[1]))
                return;               /* NULL */
        for (int i = 0; i < n; i++) { /* Welford's sums, which lose no digits */
                double difference =
                        (double)pxr_nll_map_value(a, i) - (double)pxr_nll_map_value(b, i);
                double before = difference - mean;

                mean += before / (i + 1);
                squares += before * (difference - mean);
        }
        if (isfinite(squares))
                sqlite3_result_double(context, sqrt(squares / (n - 1) / n));
}

/* checkpoint_bytes(path): the size of a checkpoint's file, -1 where it is missing. */
static void checkpoint_bytes(sqlite3_context *context, int count, sqlite3_value **value)
{
        const struct pxr_store *store = sqlite3_user_data(context);
        const char *path = (const char *)sqlite3_value_text(value[0]);

        (void)count;
        sqlite3_result_int64(context, path ? pxr_checkpoint_bytes(store->path, path) : -1);
}

/* sparkline(values): numbers, separated by spaces, as a line of characters. */
static void sparkline(sqlite3_context *context, int count, sqlite3_value **value)
{
        enum { WIDTH = 24 };
        const char *text = (const char *)sqlite3_value_text(value[0]);
        struct pxr_arena *arena = pxr_arena_new(0, NULL);
        size_t most = 1 + (size_t)sqlite3_value_bytes(value[0]) / 2;
        struct pxr_curve curve = { .point = pxr_alloc_array(arena, most, sizeof(*curve.point)) };
        char *end;

        (void)count;
        for (; curve.point && text && *text && curve.count < most; text = end + (*end == ' ')) {
                curve.point[curve.count].nll = strtod(text, &end);
                if (end == text)
                        break;
                curve.count++;
        }
        sqlite3_result_text(context, pxr_sparkline(arena, &curve, WIDTH), -1, SQLITE_TRANSIENT);
        pxr_arena_free(arena);
}

static const struct pxr_picture *decode(struct pxr_arena *arena, sqlite3_value *png)
{
        const void *bytes = sqlite3_value_blob(png);

        return bytes ? pxr_png_decode(arena, "", bytes, (size_t)sqlite3_value_bytes(png), NULL)
                     : NULL;
}

/* same_pixels(png, other): whether two pictures have the same pixels; texts in them may differ. */
static void same_pixels(sqlite3_context *context, int count, sqlite3_value **value)
{
        struct pxr_arena *arena = pxr_arena_new(0, NULL);
        const struct pxr_picture *a = decode(arena, value[0]), *b = decode(arena, value[1]);

        (void)count;
        sqlite3_result_int(context, a && b && a->rows == b->rows && a->cols == b->cols &&
                                            a->colours == b->colours &&
                                            memcmp(a->pixels, b->pixels,
                                                   (size_t)a->rows * a->cols * a->colours) == 0);
        pxr_arena_free(arena);
}

/* is_near(name, other): whether one may be meant by the other. */
static void is_near(sqlite3_context *context, int count, sqlite3_value **value)
{
        const char *name = (const char *)sqlite3_value_text(value[0]);
        const char *other = (const char *)sqlite3_value_text(value[1]);

        (void)count;
        sqlite3_result_int(context, name && other && pxr_nearest(name, &other, 1));
}

/* official_sha256(set, name): of a file of a data set, as its authors distribute it; or NULL. */
static void official_sha256(sqlite3_context *context, int count, sqlite3_value **value)
{
        const char *set = (const char *)sqlite3_value_text(value[0]);
        const char *name = (const char *)sqlite3_value_text(value[1]);
        const struct pxr_data_format *format =
                set ? pxr_data_format_find(set, (struct pxr_location) { 0 }, NULL) : NULL;
        const struct pxr_official_file *file =
                format && name ? pxr_official_file(format, name) : NULL;

        (void)count;
        if (file)
                sqlite3_result_text(context, file->sha256, -1, SQLITE_STATIC);
}

/* yaml_json(text): YAML as JSON; NULL if it is invalid. */
static void yaml_json(sqlite3_context *context, int count, sqlite3_value **value)
{
        const char *text = (const char *)sqlite3_value_text(value[0]);
        const struct pxr_source source = { "", text, text ? strlen(text) : 0 };
        struct pxr_diag *diag = pxr_diag_new();
        struct pxr_arena *arena = diag ? pxr_arena_new(0, diag) : NULL;
        const struct pxr_yaml *root = arena && text ? pxr_yaml_parse(arena, &source, diag) : NULL;
        const char *json = root ? pxr_yaml_json(arena, root) : NULL;

        (void)count;
        if (!arena || pxr_arena_failed(arena))
                sqlite3_result_error_nomem(context);
        else if (json)
                sqlite3_result_text(context, json, -1, SQLITE_TRANSIENT);
        pxr_arena_free(arena);
        pxr_diag_free(diag);
}

int pxr_report_functions(struct pxr_store *store, struct pxr_diag *diag)
{
        static const struct {
                const char *name;
                int arguments, flags;
                void (*call)(sqlite3_context *context, int count, sqlite3_value **value);
        } functions[] = {
                { "has_tag", 2, SQLITE_DETERMINISTIC, has_tag },
                { "nats_text", 1, SQLITE_DETERMINISTIC, nats_text },
                { "colour_share", 4, SQLITE_DETERMINISTIC, colour_share },
                { "paired_error", 2, SQLITE_DETERMINISTIC, paired_error },
                { "checkpoint_bytes", 1, SQLITE_DIRECTONLY, checkpoint_bytes },
                { "same_pixels", 2, SQLITE_DETERMINISTIC, same_pixels },
                { "sparkline", 1, SQLITE_DETERMINISTIC, sparkline },
                { "is_near", 2, SQLITE_DETERMINISTIC, is_near },
                { "official_sha256", 2, SQLITE_DETERMINISTIC, official_sha256 },
                { "yaml_json", 1, SQLITE_DETERMINISTIC, yaml_json },
        };

        for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++)
                if (sqlite3_create_function(store->handle, functions[i].name,
                                            functions[i].arguments,
                                            SQLITE_UTF8 | functions[i].flags, store,
                                            functions[i].call, NULL, NULL) != SQLITE_OK)
                        return pxr_store_failed(store, diag);
        /* Their first use declares a table, which the guard of a report's query would refuse. */
        return pxr_store_execute(store, diag, "SELECT 1 FROM json_each('[]'), json_tree('[]')", "");
}
