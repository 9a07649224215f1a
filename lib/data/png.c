/* SPDX-License-Identifier: MIT */
/*
 * png.c - pictures to and from PNG, in memory and in files.
 *
 * libpng reports errors by longjmp. So each setjmp is in a function of its own that keeps its state
 * in a struct of the caller: local variables would be lost.
 */
#include "config.h"

#include <errno.h>
#include <limits.h>
#include <png.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/staging.h"
#include "data/format.h"
#include "data/png.h"

/* The bytes libpng may take at once while it reads, and those of a file. */
enum { MAX_PIECE = 1 << 24, MAX_FILE = 1 << 28 };

struct codec {
        const char *name;
        struct pxr_diag *diag;
        bool reported;
        png_structp png;
        png_infop info;

        /* The output of encoding, the input of decoding. */
        uint8_t *out;
        const uint8_t *in;
        size_t size, room, at;

        struct pxr_picture *picture;
        bool exact;      /* decode to the size and colours of the picture, without loss */
        uint8_t *pixels; /* as decoded; malloc() */
        size_t channels; /* of these: the colours, and alpha if the file has it */
        png_text *texts;
};

static void on_error(png_structp png, png_const_charp message)
{
        struct codec *codec = png_get_error_ptr(png);

        if (!codec->reported && strcasestr(message, "memory"))
                pxr_out_of_memory(codec->diag);
        else if (!codec->reported && codec->in)
                pxr_user_error(codec->diag, "%s: byte %zu: invalid PNG: %s", codec->name, codec->at,
                               message);
        else if (!codec->reported)
                pxr_system_error(codec->diag, "PNG: cannot be encoded: %s", message);
        codec->reported = true;
        png_longjmp(png, 1);
}

static void on_warning(png_structp png, png_const_charp message)
{
        (void)png, (void)message;
}

static void memory_out(struct codec *codec)
{
        pxr_out_of_memory(codec->diag);
        codec->reported = true;
        png_error(codec->png, "out of memory");
}

static void on_write(png_structp png, png_bytep bytes, size_t size)
{
        struct codec *codec = png_get_io_ptr(png);

        if (size > codec->room - codec->size) {
                size_t room = codec->room * 2 + size + 4096;
                uint8_t *out = realloc(codec->out, room);

                if (!out)
                        memory_out(codec);
                codec->out = out;
                codec->room = room;
        }
        memcpy(codec->out + codec->size, bytes, size);
        codec->size += size;
}

/* libpng trusts the length a chunk claims, up to 2 GB. */
static png_voidp on_malloc(png_structp png, png_alloc_size_t size)
{
        (void)png;
        return size > MAX_PIECE ? NULL : malloc(size);
}

static void on_flush(png_structp png)
{
        (void)png;
}

static void on_read(png_structp png, png_bytep bytes, size_t size)
{
        struct codec *codec = png_get_io_ptr(png);

        if (size > codec->size - codec->at)
                png_error(png, "unexpected end of file (truncated?)");
        memcpy(bytes, codec->in + codec->at, size);
        codec->at += size;
}

static void write_texts(struct codec *codec)
{
        const struct pxr_picture *picture = codec->picture;

        for (int i = 0; i < picture->texts.count; i++)
                codec->texts[i] = (png_text) { .compression = PNG_ITXT_COMPRESSION_NONE,
                                               .key = (char *)picture->texts.text[i].key,
                                               .text = (char *)picture->texts.text[i].value,
                                               .lang = (char *)"",
                                               .lang_key = (char *)"" };
        if (picture->texts.count > 0)
                png_set_text(codec->png, codec->info, codec->texts, picture->texts.count);
}

