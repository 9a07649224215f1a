/* SPDX-License-Identifier: MIT */
/*
 * safetensors.c - writing and reading safetensors files.
 *
 * The format: the header's length in 8 bytes, little-endian; the header, a JSON object of
 * name: {dtype, shape, data_offsets} and "__metadata__"; the arrays.
 */
#include "record/safetensors.h"

#include <errno.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/json.h"

/* Less than the format's own 100 MB, which would take a GB to parse; an array takes 200 bytes. */
enum { HEADER_LIMIT = 16 << 20, HEADER_VALUES = 1 << 20, HEADER_ALIGNMENT = 64 };

static const char metadata_key[] = "__metadata__";

static const struct {
        const char *name;
        int bytes;
} dtypes[] = {
        [PXR_DTYPE_F32] = { "F32", 4 },
        [PXR_DTYPE_F64] = { "F64", 8 },
        [PXR_DTYPE_I64] = { "I64", 8 },
        [PXR_DTYPE_U8] = { "U8", 1 },
};

int64_t pxr_array_size(const struct pxr_array *array)
{
        int64_t size = 1;

        for (int i = 0; i < array->rank; i++)
                size *= array->shape[i];
        return size;
}

int64_t pxr_array_bytes(const struct pxr_array *array)
{
        return pxr_array_size(array) * dtypes[array->dtype].bytes;
}

const struct pxr_array *pxr_safetensors_array(const struct pxr_safetensors *file, const char *name)
{
        for (int i = 0; i < file->arrays; i++)
                if (strcmp(file->array[i].name, name) == 0)
                        return &file->array[i];
        return NULL;
}

const char *pxr_safetensors_text(const struct pxr_safetensors *file, const char *key)
{
        for (int i = 0; i < file->texts; i++)
                if (strcmp(file->text[i].key, key) == 0)
                        return file->text[i].value;
        return NULL;
}

/* --- writing -----------------------------------------------------------------------------------
 */

static int compare_names(const void *a, const void *b)
{
        return strcmp(((const struct pxr_array *)a)->name, ((const struct pxr_array *)b)->name);
}

/* Wide values first, so that each array is aligned in the file; then by name. */
static int compare_places(const void *a, const void *b)
{
        const struct pxr_array *one = a, *other = b;
        int wider = dtypes[other->dtype].bytes - dtypes[one->dtype].bytes;

        return wider ? wider : strcmp(one->name, other->name);
}

/* The arrays in the order in which they are written; malloc'ed. NULL after an error. */
static struct pxr_array *order_arrays(const char *path, const struct pxr_safetensors *contents,
                                      struct pxr_diag *diag)
{
        size_t count = (size_t)contents->arrays;
        struct pxr_array *array = malloc((count + 1) * sizeof(*array));

        if (!array) {
                pxr_out_of_memory(diag);
                return NULL;
        }
        for (size_t i = 0; i < count; i++)
                array[i] = contents->array[i];
        qsort(array, count, sizeof(*array), compare_names);
        for (size_t i = 0; i < count; i++) {
                const char *name = array[i].name;

                if (strcmp(name, metadata_key) == 0)
                        pxr_user_error(diag, "%s: '%s' cannot name an array", path, name);
                else if (i > 0 && strcmp(name, array[i - 1].name) == 0)
                        pxr_user_error(diag, "%s: an array named '%s' is there twice", path, name);
                else
                        continue;
                free(array);
                return NULL;
        }
        qsort(array, count, sizeof(*array), compare_places);
        return array;
}

/* An entry of the header, whose data begin at `offset`. */
static json_t *make_entry(const struct pxr_array *array, int64_t offset)
{
        json_t *shape = json_array();

        for (int i = 0; i < array->rank; i++)
                if (json_array_append_new(shape, json_integer(array->shape[i]))) {
                        json_decref(shape);
                        return NULL;
                }
        return json_pack("{s:s, s:o, s:[I, I]}", "dtype", dtypes[array->dtype].name, "shape", shape,
                         "data_offsets", (json_int_t)offset,
                         (json_int_t)(offset + pxr_array_bytes(array)));
}

static bool is_utf8(const char *text)
{
        json_t *string = json_string(text);
        bool is = string != NULL;

        json_decref(string);
        return is;
}

