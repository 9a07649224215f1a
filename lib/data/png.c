/* SPDX-License-Identifier: MIT */
/*
 * png.c - pictures to and from PNG in memory.
 *
 * libpng reports an error by longjmp. So each setjmp stands in a function of its own, whose state
 * lies in a struct of the caller: nothing that matters is in a local variable.
 */
#include "config.h"

#include <limits.h>
#include <png.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/png.h"

enum { MAX_PIECE = 1 << 24 }; /* bytes libpng may take at once while it reads */

struct codec {
        const char *name;
        struct pxr_diag *diag;
        bool reported;
        png_structp png;
        png_infop info;

        /* Encoding: what is written; decoding: what is read. */
        uint8_t *out;
        const uint8_t *in;
        size_t size, room, at;

        struct pxr_arena *arena;
        struct pxr_picture *picture;
        uint8_t *pixels;
        uint8_t *with_alpha; /* the same with an alpha channel, where the file has one; malloc() */
        size_t stride;       /* of the rows that libpng gives */
        png_text *texts;
};

static void on_error(png_structp png, png_const_charp message)
{
        struct codec *codec = png_get_error_ptr(png);

        if (!codec->reported && strcasestr(message, "memory"))
                pxr_out_of_memory(codec->diag);
        else if (!codec->reported && codec->in)
                pxr_user_error(codec->diag, "%s: byte %zu: not a sound PNG: %s", codec->name,
                               codec->at, message);
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

/* libpng believes the length a chunk claims, up to 2 GB, and only warns. */
static png_voidp on_malloc(png_structp png, png_alloc_size_t size)
{
        (void)png;
        return size > MAX_PIECE ? NULL : malloc(size);
}

static void on_free(png_structp png, png_voidp memory)
{
        (void)png;
        free(memory);
}

static void on_flush(png_structp png)
{
        (void)png;
}

static void on_read(png_structp png, png_bytep bytes, size_t size)
{
        struct codec *codec = png_get_io_ptr(png);

        if (size > codec->size - codec->at)
                png_error(png, "the file ends too early (truncated?)");
        memcpy(bytes, codec->in + codec->at, size);
        codec->at += size;
}

static void write_texts(struct codec *codec)
{
        const struct pxr_picture *picture = codec->picture;

        for (int i = 0; i < picture->text_count; i++)
                codec->texts[i] = (png_text) { .compression = PNG_ITXT_COMPRESSION_NONE,
                                               .key = (char *)picture->texts[i].key,
                                               .text = (char *)picture->texts[i].value,
                                               .lang = (char *)"",
                                               .lang_key = (char *)"" };
        if (picture->text_count > 0)
                png_set_text(codec->png, codec->info, codec->texts, picture->text_count);
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
        codec.texts = calloc((size_t)picture->text_count + 1, sizeof *codec.texts);
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

/* Ask libpng for 8-bit grey or RGB, whatever is in the file. */
static void set_transforms(struct codec *codec)
{
        png_byte type = png_get_color_type(codec->png, codec->info);

        png_set_expand(codec->png); /* palettes, 1 to 4 bits, transparency as alpha */
        png_set_scale_16(codec->png);
        png_set_strip_alpha(codec->png);
        png_set_interlace_handling(codec->png);
        codec->picture->colours = type & PNG_COLOR_MASK_COLOR ? 3 : 1;
        codec->picture->bits = png_get_bit_depth(codec->png, codec->info);
        png_read_update_info(codec->png, codec->info);
}

static void read_texts(struct codec *codec)
{
        png_textp found = NULL;
        int count = 0;
        struct pxr_png_text *texts;

        png_get_text(codec->png, codec->info, &found, &count);
        texts = pxr_alloc_array(codec->arena, (size_t)count, sizeof *texts);
        if (!texts)
                memory_out(codec);
        for (int i = 0; i < count; i++) {
                texts[i].key = pxr_strdup(codec->arena, found[i].key);
                texts[i].value = pxr_strdup(codec->arena, found[i].text ? found[i].text : "");
                if (!texts[i].key || !texts[i].value)
                        memory_out(codec);
        }
        codec->picture->texts = texts;
        codec->picture->text_count = count;
}

/* Below setjmp(), as all that follows is. */
static void read_head(struct codec *codec)
{
        png_set_read_fn(codec->png, codec, on_read);
        png_set_user_limits(codec->png, PXR_PNG_MAX_SIDE, PXR_PNG_MAX_SIDE);
        png_set_chunk_malloc_max(codec->png, MAX_PIECE);
        png_read_info(codec->png, codec->info);
}

static int decode(struct codec *codec)
{
        struct pxr_picture *picture = codec->picture;
        png_uint_32 stride;
        png_bytep *rows;

        if (setjmp(png_jmpbuf(codec->png)))
                return -1;
        read_head(codec);
        set_transforms(codec);
        picture->rows = (int)png_get_image_height(codec->png, codec->info);
        picture->cols = (int)png_get_image_width(codec->png, codec->info);
        if ((int64_t)picture->rows * picture->cols > PXR_PNG_MAX_PIXELS)
                png_error(codec->png, "more than 2^26 pixels");
        stride = (png_uint_32)(picture->cols * picture->colours);
        if (png_get_rowbytes(codec->png, codec->info) != stride)
                png_error(codec->png, "a kind of PNG that is not understood");
        codec->pixels = pxr_alloc_array(codec->arena, (size_t)picture->rows, stride);
        rows = pxr_alloc_array(codec->arena, (size_t)picture->rows, sizeof *rows);
        if (!codec->pixels || !rows)
                memory_out(codec);
        for (int row = 0; row < picture->rows; row++)
                rows[row] = codec->pixels + (size_t)row * stride;
        png_read_image(codec->png, rows);
        png_read_end(codec->png, codec->info);
        read_texts(codec);
        picture->pixels = codec->pixels;
        return 0;
}

struct pxr_picture *pxr_png_decode(struct pxr_arena *arena, const char *name, const void *bytes,
                                   size_t size, struct pxr_diag *diag)
{
        struct codec codec = {
                .name = name, .diag = diag, .in = bytes, .size = size, .arena = arena
        };
        int failed = -1;

        codec.picture = pxr_alloc(arena, sizeof *codec.picture);
        codec.png = png_create_read_struct_2(PNG_LIBPNG_VER_STRING, &codec, on_error, on_warning,
                                             NULL, on_malloc, on_free);
        codec.info = codec.png ? png_create_info_struct(codec.png) : NULL;
        if (codec.picture && codec.info)
                failed = decode(&codec);
        else
                pxr_out_of_memory(diag);
        png_destroy_read_struct(&codec.png, &codec.info, NULL);
        return failed ? NULL : codec.picture;
}

/* What a data set has no use for, as an error; NULL: nothing. */
static const char *misfit(const struct codec *codec)
{
        png_byte type = png_get_color_type(codec->png, codec->info);

        if (png_get_bit_depth(codec->png, codec->info) == 16)
                return "16 bits a sample; 8 are wanted";
        if (codec->picture->colours == 1 && type & PNG_COLOR_MASK_COLOR)
                return "in colour, where grey is wanted";
        return NULL;
}

/* Report a misfit, if there is one, and leave decode_exactly(). */
static void refuse_misfit(struct codec *codec)
{
        const struct pxr_picture *wanted = codec->picture;
        unsigned rows = png_get_image_height(codec->png, codec->info);
        unsigned cols = png_get_image_width(codec->png, codec->info);
        const char *what = misfit(codec);

        if (!what && rows == (unsigned)wanted->rows && cols == (unsigned)wanted->cols)
                return;
        if (what)
                pxr_user_error(codec->diag, "%s: %s", codec->name, what);
        else
                pxr_user_error(codec->diag, "%s: %u x %u pixels, where %d x %d are wanted",
                               codec->name, rows, cols, wanted->rows, wanted->cols);
        codec->reported = true;
        png_error(codec->png, "misfit");
}

/* Copy the pixels without their alpha, which must be 255: then nothing is lost. */
static int drop_alpha(struct codec *codec)
{
        const struct pxr_picture *picture = codec->picture;
        size_t colours = (size_t)picture->colours, cols = (size_t)picture->cols;
        const uint8_t *from = codec->with_alpha;

        for (size_t i = 0; i < cols * (size_t)picture->rows; i++, from += colours + 1) {
                if (from[colours] != 255) {
                        pxr_user_error(codec->diag,
                                       "%s: row %zu, column %zu: is transparent (alpha %d); only "
                                       "opaque images are read",
                                       codec->name, i / cols, i % cols, from[colours]);
                        pxr_note(codec->diag,
                                 "to put images on white: mogrify -background white -alpha remove "
                                 "-alpha off *.png (ImageMagick)");
                        return -1;
                }
                memcpy(codec->pixels + i * colours, from, colours);
        }
        return 0;
}

/* Where libpng is to put the rows. */
static void find_room(struct codec *codec)
{
        const struct pxr_picture *picture = codec->picture;
        size_t channels = png_get_channels(codec->png, codec->info);

        codec->stride = (size_t)picture->cols * channels;
        if (channels == (size_t)picture->colours + 1) {
                codec->with_alpha = malloc((size_t)picture->rows * codec->stride);
                if (!codec->with_alpha)
                        memory_out(codec);
        } else if (channels != (size_t)picture->colours) {
                png_error(codec->png, "a kind of PNG that is not understood");
        }
        if (png_get_rowbytes(codec->png, codec->info) != codec->stride)
                png_error(codec->png, "a kind of PNG that is not understood");
}

static void read_row(struct codec *codec, int row)
{
        uint8_t *to = codec->with_alpha ? codec->with_alpha : codec->pixels;

        png_read_row(codec->png, to + (size_t)row * codec->stride, NULL);
}

static int decode_exactly(struct codec *codec)
{
        struct pxr_picture *picture = codec->picture;
        int passes;

        if (setjmp(png_jmpbuf(codec->png)))
                return -1;
        read_head(codec);
        refuse_misfit(codec);
        png_set_expand(codec->png);
        if (picture->colours == 3)
                png_set_gray_to_rgb(codec->png);
        passes = png_set_interlace_handling(codec->png);
        png_read_update_info(codec->png, codec->info);
        find_room(codec);
        for (int pass = 0; pass < passes; pass++)
                for (int row = 0; row < picture->rows; row++)
                        read_row(codec, row);
        png_read_end(codec->png, codec->info);
        return codec->with_alpha ? drop_alpha(codec) : 0;
}

int pxr_png_decode_exactly(const char *name, const void *bytes, size_t size, int rows, int cols,
                           int colours, uint8_t *pixels, struct pxr_diag *diag)
{
        struct pxr_picture picture = { .rows = rows, .cols = cols, .colours = colours };
        struct codec codec = { .name = name,
                               .diag = diag,
                               .in = bytes,
                               .size = size,
                               .picture = &picture,
                               .pixels = pixels };
        int failed = -1;

        codec.png = png_create_read_struct_2(PNG_LIBPNG_VER_STRING, &codec, on_error, on_warning,
                                             NULL, on_malloc, on_free);
        codec.info = codec.png ? png_create_info_struct(codec.png) : NULL;
        if (codec.info)
                failed = decode_exactly(&codec);
        else
                pxr_out_of_memory(diag);
        free(codec.with_alpha);
        png_destroy_read_struct(&codec.png, &codec.info, NULL);
        return failed;
}
