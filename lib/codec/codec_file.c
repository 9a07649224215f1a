/* SPDX-License-Identifier: MIT */
/*
 * codec_file.c - writing and reading the file of compressed images. Whatever a file says is checked
 * before it is used.
 */
#include "codec/codec_file.h"

#include <jansson.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "base/text.h"

static const char first_line[] = "pxr-codec 1\n";

enum {
        FIRST_LINE = sizeof(first_line) - 1,
        HASH = SHA256_DIGEST_SIZE,
        HEX = PXR_SHA256_HEX - 1,
        MAX_SIDE = 1 << 15,
        MAX_SIZE_BYTES = 5,      /* of a stream's size */
        HEADER_VALUES = 1 << 21, /* most of them names */
};

static const size_t max_file = (size_t)1 << 36;
static const int64_t max_values = (int64_t)1 << 44;

static void hash_of(const void *bytes, size_t size, uint8_t hash[HASH])
{
        struct sha256_ctx context;

        sha256_init(&context);
        sha256_update(&context, size, bytes);
        sha256_digest(&context, HASH, hash);
}

bool pxr_codec_name_fits(const char *name)
{
        size_t length = strlen(name);

        return length > 4 && length <= NAME_MAX && strcmp(name + length - 4, ".png") == 0 &&
               name[0] != '.' && !strchr(name, '/') && pxr_one_line(name) && pxr_is_utf8(name);
}

/* Whether images can have this NLL. Sizes are shown as shares of it, so 0 is refused. */
static bool sound_nll(const struct pxr_codec_file *file)
{
        double values = (double)file->rows * file->cols * file->colours * (double)file->images;

        return file->nats > 0 && file->nats < 1e4 * values;
}

/* --- writing -----------------------------------------------------------------------------------
 */

static json_t *origin_as_json(const struct pxr_codec_file *file)
{
        json_t *names = file->names ? json_array() : NULL;

        if (!names)
                return json_pack("{s:s, s:I, s:s}", "split", file->split, "first",
                                 (json_int_t)file->first, "data", file->data);
        for (int64_t i = 0; i < file->images; i++)
                json_array_append_new(names, json_string(file->names[i]));
        return json_pack("{s:o}", "names", names);
}

/* The classes of the images as a text; to be freed. NULL if there are none, or memory is out. */
static char *classes_text(const struct pxr_codec_file *file)
{
        int32_t most = 0;
        int digits;
        char *text;

        for (int64_t i = 0; file->classes && i < file->images; i++)
                most = file->classes[i] > most ? file->classes[i] : most;
        digits = snprintf(NULL, 0, "%d", most);
        text = file->classes ? malloc((size_t)file->images * digits + 1) : NULL;
        for (int64_t i = 0; text && i < file->images; i++)
                snprintf(text + i * digits, digits + 1, "%0*d", digits, file->classes[i]);
        return text;
}

/* The second line, without its end; to be freed. */
static char *header_of(const struct pxr_codec_file *file)
{
        char *classes = classes_text(file);
        json_t *header = json_pack(
                "{s:{s:s, s:s, s:I, s:s, s:s, s:[i, i, i, i]}, s:s, s:s, "
                "s:{s:I, s:I, s:s, s:f, s:s*}, s:o}",
                "model", "run", file->run, "uid", file->uid, "step", (json_int_t)file->step,
                "certificate", file->certificate, "parameters", file->parameters, "image",
                file->rows, file->cols, file->colours, file->levels, "program", file->program,
                "numerics", file->numerics, "images", "count", (json_int_t)file->images,
                "per_stream", (json_int_t)file->images_per_stream, "sha256", file->pixels, "nats",
                file->nats, "classes", classes, "origin", origin_as_json(file));
        char *text = NULL;

        if (header && (classes || !file->classes))
                text = json_dumps(header, JSON_COMPACT);
        json_decref(header);
        free(classes);
        return text;
}