static int encode(struct codec *codec)
{
        const struct pxr_picture *picture = codec->picture;
        size_t stride = (size_t)picture->cols * (size_t)picture->colours;

        if (setjmp(png_jmpbuf(codec->png)))
                return -1;
        png_set_write_fn(codec->png, codec, on_write, on_flush);
        png_set_IHDR(codec->png, codec->info, (png_uint_32)picture->cols,
                     (png_uint_32)picture->rows, 8,
                     picture->colours == 1 ? PNG_COLOR_TYPE_GRAY : PNG_COLOR_TYPE_RGB,
                     PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
        write_texts(codec);
        png_write_info(codec->png, codec->info);
        for (int row = 0; row < picture->rows; row++)
                png_write_row(codec->png, picture->pixels + (size_t)row * stride);
        png_write_end(codec->png, codec->info);
        return 0;
}

uint8_t *pxr_png_encode(const struct pxr_picture *picture, size_t *size, struct pxr_diag *diag)
{
        struct codec codec = { .diag = diag, .picture = (struct pxr_picture *)picture };
        int failed = -1;

        if (picture->rows < 1 || picture->rows > PXR_PNG_MAX_SIDE || picture->cols < 1 ||
            picture->cols > PXR_PNG_MAX_SIDE || (picture->colours != 1 && picture->colours != 3)) {
                pxr_system_error(diag, "PNG: cannot be encoded: %d x %d pixels of %d colours",
                                 picture->rows, picture->cols, picture->colours);
                return NULL;
        }
        codec.texts = calloc((size_t)picture->texts.count + 1, sizeof *codec.texts);
        codec.png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &codec, on_error, on_warning);
        codec.info = codec.png ? png_create_info_struct(codec.png) : NULL;
        if (codec.texts && codec.info)
                failed = encode(&codec);
        else
                pxr_out_of_memory(diag);
        png_destroy_write_struct(&codec.png, &codec.info);
        free(codec.texts);
        if (failed) {
                free(codec.out);
                return NULL;
        }
        *size = codec.size;
        return codec.out;
}

/* Report what data sets cannot use, if there is any, and leave decode(). */
static void refuse_misfit(struct codec *codec)
{
        const struct pxr_picture *wanted = codec->picture;
        unsigned rows = png_get_image_height(codec->png, codec->info);
        unsigned cols = png_get_image_width(codec->png, codec->info);
        png_byte type = png_get_color_type(codec->png, codec->info);

        if (png_get_bit_depth(codec->png, codec->info) == 16)
                pxr_user_error(codec->diag, "%s: expected 8 bits per sample, got 16", codec->name);
        else if (wanted->colours == 1 && type & PNG_COLOR_MASK_COLOR)
                pxr_user_error(codec->diag, "%s: expected a grey image, got colour", codec->name);
        else if (rows != (unsigned)wanted->rows || cols != (unsigned)wanted->cols)
                pxr_user_error(codec->diag, "%s: expected %d x %d pixels, got %u x %u", codec->name,
                               wanted->rows, wanted->cols, rows, cols);
        else
                return;
        codec->reported = true;
        png_error(codec->png, "misfit");
}

/* Take the kind of picture from the file. */
static void set_kind(struct codec *codec)
{
        struct pxr_picture *picture = codec->picture;
        png_byte type = png_get_color_type(codec->png, codec->info);

        picture->rows = (int)png_get_image_height(codec->png, codec->info);
        picture->cols = (int)png_get_image_width(codec->png, codec->info);
        picture->colours = type & PNG_COLOR_MASK_COLOR ? 3 : 1;
        picture->bits = png_get_bit_depth(codec->png, codec->info);
        if ((int64_t)picture->rows * picture->cols > PXR_PNG_MAX_PIXELS)
                png_error(codec->png, "more than 2^26 pixels");
}

/* Read the pixels as 8-bit grey or RGB with or without alpha, whatever is in the file. */
static void read_pixels(struct codec *codec)
{
        const struct pxr_picture *picture = codec->picture;
        size_t colours = (size_t)picture->colours, stride;
        int passes;

        png_set_expand(codec->png); /* palettes, 1 to 4 bits, transparency as alpha */
        png_set_scale_16(codec->png);
        if (colours == 3)
                png_set_gray_to_rgb(codec->png);
        passes = png_set_interlace_handling(codec->png);
        png_read_update_info(codec->png, codec->info);
        codec->channels = png_get_channels(codec->png, codec->info);
        stride = (size_t)picture->cols * codec->channels;
        if ((codec->channels != colours && codec->channels != colours + 1) ||
            png_get_rowbytes(codec->png, codec->info) != stride)
                png_error(codec->png, "unsupported kind of PNG");
        codec->pixels = malloc((size_t)picture->rows * stride);
        if (!codec->pixels)
                memory_out(codec);
        for (int pass = 0; pass < passes; pass++)
                for (int row = 0; row < picture->rows; row++)
                        png_read_row(codec->png, codec->pixels + (size_t)row * stride, NULL);
        png_read_end(codec->png, codec->info);
}