/* Put `value`, which is taken over, under a key that is not there yet; `text` is what it was made
 * of, NULL for no text. */
static int add_key(const char *path, json_t *object, const char *key, json_t *value,
                   const char *text, struct pxr_diag *diag)
{
        if (json_object_get(object, key)) {
                json_decref(value);
                return pxr_user_error(diag, "%s: a text named '%s' is there twice", path, key);
        }
        if (value && json_object_set_new(object, key, value) == 0)
                return 0;
        if (is_utf8(key) && (!text || is_utf8(text)))
                return pxr_out_of_memory(diag);
        return pxr_user_error(diag, "%s: '%s' or what it holds is not UTF-8", path, key);
}

/* The header as JSON; `array` in the order of the data. NULL after an error. */
static json_t *make_header(const char *path, const struct pxr_safetensors *contents,
                           const struct pxr_array *array, struct pxr_diag *diag)
{
        json_t *header = json_object(), *metadata = json_object();
        int64_t offset = 0;

        if (!header || !metadata || json_object_set(header, metadata_key, metadata)) {
                pxr_out_of_memory(diag);
                goto failed;
        }
        for (int i = 0; i < contents->texts; i++)
                if (add_key(path, metadata, contents->text[i].key,
                            json_string(contents->text[i].value), contents->text[i].value, diag))
                        goto failed;
        for (int i = 0; i < contents->arrays; i++) {
                if (add_key(path, header, array[i].name, make_entry(&array[i], offset), NULL, diag))
                        goto failed;
                offset += pxr_array_bytes(&array[i]);
        }
        json_decref(metadata);
        return header;

failed:
        json_decref(metadata);
        json_decref(header);
        return NULL;
}

/* The header as text, padded with spaces; malloc'ed. NULL when memory is out. */
static char *header_text(const json_t *header)
{
        char *text = json_dumps(header, JSON_COMPACT | JSON_SORT_KEYS), *padded;
        size_t length, full;

        if (!text)
                return NULL;
        length = strlen(text);
        full = (length + 8 + HEADER_ALIGNMENT - 1) / HEADER_ALIGNMENT * HEADER_ALIGNMENT - 8;
        padded = realloc(text, full + 1);
        if (!padded) {
                free(text);
                return NULL;
        }
        memset(padded + length, ' ', full - length);
        padded[full] = '\0';
        return padded;
}

struct contents {
        const struct pxr_array *array;
        int arrays;
        const char *header;
};

static bool write_all(FILE *file, const void *context)
{
        const struct contents *c = context;
        uint64_t length = strlen(c->header);
        unsigned char bytes[8];

        for (int i = 0; i < 8; i++)
                bytes[i] = (unsigned char)(length >> (8 * i));
        if (fwrite(bytes, 1, 8, file) != 8 || fwrite(c->header, 1, length, file) != length)
                return false;
        for (int i = 0; i < c->arrays; i++) {
                size_t size = (size_t)pxr_array_bytes(&c->array[i]);

                if (fwrite(c->array[i].data, 1, size, file) != size)
                        return false;
        }
        return true;
}

int pxr_safetensors_write(const char *path, const struct pxr_safetensors *contents,
                          struct pxr_diag *diag)
{
        struct pxr_array *array = order_arrays(path, contents, diag);
        json_t *header;
        char *text;
        int status;

        if (!array)
                return -1;
        header = make_header(path, contents, array, diag);
        if (!header) {
                free(array);
                return -1;
        }
        text = header_text(header);
        json_decref(header);
        status =
                text ? pxr_file_write_by(path, true, write_all,
                                         &(struct contents) { array, contents->arrays, text }, diag)
                     : pxr_out_of_memory(diag);
        free(text);
        free(array);
        return status;
}

/* --- reading -----------------------------------------------------------------------------------
 */

/* A file that is being read. */
struct reading {
        struct pxr_arena *arena;
        struct pxr_diag *diag;
        struct pxr_safetensors *file;
        const unsigned char *data;
        int64_t size;   /* of the data */
        int64_t *begin; /* of each array */
};

static int PXR_PRINTF(2, 3) wrong(const struct reading *r, const char *format, ...)
{
        char text[512];
        va_list arguments;

        va_start(arguments, format);
        vsnprintf(text, sizeof(text), format, arguments);
        va_end(arguments);
        return pxr_user_error(r->diag, "%s: not a whole safetensors file: %s", r->file->path, text);
}