static void put_size(FILE *to, size_t size)
{
        for (; size >= 128; size >>= 7)
                putc((int)(size % 128 + 128), to);
        putc((int)size, to);
}

/* The whole file, to be freed; sets its sizes. NULL when out of memory. */
static char *bytes_of(struct pxr_codec_file *file)
{
        const struct pxr_streams *streams = &file->streams;
        char *header = header_of(file), *bytes = NULL;
        FILE *to = header ? open_memstream(&bytes, &file->size) : NULL;
        uint8_t hash[HASH];
        bool failed = true;

        if (to) {
                fprintf(to, "%s%s\n", first_line, header);
                file->payload = (size_t)-ftell(to);
                for (int64_t i = 0; i < streams->count; i++)
                        put_size(to, streams->stream[i].size);
                for (int64_t i = 0; i < streams->count; i++)
                        if (streams->stream[i].size > 0)
                                fwrite(streams->stream[i].bytes, 1, streams->stream[i].size, to);
                fflush(to);
                file->payload += file->size;
                hash_of(bytes, file->size, hash);
                fwrite(hash, 1, HASH, to);
                failed = ferror(to) | fclose(to);
        }
        free(header);
        if (!failed)
                return bytes;
        free(bytes);
        return NULL;
}

int pxr_codec_file_write(const char *path, bool replace, struct pxr_codec_file *file,
                         struct pxr_diag *diag)
{
        char *bytes;
        int status;

        if (!sound_nll(file))
                return pxr_user_error(
                        diag, "the images' NLL is %g nats: such a file could not be read again",
                        file->nats);
        bytes = bytes_of(file);
        status = bytes ? pxr_file_write(path, replace, bytes, file->size, diag)
                       : pxr_out_of_memory(diag);
        free(bytes);
        return status;
}

/* --- reading -----------------------------------------------------------------------------------
 */

/* A file being read. */
struct reading {
        struct pxr_arena *arena;
        const char *path;
        struct pxr_diag *diag;
        struct pxr_codec_file *file;
};

/* The SHA-256 matches: the file was made this way on purpose. */
static int unsound(const struct reading *reading, const char *what)
{
        return pxr_user_error(reading->diag, "%s: invalid pxr-codec file: %s", reading->path, what);
}

static int wrong_json(const struct reading *reading, const json_error_t *error)
{
        return pxr_json_memory_out(error) ? pxr_out_of_memory(reading->diag)
                                          : unsound(reading, error->text);
}

/* The first and the last bytes. */
static int check_ends(const struct reading *reading, const uint8_t *bytes, size_t size)
{
        uint8_t hash[HASH];

        if (size < FIRST_LINE || memcmp(bytes, first_line, FIRST_LINE) != 0) {
                if (size >= FIRST_LINE && memcmp(bytes, first_line, FIRST_LINE - 2) == 0)
                        return pxr_user_error(reading->diag,
                                              "%s: written by another version of pxr-codec",
                                              reading->path);
                return pxr_user_error(reading->diag, "%s: not a pxr-codec file", reading->path);
        }
        if (size >= FIRST_LINE + HASH)
                hash_of(bytes, size - HASH, hash);
        if (size < FIRST_LINE + HASH || memcmp(hash, bytes + size - HASH, HASH) != 0)
                return pxr_user_error(reading->diag,
                                      "%s: damaged: truncated or altered (SHA-256 mismatch)",
                                      reading->path);
        return 0;
}

static bool is_hash(const char *text)
{
        return strlen(text) == HEX && strspn(text, "0123456789abcdef") == HEX;
}