static int decode(struct codec *codec)
{
        if (setjmp(png_jmpbuf(codec->png)))
                return -1;
        png_set_read_fn(codec->png, codec, on_read);
        png_set_user_limits(codec->png, PXR_PNG_MAX_SIDE, PXR_PNG_MAX_SIDE);
        png_set_chunk_malloc_max(codec->png, MAX_PIECE);
        png_read_info(codec->png, codec->info);
        if (codec->exact)
                refuse_misfit(codec);
        else
                set_kind(codec);
        read_pixels(codec);
        return 0;
}

/* Decode the input. Either way end_reading() follows. Returns 0 or -1. */
static int begin_reading(struct codec *codec)
{
        codec->png = png_create_read_struct_2(PNG_LIBPNG_VER_STRING, codec, on_error, on_warning,
                                              NULL, on_malloc, NULL);
        codec->info = codec->png ? png_create_info_struct(codec->png) : NULL;
        return codec->info ? decode(codec) : pxr_out_of_memory(codec->diag);
}

static void end_reading(struct codec *codec)
{
        png_destroy_read_struct(&codec->png, &codec->info, NULL);
        free(codec->pixels);
}

/* Copy the pixels without alpha. With `exact` it must be 255, so that nothing is lost. */
static int drop_alpha(const struct codec *codec, uint8_t *pixels)
{
        const struct pxr_picture *picture = codec->picture;
        size_t colours = (size_t)picture->colours, cols = (size_t)picture->cols;
        const uint8_t *from = codec->pixels;
        bool check = codec->exact && codec->channels > colours;

        if ((size_t)codec->channels == colours) {
                memcpy(pixels, from, cols * (size_t)picture->rows * colours);
                return 0;
        }
        for (size_t i = 0; i < cols * (size_t)picture->rows; i++, from += codec->channels) {
                if (check && from[colours] != 255) {
                        pxr_user_error(codec->diag,
                                       "%s: row %zu, column %zu: transparent pixel (alpha %d); "
                                       "images must be opaque",
                                       codec->name, i / cols, i % cols, from[colours]);
                        pxr_note(codec->diag,
                                 "to put images on white: mogrify -background white -alpha remove "
                                 "-alpha off *.png (ImageMagick)");
                        return -1;
                }
                memcpy(pixels + i * colours, from, colours);
        }
        return 0;
}

/* Copy the texts of the file to the picture. */
static void copy_texts(const struct codec *codec, struct pxr_arena *arena)
{
        png_textp found = NULL;
        int count = 0;
        struct pxr_png_text *texts;

        png_get_text(codec->png, codec->info, &found, &count);
        texts = pxr_alloc_array(arena, (size_t)count, sizeof *texts);
        for (int i = 0; i < count && texts; i++)
                texts[i] = (struct pxr_png_text) { pxr_strdup(arena, found[i].key),
                                                   pxr_strdup(arena,
                                                              found[i].text ? found[i].text : "") };
        codec->picture->texts = (struct pxr_png_texts) { texts, count };
}

struct pxr_picture *pxr_png_decode(struct pxr_arena *arena, const char *name, const void *bytes,
                                   size_t size, struct pxr_diag *diag)
{
        struct pxr_picture *picture = pxr_alloc(arena, sizeof *picture);
        struct codec codec = {
                .name = name, .diag = diag, .in = bytes, .size = size, .picture = picture
        };
        int failed = !picture || begin_reading(&codec);
        uint8_t *pixels =
                failed ? NULL
                       : pxr_alloc_array(arena, (size_t)picture->rows,
                                         (size_t)picture->cols * (size_t)picture->colours);

        if (pixels) {
                drop_alpha(&codec, pixels);
                copy_texts(&codec, arena);
                picture->pixels = pixels;
        }
        end_reading(&codec);
        return failed || pxr_arena_failed(arena) ? NULL : picture;
}

/* --- images of a number of levels
 * ----------------------------------------------------------------*/

static size_t size_of(const struct pxr_image_kind *kind)
{
        return (size_t)kind->rows * (size_t)kind->cols * (size_t)kind->colours;
}

