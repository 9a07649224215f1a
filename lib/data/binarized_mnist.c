/* SPDX-License-Identifier: MIT */
/*
 * binarized_mnist.c - the fixed binarization of MNIST, as text.
 *
 * A file binarized_mnist_SPLIT.amat has one line per image: 784 values 0 or 1, separated by single
 * spaces. Nothing else is accepted.
 */
#include "config.h"

#include "data/pixels.h"

enum { SIDE = 28, PIXELS = SIDE * SIDE, LINE = 2 * PIXELS /* bytes, with the newline */ };

struct binarized_mnist {
        const char *path;
};

/* Byte `at` of a line, all of which have one length, is wrong. */
static int complain(const char *path, int64_t line, int at, unsigned char c, struct pxr_diag *diag)
{
        long long byte = (line - 1) * LINE + at;
        const char *expected = at == LINE - 1 ? "the end of the line"
                               : at % 2       ? "a space"
                                              : "0 or 1";

        if (c == '\n')
                return pxr_user_error(diag, "%s: line %lld, byte %lld: expected %d values, got %d",
                                      path, (long long)line, byte, PIXELS, (at + 1) / 2);
        if (at == LINE - 1 && c == ' ')
                return pxr_user_error(diag, "%s: line %lld, byte %lld: more than %d values", path,
                                      (long long)line, byte, PIXELS);
        if (c > ' ' && c < 0x7F)
                return pxr_user_error(diag, "%s: line %lld, byte %lld: expected %s, got '%c'", path,
                                      (long long)line, byte, expected, c);
        return pxr_user_error(diag, "%s: line %lld, byte %lld: expected %s, got byte 0x%02X", path,
                              (long long)line, byte, expected, c);
}

/* Turn a line of `size` bytes into an image. The last line of a file may lack its newline. */
static int parse_line(const char *path, int64_t number, const unsigned char *line, int size,
                      uint8_t *image, struct pxr_diag *diag)
{
        for (int at = 0; at < size; at++) {
                unsigned char c = line[at];

                if (at % 2 ? c != (at == LINE - 1 ? '\n' : ' ') : c != '0' && c != '1')
                        return complain(path, number, at, c, diag);
                if (at % 2 == 0)
                        image[at / 2] = c - '0';
        }
        if (size >= LINE - 1)
                return 0;
        return pxr_user_error(diag,
                              "%s: line %lld, byte %lld: unexpected end of data after %d of %d "
                              "values (truncated?)",
                              path, (long long)number, (long long)(number - 1) * LINE + size,
                              (size + 1) / 2, PIXELS);
}

static int parse(struct pxr_opening *o, struct pxr_reader *input)
{
        const char *path = pxr_reader_path(input);
        unsigned char line[LINE];
        int64_t got, number = 0;

        while ((got = pxr_reader_read_all(input, line, LINE, o->diag)) > 0) {
                uint8_t *image = pxr_pixels_add(o);

                if (!image || parse_line(path, ++number, line, (int)got, image, o->diag))
                        return -1;
        }
        if (got == 0 && number == 0)
                return pxr_user_error(o->diag, "%s: byte 0: the file is empty", path);
        return (int)got;
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
        int64_t count[PXR_SPLITS] = { 0 };
        int failed = pxr_pixels_begin(o, options->path, SIDE, SIDE, 1, 0);

        o->set->transforms = "static binarization";
        for (int split = 0; split < PXR_SPLITS && !pxr_arena_failed(o->arena); split++)
                if (pxr_data_opens(o, split))
                        failed |= pxr_pixels_add_file(o, options->path,
                                                      pxr_strf(o->arena, "binarized_mnist_%s.amat",
                                                               pxr_split_names[split]),
                                                      parse, &count[split]);
        return failed ? -1 : pxr_pixels_end(o, count, 0, options->path);
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