static int copy_names(const struct reading *reading, json_t *names)
{
        struct pxr_codec_file *file = reading->file;
        const char **copy =
                pxr_alloc_array(reading->arena, json_array_size(names) + 1, sizeof(*copy));

        if (!copy)
                return -1;
        if (!json_is_array(names) || json_array_size(names) != (size_t)file->images)
                return unsound(reading, "expected one name for each image");
        for (int64_t i = 0; i < file->images; i++) {
                const char *name = json_string_value(json_array_get(names, (size_t)i));

                if (!name || !pxr_codec_name_fits(name))
                        return unsound(reading, "invalid file name of an image");
                copy[i] = pxr_strdup(reading->arena, name);
        }
        file->names = copy;
        return 0;
}

static int copy_classes(const struct reading *reading, const char *text)
{
        struct pxr_codec_file *file = reading->file;
        size_t length = strlen(text), digits = length / (size_t)file->images;
        int32_t *classes;

        if (digits < 1 || digits > 9 || digits * (size_t)file->images != length ||
            text[strspn(text, "0123456789")])
                return unsound(reading, "expected one class for each image");
        classes = pxr_alloc_array(reading->arena, (size_t)file->images, sizeof(*classes));
        for (size_t i = 0; classes && i < length; i++)
                classes[i / digits] = 10 * classes[i / digits] + (text[i] - '0');
        file->classes = classes;
        return classes ? 0 : -1;
}

/* Numbers that are used to compute with. */
static int check_numbers(const struct reading *reading)
{
        const struct pxr_codec_file *file = reading->file;
        int64_t values = (int64_t)file->rows * file->cols * file->colours;

        if (file->rows < 1 || file->rows > MAX_SIDE || file->cols < 1 || file->cols > MAX_SIDE ||
            (file->colours != 1 && file->colours != 3) || file->levels < 2 || file->levels > 256)
                return unsound(reading, "invalid image shape");
        if (file->images < 1 || file->images > max_values / values)
                return unsound(reading, "number of images out of range");
        if (file->images_per_stream < PXR_CODEC_GROUP ||
            file->images_per_stream > PXR_CODEC_STREAM / values + PXR_CODEC_GROUP ||
            file->images_per_stream % PXR_CODEC_GROUP)
                return unsound(reading, "invalid number of images per stream");
        if (!sound_nll(file))
                return unsound(reading, "NLL out of range");
        return 0;
}

/* Keep the texts of the header, which are jansson's. */
static int copy_texts(const struct reading *reading)
{
        struct pxr_codec_file *file = reading->file;
        const char **text[] = { &file->certificate, &file->parameters, &file->pixels,
                                &file->data,        &file->run,        &file->uid,
                                &file->program,     &file->numerics,   &file->split };
        enum { HASHES = 4 }; /* the first of them */

        for (size_t i = 0; i < PXR_COUNT(text); i++) {
                if (!*text[i]) /* of the images' origin, which has names instead */
                        continue;
                if (i < HASHES ? !is_hash(*text[i]) : !pxr_one_line(*text[i]))
                        return unsound(reading, i < HASHES ? "invalid SHA-256"
                                                           : "a text has more than one line");
                *text[i] = pxr_strdup(reading->arena, *text[i]);
        }
        return 0;
}

static int take_header(const struct reading *reading, json_t *header)
{
        struct pxr_codec_file *file = reading->file;
        json_int_t step, images, per_stream, first = -1;
        const char *classes = NULL;
        json_t *names = NULL;
        json_error_t error;

        if (json_unpack_ex(header, &error, 0,
                           "{s:{s:s, s:s, s:I, s:s, s:s, s:[i, i, i, i]}, s:s, s:s, "
                           "s:{s:I, s:I, s:s, s:F, s?s}, s:{s?o, s?s, s?I, s?s}}",
                           "model", "run", &file->run, "uid", &file->uid, "step", &step,
                           "certificate", &file->certificate, "parameters", &file->parameters,
                           "image", &file->rows, &file->cols, &file->colours, &file->levels,
                           "program", &file->program, "numerics", &file->numerics, "images",
                           "count", &images, "per_stream", &per_stream, "sha256", &file->pixels,
                           "nats", &file->nats, "classes", &classes, "origin", "names", &names,
                           "split", &file->split, "first", &first, "data", &file->data))
                return wrong_json(reading, &error);
        file->step = step;
        file->images = images;
        file->images_per_stream = per_stream;
        file->first = first;
        if (!names && (!file->split || !file->data || first < 0 || first > INT32_MAX))
                return unsound(reading, "missing or invalid origin of the images");
        if (check_numbers(reading) || copy_texts(reading) ||
            (classes && copy_classes(reading, classes)))
                return -1;
        return names ? copy_names(reading, names) : 0;
}

