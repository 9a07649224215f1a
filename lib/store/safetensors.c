/* SPDX-License-Identifier: MIT */
/*
 * safetensors.c - writing and reading safetensors files.
 *
 * The format: the header's length in 8 bytes, little-endian; the header, a JSON object of
 * name: {dtype, shape, data_offsets} and "__metadata__"; the arrays. Uses base/ and jansson.
 */
#include "store/safetensors.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HEADER_LIMIT = 100 << 20, HEADER_ALIGNMENT = 64 };

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

/* The header as text, padded with spaces; malloc'ed. NULL when memory is out. */
static char *make_header(const struct pxr_safetensors *contents)
{
        json_t *header = json_object(), *metadata = json_object();
        int64_t offset = 0;
        char *text, *padded;
        size_t length, full;

        for (int i = 0; i < contents->texts; i++)
                json_object_set_new(metadata, contents->text[i].key,
                                    json_string(contents->text[i].value));
        json_object_set_new(header, "__metadata__", metadata);
        for (int i = 0; i < contents->arrays; i++) {
                const struct pxr_array *array = &contents->array[i];
                int64_t bytes = pxr_array_bytes(array);
                json_t *shape = json_array();

                for (int k = 0; k < array->rank; k++)
                        json_array_append_new(shape, json_integer(array->shape[k]));
                json_object_set_new(header, array->name,
                                    json_pack("{s:s, s:o, s:[I, I]}", "dtype",
                                              dtypes[array->dtype].name, "shape", shape,
                                              "data_offsets", (json_int_t)offset,
                                              (json_int_t)(offset + bytes)));
                offset += bytes;
        }
        text = json_dumps(header, JSON_COMPACT | JSON_SORT_KEYS);
        json_decref(header);
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

static bool write_all(FILE *file, const struct pxr_safetensors *contents, const char *header)
{
        uint64_t length = strlen(header);
        unsigned char bytes[8];

        for (int i = 0; i < 8; i++)
                bytes[i] = (unsigned char)(length >> (8 * i));
        if (fwrite(bytes, 1, 8, file) != 8 || fwrite(header, 1, length, file) != length)
                return false;
        for (int i = 0; i < contents->arrays; i++) {
                size_t size = (size_t)pxr_array_bytes(&contents->array[i]);

                if (fwrite(contents->array[i].data, 1, size, file) != size)
                        return false;
        }
        return fflush(file) == 0 && fsync(fileno(file)) == 0;
}

/* Make a rename in the folder of `path` last through a power cut. */
static void sync_folder(const char *path)
{
        char copy[PATH_MAX];
        int folder;

        snprintf(copy, sizeof(copy), "%s", path);
        folder = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (folder >= 0) {
                fsync(folder);
                close(folder);
        }
}

int pxr_safetensors_write(const char *path, const struct pxr_safetensors *contents,
                          struct pxr_diag *diag)
{
        char partial[PATH_MAX];
        char *header = make_header(contents);
        bool written;
        FILE *file;
        int failed;

        if (!header)
                return pxr_out_of_memory(diag);
        if (snprintf(partial, sizeof(partial), "%s.partial", path) >= (int)sizeof(partial)) {
                free(header);
                return pxr_user_error(diag, "%s: the name is too long", path);
        }
        file = fopen(partial, "wb");
        if (!file) {
                free(header);
                return pxr_system_error(diag, "%s: cannot be written: %s", partial,
                                        strerror(errno));
        }
        written = write_all(file, contents, header);
        failed = errno;
        free(header);
        if (fclose(file) != 0 && written) {
                written = false;
                failed = errno;
        }
        if (written && rename(partial, path) != 0) {
                written = false;
                failed = errno;
        }
        if (!written) {
                unlink(partial);
                return pxr_system_error(diag, "%s: cannot be written: %s", path, strerror(failed));
        }
        sync_folder(path);
        return 0;
}

/* --- reading -----------------------------------------------------------------------------------
 */

static int corrupt(const char *path, const char *what, struct pxr_diag *diag)
{
        return pxr_user_error(diag, "%s: not a whole safetensors file: %s", path, what);
}

/* Read all of a file into the arena. */
static unsigned char *read_file(struct pxr_arena *arena, const char *path, size_t *size,
                                struct pxr_diag *diag)
{
        FILE *file = fopen(path, "rb");
        unsigned char *bytes = NULL;
        struct stat status;

        if (!file || fstat(fileno(file), &status) != 0 || !S_ISREG(status.st_mode)) {
                pxr_user_error(diag, "%s: cannot be opened: %s", path,
                               file ? "it is no plain file" : strerror(errno));
                if (file)
                        fclose(file);
                return NULL;
        }
        *size = (size_t)status.st_size;
        bytes = pxr_alloc(arena, *size + 1);
        if (!bytes)
                pxr_out_of_memory(diag);
        else if (fread(bytes, 1, *size, file) != *size) {
                pxr_system_error(diag, "%s: cannot be read: %s", path, strerror(errno));
                bytes = NULL;
        }
        fclose(file);
        return bytes;
}

/* One entry of the header, whose data must lie where the last one's ended. */
static const char *read_array(struct pxr_arena *arena, const char *name, json_t *entry,
                              const unsigned char *data, int64_t data_size, struct pxr_array *array)
{
        const char *dtype;
        json_t *shape, *side;
        json_int_t begin, end;
        int64_t size = 1;
        size_t i;

        if (json_unpack(entry, "{s:s, s:o, s:[I, I]}", "dtype", &dtype, "shape", &shape,
                        "data_offsets", &begin, &end) != 0 ||
            !json_is_array(shape))
                return "an entry lacks dtype, shape or data_offsets";
        for (i = 0; i < sizeof(dtypes) / sizeof(dtypes[0]); i++)
                if (strcmp(dtypes[i].name, dtype) == 0)
                        break;
        if (i == sizeof(dtypes) / sizeof(dtypes[0]))
                return "an entry has a dtype other than F32, F64, I64 and U8";
        array->dtype = (enum pxr_dtype)i;
        if (json_array_size(shape) > PXR_TENSOR_RANK)
                return "an entry has too many dimensions";
        array->rank = (int)json_array_size(shape);
        json_array_foreach(shape, i, side)
        {
                json_int_t length = json_integer_value(side);

                if (!json_is_integer(side) || length < 0 || (length && size > data_size / length))
                        return "an entry's shape does not fit its data";
                array->shape[i] = length;
                size *= length;
        }
        if (begin < 0 || end < begin || end > data_size ||
            end - begin != size * dtypes[array->dtype].bytes)
                return "an entry's data_offsets do not fit its shape, or the file is cut short";
        array->name = pxr_strdup(arena, name);
        array->data = data + begin;
        return array->name ? NULL : "out of memory";
}

static const char *read_header(struct pxr_arena *arena, json_t *header, const unsigned char *data,
                               int64_t data_size, struct pxr_safetensors *file)
{
        int64_t bytes = 0;
        const char *name, *problem;
        json_t *entry, *metadata = json_object_get(header, "__metadata__");

        file->array = pxr_alloc_array(arena, json_object_size(header) + 1, sizeof(*file->array));
        file->text = pxr_alloc_array(arena, json_object_size(metadata) + 1, sizeof(*file->text));
        if (!file->array || !file->text)
                return "out of memory";
        json_object_foreach(metadata, name, entry)
        {
                struct pxr_text *text = &file->text[file->texts++];

                if (!json_is_string(entry))
                        return "its metadata holds something other than strings";
                text->key = pxr_strdup(arena, name);
                text->value = pxr_strdup(arena, json_string_value(entry));
                if (!text->key || !text->value)
                        return "out of memory";
        }
        json_object_foreach(header, name, entry)
        {
                if (strcmp(name, "__metadata__") == 0)
                        continue;
                problem =
                        read_array(arena, name, entry, data, data_size, &file->array[file->arrays]);
                if (problem)
                        return problem;
                bytes += pxr_array_bytes(&file->array[file->arrays++]);
        }
        return bytes == data_size ? NULL : "its arrays do not fill it";
}

struct pxr_safetensors *pxr_safetensors_read(struct pxr_arena *arena, const char *path,
                                             struct pxr_diag *diag)
{
        struct pxr_safetensors *file = pxr_alloc(arena, sizeof(*file));
        const char *problem;
        unsigned char *bytes;
        uint64_t length = 0;
        json_t *header;
        size_t size;

        if (!file) {
                pxr_out_of_memory(diag);
                return NULL;
        }
        file->path = path;
        bytes = read_file(arena, path, &size, diag);
        if (!bytes)
                return NULL;
        for (int i = 0; i < 8 && size >= 8; i++)
                length |= (uint64_t)bytes[i] << (8 * i);
        if (size < 8 || length > HEADER_LIMIT || length > size - 8) {
                corrupt(path, "its header is cut short", diag);
                return NULL;
        }
        header = json_loadb((char *)bytes + 8, length, JSON_REJECT_DUPLICATES, NULL);
        if (!json_is_object(header))
                problem = "its header is no JSON object";
        else
                problem = read_header(arena, header, bytes + 8 + length,
                                      (int64_t)(size - 8 - length), file);
        json_decref(header);
        if (problem) {
                corrupt(path, problem, diag);
                return NULL;
        }
        return file;
}