int pxr_png_to_levels(const char *name, const struct pxr_image_kind *kind, uint8_t *pixels,
                      struct pxr_diag *diag)
{
        size_t size = size_of(kind), colours = (size_t)kind->colours, cols = (size_t)kind->cols;

        for (size_t i = 0; i < size && kind->levels < 256; i++) {
                int level = pxr_byte_level(pixels[i], kind->levels);

                if (pxr_level_byte(level, kind->levels) != pixels[i])
                        return pxr_user_error(diag,
                                              "%s: row %zu, column %zu: the value %d is not one "
                                              "of %d levels from 0 to 255%s",
                                              name, i / colours / cols, i / colours % cols,
                                              pixels[i], kind->levels,
                                              kind->levels == 2 ? ": make it black and white" : "");
                pixels[i] = (uint8_t)level;
        }
        return 0;
}

int pxr_png_decode_image(const char *name, const void *bytes, size_t size,
                         const struct pxr_image_kind *kind, uint8_t *pixels, struct pxr_diag *diag)
{
        struct pxr_picture picture = { .rows = kind->rows,
                                       .cols = kind->cols,
                                       .colours = kind->colours };
        struct codec codec = { .name = name,
                               .diag = diag,
                               .in = bytes,
                               .size = size,
                               .exact = true,
                               .picture = &picture };
        int failed = begin_reading(&codec) || drop_alpha(&codec, pixels);

        end_reading(&codec);
        return failed ? -1 : pxr_png_to_levels(name, kind, pixels, diag);
}

int pxr_png_read_image(const char *path, const struct pxr_image_kind *kind, uint8_t *pixels,
                       struct pxr_diag *diag)
{
        struct pxr_arena *scratch = pxr_arena_new(0, diag);
        size_t size;
        uint8_t *bytes;
        int status = -1;

        if (!scratch)
                return pxr_out_of_memory(diag);
        bytes = pxr_file_read(scratch, path, MAX_FILE, &size, diag);
        if (bytes)
                status = pxr_png_decode_image(path, bytes, size, kind, pixels, diag);
        pxr_arena_free(scratch);
        return status;
}

int pxr_png_write(const char *path, const struct pxr_picture *picture, struct pxr_diag *diag)
{
        size_t size;
        uint8_t *bytes = pxr_png_encode(picture, &size, diag);
        FILE *file;
        bool failed;

        if (!bytes)
                return -1;
        file = fopen(path, "wxe");
        failed = !file || fwrite(bytes, 1, size, file) != size;
        failed |= file && fclose(file) != 0;
        free(bytes);
        return failed ? pxr_system_error(diag, "cannot write %s: %s", path, strerror(errno)) : 0;
}

/* An image's PNG; `bytes` has room for its values as bytes. */
static int write_image(const char *path, const struct pxr_image_kind *kind, const uint8_t *pixels,
                       struct pxr_png_texts texts, uint8_t *bytes, struct pxr_diag *diag)
{
        const struct pxr_picture picture = { .rows = kind->rows,
                                             .cols = kind->cols,
                                             .colours = kind->colours,
                                             .pixels = bytes,
                                             .texts = texts };

        for (size_t i = 0; i < size_of(kind); i++)
                bytes[i] = pxr_level_byte(pixels[i], kind->levels);
        return pxr_png_write(path, &picture, diag);
}

int pxr_png_write_images(const char *folder, const struct pxr_image_kind *kind, int64_t count,
                         const char *const *names, const uint8_t *pixels,
                         const struct pxr_png_texts *texts, struct pxr_diag *diag)
{
        struct pxr_output_folder output;
        int status = pxr_output_folder_begin(&output, folder, diag);
        uint8_t *bytes = malloc(size_of(kind));
        char path[PATH_MAX + NAME_MAX + 2];

        if (!bytes)
                status = pxr_out_of_memory(diag);
        for (int64_t i = 0; i < count && status == 0; i++, pixels += size_of(kind)) {
                snprintf(path, sizeof path, "%s/%s", output.staging.path, names[i]);
                status = write_image(path, kind, pixels,
                                     texts ? texts[i] : (struct pxr_png_texts) { 0 }, bytes, diag);
        }
        free(bytes);
        return pxr_output_folder_end(&output, status, diag);
}
