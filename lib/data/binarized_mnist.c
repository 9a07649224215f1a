/* SPDX-License-Identifier: MIT */
/*
 * binarized_mnist.c - the fixed binarization of MNIST, as text.
 *
 * A file binarized_mnist_SPLIT.amat has one line per image: 784 values 0 or 1, separated by single
 * spaces. Nothing else is accepted.
 */
#include "config.h"

#include "data/pixels.h"

enum { SIDE = 28, PIXELS = SIDE * SIDE, CHUNK = 1 << 16 };

struct binarized_mnist {
        const char *path;
};

/* The state of parsing. */
struct amat {
        struct pxr_pixels *pixels;
        int64_t first;  /* image of the file */
        uint8_t *line;  /* the image being filled; NULL at the start of a line */
        int values;     /* of the line so far */
        bool after;     /* a value was read: a space or the end of the line follows */
        int64_t offset; /* of the chunk */
        const char *path;
};

/* Lines that were begun. */
static long long lines(const struct amat *amat)
{
        return (long long)(pxr_pixels_count(amat->pixels) - amat->first);
}

static int complain(const struct amat *amat, int64_t at, unsigned char c, struct pxr_diag *diag)
{
        long long line = lines(amat) + !amat->line, byte = (long long)at;
        bool full = amat->values == PIXELS;
        const char *expected = full ? "the end of the line" : amat->after ? "a space" : "0 or 1";

        if (c == '\n')
                return pxr_user_error(diag, "%s: line %lld, byte %lld: expected %d values, got %d",
                                      amat->path, line, byte, PIXELS, amat->values);
        if (full && c == ' ')
                return pxr_user_error(diag, "%s: line %lld, byte %lld: more than %d values",
                                      amat->path, line, byte, PIXELS);
        if (c > ' ' && c < 0x7F)
                return pxr_user_error(diag, "%s: line %lld, byte %lld: expected %s, got '%c'",
                                      amat->path, line, byte, expected, c);
        return pxr_user_error(diag, "%s: line %lld, byte %lld: expected %s, got byte 0x%02X",
                              amat->path, line, byte, expected, c);
}

static int parse_chunk(struct amat *amat, const unsigned char *chunk, int64_t size,
                       struct pxr_diag *diag)
{
        for (int64_t i = 0; i < size; i++) {
                unsigned char c = chunk[i];

                if (!amat->after && (c == '0' || c == '1')) {
                        if (!amat->line)
                                amat->line = pxr_pixels_add(amat->pixels, diag);
                        if (!amat->line)
                                return -1;
                        amat->line[amat->values++] = c - '0';
                        amat->after = true;
                } else if (amat->after && c == ' ' && amat->values < PIXELS) {
                        amat->after = false;
                } else if (amat->after && c == '\n' && amat->values == PIXELS) {
                        amat->line = NULL;
                        amat->values = 0;
                        amat->after = false;
                } else {
                        return complain(amat, amat->offset + i, c, diag);
                }
        }
        amat->offset += size;
        return 0;
}

static int parse(struct amat *amat, struct pxr_reader *input, struct pxr_diag *diag)
{
        unsigned char chunk[CHUNK];
        int64_t got;

        while ((got = pxr_reader_read(input, chunk, sizeof chunk, diag)) > 0)
                if (parse_chunk(amat, chunk, got, diag))
                        return -1;
        if (got < 0)
                return -1;
        /* The last line may lack its newline, but none of its values. */
        if (amat->line && (amat->values < PIXELS || !amat->after))
                return pxr_user_error(diag,
                                      "%s: line %lld, byte %lld: unexpected end of data after %d "
                                      "of %d values (truncated?)",
                                      amat->path, lines(amat), (long long)amat->offset,
                                      amat->values, PIXELS);
        if (lines(amat) == 0)
                return pxr_user_error(diag, "%s: byte 0: the file is empty", amat->path);
        return 0;
}

static int read_split(struct pxr_opening *o, struct pxr_held *held, const char *folder,
                      enum pxr_split split, int64_t *count)
{
        const char *name = pxr_strf(o->arena, "binarized_mnist_%s.amat", pxr_split_names[split]);
        struct pxr_reader *input = pxr_reader_open(folder, name, o->diag);
        struct amat amat = { .pixels = held->pixels, .first = pxr_pixels_count(held->pixels) };
        int failed;

        if (!input)
                return -1;
        amat.path = pxr_reader_path(input);
        failed = parse(&amat, input, o->diag) || pxr_data_record(o, input);
        pxr_reader_close(input);
        *count = lines(&amat);
        return failed ? -1 : 0;
}

static void set_kind(const void *conf, struct pxr_dataset *set)
{
        (void)conf;
        set->rows = set->cols = SIDE;
        set->colours = 1;
        set->levels = 2;
}

static int open_set(struct pxr_opening *o)
{
        const struct binarized_mnist *options = o->options;
        struct pxr_held *held = pxr_alloc(o->arena, sizeof *held);
        int64_t count[PXR_SPLITS] = { 0 };
        int failed = 0;

        if (!held || pxr_held_begin(o, held, options->path, SIDE, SIDE, 1, 0))
                return -1;
        o->set->transforms = "static binarization";
        for (int split = 0; split < PXR_SPLITS; split++)
                if (pxr_data_opens(o, split))
                        failed |= read_split(o, held, options->path, split, &count[split]);
        return failed ? -1 : pxr_held_end(o, count, 0, options->path);
}

static const struct pxr_option rows[] = {
        PXR_STRING(struct binarized_mnist, path, "data/binarized_mnist",
                   "folder of binarized_mnist_{train,valid,test}.amat or .amat.gz"),
        PXR_END,
};

static const struct pxr_options options = { .rows = rows, .size = sizeof(struct binarized_mnist) };

static const struct pxr_official_file files[] = {
        { "binarized_mnist_train.amat", 78400000,
          "ad693b29f94c14277b095f5238ddefbbdaaae0939789dd2f4f0205278cee3e4d" },
        { "binarized_mnist_valid.amat", 15680000,
          "1de3d397c40fe8eeb33dafd4099a1f665ec01e96d9be234aaeeac8a34930e2e2" },
        { "binarized_mnist_test.amat", 15680000,
          "e6687bfea3f820c174f33b7865140b2a2dd2930ef786f35d45795fc193b5ab2c" },
        { 0 },
};

static const struct pxr_official official = {
        .url = "http://www.cs.toronto.edu/~larocheh/public/datasets/binarized_mnist/",
        .source = "H. Larochelle's page, University of Toronto",
        .files = files,
};

static const struct pxr_data_sign signs[] = {
        { "binarized_mnist_train.amat", "train", NULL },
        { "binarized_mnist_valid.amat", "valid", NULL },
        { "binarized_mnist_test.amat", "test", NULL },
        { 0 },
};

const struct pxr_data_format pxr_data_binarized_mnist = {
        .name = "binarized_mnist",
        .help = "MNIST in its fixed binarization, 28x28, two levels",
        .options = &options,
        .kind = set_kind,
        .open = open_set,
        .signs = signs,
        .official = &official,
};
