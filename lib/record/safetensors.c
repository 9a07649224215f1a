/* SPDX-License-Identifier: MIT */
/*
 * safetensors.c - writing and reading safetensors files.
 *
 * The format: the header's length in 8 bytes, little-endian; the header, a JSON object of
 * name: {dtype, shape, data_offsets} and "__metadata__"; the arrays.
 */
#include "config.h"

#include "record/safetensors.h"

#include <endian.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "base/text.h"

/* Less than the format's own 100 MB, which would take a GB to parse; an array takes 200 bytes. */
enum { HEADER_LIMIT = 16 << 20, HEADER_VALUES = 1 << 20, HEADER_ALIGNMENT = 64 };

static const char metadata_key[] = "__metadata__";

size_t pxr_array_size(const struct pxr_array *array)
{
        size_t size = 1;

        for (int i = 0; i < array->rank; i++)
                size *= (size_t)array->shape[i];
        return size;
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

/* An entry of the header, for data that begin at `offset`. NULL when out of memory. */
static json_t *make_entry(const struct pxr_array *array, size_t offset)
{
        json_t *shape = json_array();

        for (int i = 0; i < array->rank; i++)
                json_array_append_new(shape, json_integer(array->shape[i]));
        if (json_array_size(shape) != (size_t)array->rank) {
                json_decref(shape);
                return NULL;
        }
        return json_pack("{s:s, s:o, s:[I, I]}", "dtype", "F32", "shape", shape, "data_offsets",
                         (json_int_t)offset,
                         (json_int_t)(offset + pxr_array_size(array) * sizeof(float)));
}

/* Add `value`, which is given away, to an object. */
static int add_key(const char *path, json_t *object, const char *key, json_t *value,
                   struct pxr_diag *diag)
{
        bool twice = json_object_get(object, key) != NULL;

        if (!pxr_is_utf8(key) || twice) {
                json_decref(value);
                return pxr_user_error(diag, "%s: the name '%s' %s", path, key,
                                      twice ? "is there twice" : "is not UTF-8");
        }
        return json_object_set_new(object, key, value) ? pxr_out_of_memory(diag) : 0;
}

/* The header as text; malloc'ed. NULL after an error. */
static char *make_header(const char *path, const struct pxr_safetensors *contents,
                         struct pxr_diag *diag)
{
        json_t *header = json_object(), *metadata = json_object();
        int status = add_key(path, header, metadata_key, metadata, diag);
        size_t offset = 0;
        char *text = NULL;

        for (int i = 0; i < contents->texts && !status; i++)
                status = add_key(path, metadata, contents->text[i].key,
                                 json_string(contents->text[i].value), diag);
        for (int i = 0; i < contents->arrays && !status; i++) {
                const struct pxr_array *array = &contents->array[i];

                status = add_key(path, header, array->name, make_entry(array, offset), diag);
                offset += pxr_array_size(array) * sizeof(float);
        }
        if (!status && !(text = json_dumps(header, JSON_COMPACT | JSON_SORT_KEYS)))
                pxr_out_of_memory(diag);
        json_decref(header);
        return text;
}

struct output {
        const struct pxr_safetensors *contents;
        const char *header;
};

/* The header is padded with spaces, so that arrays are aligned in the file. */
static bool write_all(FILE *file, const void *context)
{
        const struct output *output = context;
        size_t before = sizeof(uint64_t) + HEADER_ALIGNMENT - 1;
        size_t length = (strlen(output->header) + before) / HEADER_ALIGNMENT * HEADER_ALIGNMENT -
                        sizeof(uint64_t);
        uint64_t bytes = htole64(length);

        if (fwrite(&bytes, sizeof(bytes), 1, file) != 1 ||
            fprintf(file, "%-*s", (int)length, output->header) < 0)
                return false;
        for (int i = 0; i < output->contents->arrays; i++) {
                const struct pxr_array *array = &output->contents->array[i];
                size_t size = pxr_array_size(array);

                if (fwrite(array->data, sizeof(float), size, file) != size)
                        return false;
        }
        return true;
}

int pxr_safetensors_write(const char *path, struct pxr_safetensors *contents, struct pxr_diag *diag)
{
        char *header;
        int status;

        qsort(contents->array, (size_t)contents->arrays, sizeof(*contents->array), compare_names);
        header = make_header(path, contents, diag);
        status = header ? pxr_file_write_by(path, true, write_all,
                                            &(struct output) { contents, header }, diag)
                        : -1;
        free(header);
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
        size_t size; /* of the data */
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

/* Whether `shape` is one; then *size is its number of values. */
static bool read_shape(json_t *shape, struct pxr_array *array, int64_t *size)
{
        json_t *side;
        size_t i;

        *size = 1;
        json_array_foreach(shape, i, side)
        {
                array->shape[i] = json_integer_value(side);
                if (!json_is_integer(side) || array->shape[i] < 0 ||
                    __builtin_mul_overflow(*size, array->shape[i], size))
                        return false;
        }
        return true;
}

/* One entry of the header. */
static int read_array(struct reading *r, const char *name, json_t *entry)
{
        struct pxr_array *array = &r->file->array[r->file->arrays++];
        json_error_t error = { .text = "" };
        json_int_t begin, end;
        const char *dtype;
        json_t *shape;
        int64_t size;

        if (json_unpack_ex(entry, &error, 0, "{s:s, s:o, s:[I, I]}", "dtype", &dtype, "shape",
                           &shape, "data_offsets", &begin, &end) != 0 ||
            !json_is_array(shape))
                return pxr_json_memory_out(&error)
                               ? pxr_out_of_memory(r->diag)
                               : wrong(r, "'%s' lacks dtype, shape or data_offsets", name);
        if (strcmp(dtype, "F32") != 0)
                return wrong(r, "'%s' is of dtype '%s', not F32", name, dtype);
        if (json_array_size(shape) > PXR_TENSOR_RANK)
                return wrong(r, "'%s' has %zu dimensions, more than %d", name,
                             json_array_size(shape), PXR_TENSOR_RANK);
        if (!read_shape(shape, array, &size))
                return wrong(r, "'%s' has an invalid shape", name);
        if (begin < 0 || end < begin || (size_t)end > r->size ||
            (end - begin) % (int64_t)sizeof(float) ||
            (end - begin) / (int64_t)sizeof(float) != size)
                return wrong(r, "'%s' has data_offsets that fit neither its shape nor the file",
                             name);
        array->name = pxr_strdup(r->arena, name);
        array->rank = (int)json_array_size(shape);
        array->data = r->data + begin;
        return 0;
}

static int compare_data(const void *a, const void *b)
{
        const struct pxr_array *one = a, *other = b;
        size_t size = pxr_array_size(one), other_size = pxr_array_size(other);

        if (one->data != other->data)
                return (const char *)one->data < (const char *)other->data ? -1 : 1;
        if (size != other_size)
                return size < other_size ? -1 : 1;
        return strcmp(one->name, other->name);
}

/* The arrays must cover the data without gap or overlap. Those that are not aligned, in a file that
 * pxr did not write, are copied. */
static int place_arrays(struct reading *r)
{
        const unsigned char *end = r->data;

        qsort(r->file->array, (size_t)r->file->arrays, sizeof(*r->file->array), compare_data);
        for (int i = 0; i < r->file->arrays; i++) {
                struct pxr_array *array = &r->file->array[i];
                const unsigned char *begin = array->data;
                size_t bytes = pxr_array_size(array) * sizeof(float);
                void *aligned;

                if (begin < end)
                        return wrong(r, "'%s' lies over another array", array->name);
                if (begin > end)
                        return wrong(r, "there are data that belong to no array, before '%s'",
                                     array->name);
                end = begin + bytes;
                if ((uintptr_t)begin % sizeof(float) == 0)
                        continue;
                array->data = aligned = pxr_alloc(r->arena, bytes);
                if (!aligned)
                        return -1;
                memcpy(aligned, begin, bytes);
        }
        return end == r->data + r->size
                       ? 0
                       : wrong(r, "there are data that belong to no array, at its end");
}

static int read_texts(struct reading *r, json_t *metadata)
{
        const char *key;
        json_t *value;

        if (metadata && !json_is_object(metadata))
                return wrong(r, "its metadata are not a JSON object");
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
        const char *name;
        json_t *entry;

        r->file->array =
                pxr_alloc_array(r->arena, json_object_size(header) + 1, sizeof(*r->file->array));
        if (!r->file->array || read_texts(r, json_object_get(header, metadata_key)))
                return -1;
        json_object_foreach(header, name, entry) if (strcmp(name, metadata_key) != 0 &&
                                                     read_array(r, name, entry)) return -1;
        return place_arrays(r);
}

/* All that a file holds. */
static int read_all(struct reading *r, const unsigned char *bytes, size_t size)
{
        uint64_t length = 0;
        json_error_t error;
        json_t *header;
        int status;

        if (size >= sizeof(length))
                memcpy(&length, bytes, sizeof(length));
        length = le64toh(length);
        if (size < sizeof(length) || length > size - sizeof(length))
                return wrong(r, "its header is cut short");
        if (length > HEADER_LIMIT)
                return wrong(r, "its header of %.1f MB is larger than %d MB",
                             (double)length / (1 << 20), HEADER_LIMIT >> 20);
        r->data = bytes + sizeof(length) + length;
        r->size = size - sizeof(length) - length;
        header =
                pxr_json_parse((const char *)bytes + sizeof(length), length, HEADER_VALUES, &error);
        if (json_is_object(header))
                status = read_header(r, header);
        else if (!header && pxr_json_memory_out(&error))
                status = pxr_out_of_memory(r->diag);
        else
                status = wrong(r, "its header is not a JSON object%s%s", header ? "" : ": ",
                               header ? "" : error.text);
        json_decref(header);
        return status;
}

struct pxr_safetensors *pxr_safetensors_read(struct pxr_arena *arena, const char *path,
                                             struct pxr_diag *diag)
{
        struct pxr_safetensors *file = pxr_alloc(arena, sizeof(*file));
        struct reading r = { .arena = arena, .diag = diag, .file = file };
        size_t size;
        const unsigned char *bytes =
                file ? pxr_file_read(arena, path, SIZE_MAX, &size, diag) : NULL;

        if (!bytes)
                return NULL;
        file->path = pxr_strdup(arena, path);
        return read_all(&r, bytes, size) || pxr_arena_failed(arena) ? NULL : file;
}