static int read_header(const struct reading *reading, const uint8_t *text, size_t size)
{
        json_error_t error;
        json_t *header = pxr_json_parse((const char *)text, size, HEADER_VALUES, &error);
        int status = header ? take_header(reading, header) : wrong_json(reading, &error);

        json_decref(header);
        return status;
}

/* Returns where it ends, or NULL. */
static const uint8_t *get_size(const uint8_t *at, const uint8_t *end, size_t *size)
{
        *size = 0;
        for (int i = 0; i < MAX_SIZE_BYTES && at < end; i++, at++) {
                *size |= (size_t)(*at % 128) << (7 * i);
                if (*at < 128)
                        return at + 1;
        }
        return NULL;
}

/* The streams stay where they are in the file's bytes. */
static int read_streams(const struct reading *reading, uint8_t *bytes, const uint8_t *end)
{
        struct pxr_streams *streams = &reading->file->streams;
        int64_t count = pxr_stream_count(reading->file->images, reading->file->images_per_stream);
        const uint8_t *at = bytes;

        if (count > end - at)
                return unsound(reading, "missing streams");
        streams->count = count;
        streams->stream = pxr_alloc_array(reading->arena, (size_t)count, sizeof(*streams->stream));
        if (!streams->stream)
                return -1;
        for (int64_t i = 0; i < count && at; i++)
                at = get_size(at, end, &streams->stream[i].size);
        for (struct pxr_stream_bytes *stream = streams->stream;
             stream < streams->stream + count && at; stream++) {
                stream->bytes = bytes + (at - bytes);
                at = stream->size <= (size_t)(end - at) ? at + stream->size : NULL;
        }
        return at == end ? 0 : unsound(reading, "invalid sizes of streams");
}

struct pxr_codec_file *pxr_codec_file_read(struct pxr_arena *arena, const char *path,
                                           struct pxr_diag *diag)
{
        struct pxr_codec_file *file = pxr_alloc(arena, sizeof(*file));
        struct reading reading = { arena, path, diag, file };
        size_t size;
        uint8_t *bytes = pxr_file_read(arena, path, max_file, &size, diag), *line, *end;

        if (!file || !bytes || check_ends(&reading, bytes, size))
                return NULL;
        end = bytes + size - HASH;
        line = memchr(bytes + FIRST_LINE, '\n', (size_t)(end - bytes) - FIRST_LINE);
        if (!line) {
                unsound(&reading, "missing header");
                return NULL;
        }
        file->size = size;
        file->payload = (size_t)(end - line) - 1;
        if (read_header(&reading, bytes + FIRST_LINE, (size_t)(line - bytes) - FIRST_LINE) ||
            read_streams(&reading, line + 1, end))
                return NULL;
        return pxr_arena_failed(arena) ? NULL : file;
}

const char *const *pxr_codec_file_names(struct pxr_arena *arena, const struct pxr_codec_file *file)
{
        const char **names;

        if (file->names)
                return file->names;
        names = pxr_alloc_array(arena, (size_t)file->images, sizeof(*names));
        for (int64_t i = 0; names && i < file->images; i++)
                names[i] = pxr_strf(arena, "%07lld.png", (long long)(file->first + i));
        return pxr_arena_failed(arena) ? NULL : names;
}