/* The header's length and its text, and the data, each in memory of its own so that the data are
 * aligned whatever the header's length. NULL after an error. */
static char *read_parts(struct reading *r, FILE *file, size_t *length)
{
        unsigned char bytes[8], *data;
        uint64_t header = 0;
        struct stat status;
        char *text;

        if (fstat(fileno(file), &status) != 0) {
                pxr_system_error(r->diag, "%s: cannot be read: %s", r->file->path, strerror(errno));
                fclose(file);
                return NULL;
        }
        if (fread(bytes, 1, 8, file) == 8)
                for (int i = 7; i >= 0; i--)
                        header = header << 8 | bytes[i];
        if (status.st_size < 8 || header > (uint64_t)status.st_size - 8) {
                wrong(r, "its header is cut short");
                fclose(file);
                return NULL;
        }
        if (header > HEADER_LIMIT) {
                wrong(r, "its header of %.1f MB is larger than %d MB", (double)header / (1 << 20),
                      HEADER_LIMIT >> 20);
                fclose(file);
                return NULL;
        }
        *length = header;
        r->size = status.st_size - 8 - (int64_t)header;
        text = pxr_alloc(r->arena, header + 1);
        r->data = data = pxr_alloc(r->arena, (size_t)r->size + 1);
        if (!text || !data) {
                text = NULL;
        } else if (fread(text, 1, header, file) != header ||
                   fread(data, 1, (size_t)r->size, file) != (size_t)r->size) {
                pxr_system_error(r->diag, "%s: cannot be read: %s", r->file->path,
                                 ferror(file) ? strerror(errno) : "it shrank meanwhile");
                text = NULL;
        }
        fclose(file);
        return text;
}

/* The values that `shape` asks for; -1 if it is no shape or asks for more than there are bytes. */
static int64_t read_shape(const struct reading *r, json_t *shape, struct pxr_array *array)
{
        bool empty = false;
        int64_t size = 1;
        json_t *side;
        size_t i;

        json_array_foreach(shape, i, side)
        {
                array->shape[i] = json_integer_value(side);
                if (!json_is_integer(side) || array->shape[i] < 0)
                        return -1;
                empty |= array->shape[i] == 0;
        }
        for (int k = 0; k < array->rank && !empty; k++) {
                if (size > r->size / array->shape[k])
                        return -1;
                size *= array->shape[k];
        }
        return empty ? 0 : size;
}

/* One entry of the header. */
static int read_array(struct reading *r, const char *name, json_t *entry, struct pxr_array *array)
{
        json_error_t error = { .text = "" };
        json_int_t begin, end;
        const char *dtype;
        json_t *shape;
        int64_t size;
        size_t i;

        if (json_unpack_ex(entry, &error, 0, "{s:s, s:o, s:[I, I]}", "dtype", &dtype, "shape",
                           &shape, "data_offsets", &begin, &end) != 0 ||
            !json_is_array(shape))
                return pxr_json_memory_out(&error)
                               ? pxr_out_of_memory(r->diag)
                               : wrong(r, "'%s' lacks dtype, shape or data_offsets", name);
        for (i = 0; i < PXR_COUNT(dtypes); i++)
                if (strcmp(dtypes[i].name, dtype) == 0)
                        break;
        if (i == PXR_COUNT(dtypes))
                return wrong(r, "'%s' is of dtype '%s', not F32, F64, I64 or U8", name, dtype);
        array->dtype = (enum pxr_dtype)i;
        if (json_array_size(shape) > PXR_TENSOR_RANK)
                return wrong(r, "'%s' has %zu dimensions, more than %d", name,
                             json_array_size(shape), PXR_TENSOR_RANK);
        array->rank = (int)json_array_size(shape);
        size = read_shape(r, shape, array);
        if (size < 0)
                return wrong(r, "'%s' has a shape that does not fit the file", name);
        if (begin < 0 || end < begin || end > r->size || end - begin != size * dtypes[i].bytes)
                return wrong(r, "'%s' has data_offsets that fit neither its shape nor the file",
                             name);
        array->name = pxr_strdup(r->arena, name);
        r->begin[array - r->file->array] = begin;
        array->data = r->data + begin;
        if (begin % dtypes[i].bytes) {
                void *aligned = pxr_alloc(r->arena, (size_t)(end - begin));

                if (aligned)
                        memcpy(aligned, r->data + begin, (size_t)(end - begin));
                array->data = aligned;
        }
        return array->data ? 0 : -1;
}

/* Where an array lies in the data. */
struct place {
        int64_t begin, end;
        const char *name;
};

static int compare_begins(const void *a, const void *b)
{
        const struct place *one = a, *other = b;

        if (one->begin != other->begin)
                return one->begin < other->begin ? -1 : 1;
        if (one->end != other->end)
                return one->end < other->end ? -1 : 1;
        return strcmp(one->name, other->name);
}

/* The arrays must cover the data without gap or overlap. */
static int check_places(struct reading *r)
{
        size_t count = (size_t)r->file->arrays;
        struct place *place = pxr_alloc_array(r->arena, count + 1, sizeof(*place));
        int64_t end = 0;

        if (!place)
                return -1;
        for (size_t i = 0; i < count; i++) {
                const struct pxr_array *array = &r->file->array[i];

                place[i] = (struct place) { r->begin[i], r->begin[i] + pxr_array_bytes(array),
                                            array->name };
        }
        qsort(place, count, sizeof(*place), compare_begins);
        for (size_t i = 0; i < count; i++) {
                if (place[i].begin < end)
                        return wrong(r, "'%s' lies over another array", place[i].name);
                if (place[i].begin > end)
                        return wrong(r, "there are data that belong to no array, before '%s'",
                                     place[i].name);
                end = place[i].end;
        }
        return end == r->size ? 0 : wrong(r, "there are data that belong to no array, at its end");
}

static int read_texts(struct reading *r, json_t *metadata)
{
        const char *key;
        json_t *value;

        if (metadata && !json_is_object(metadata))
                return wrong(r, "its metadata are no JSON object");
        r->file->text =
                pxr_alloc_array(r->arena, json_object_size(metadata) + 1, sizeof(*r->file->text));
        if (!r->file->text)
                return -1;
        json_object_foreach(metadata, key, value)
        {
                struct pxr_text *text = &r->file->text[r->file->texts++];

                if (!json_is_string(value))
                        return wrong(r, "its metadata hold something other than texts: '%s'", key);
                text->key = pxr_strdup(r->arena, key);
                text->value = pxr_strdup(r->arena, json_string_value(value));
        }
        return 0;
}

static int read_header(struct reading *r, json_t *header)
{
        size_t entries = json_object_size(header);
        const char *name;
        json_t *entry;

        r->file->array = pxr_alloc_array(r->arena, entries + 1, sizeof(*r->file->array));
        r->begin = pxr_alloc_array(r->arena, entries + 1, sizeof(*r->begin));
        if (!r->file->array || !r->begin)
                return -1;
        if (read_texts(r, json_object_get(header, metadata_key)))
                return -1;
        json_object_foreach(header, name, entry)
        {
                if (strcmp(name, metadata_key) == 0)
                        continue;
                if (read_array(r, name, entry, &r->file->array[r->file->arrays]))
                        return -1;
                r->file->arrays++;
        }
        return check_places(r);
}

struct pxr_safetensors *pxr_safetensors_read(struct pxr_arena *arena, const char *path,
                                             struct pxr_diag *diag)
{
        struct pxr_safetensors *file = pxr_alloc(arena, sizeof(*file));
        struct reading r = { .arena = arena, .diag = diag, .file = file };
        json_error_t error;
        json_t *header;
        size_t length;
        FILE *stream;
        int status;
        char *text;

        if (!file)
                return NULL;
        file->path = pxr_strdup(arena, path);
        stream = pxr_file_open(path, diag);
        if (!stream)
                return NULL;
        text = read_parts(&r, stream, &length);
        if (!text)
                return NULL;
        header = pxr_json_parse(text, length, HEADER_VALUES, &error);
        if (json_is_object(header))
                status = read_header(&r, header);
        else if (!header && pxr_json_memory_out(&error))
                status = pxr_out_of_memory(diag);
        else
                status = wrong(&r, "its header is no JSON object%s%s", header ? "" : ": ",
                               header ? "" : error.text);
        json_decref(header);
        return status || pxr_arena_failed(arena) ? NULL : file;
}
