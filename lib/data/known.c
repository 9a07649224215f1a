/* SPDX-License-Identifier: MIT */
/*
 * known.c - the table of the paper's data sets.
 *
 * Sizes and check sums are those that independent projects agree on; of binarized MNIST and of
 * MNIST's test images they were also compared with the files themselves.
 */
#include "config.h"

#include <string.h>

#include "data/known.h"

static const struct pxr_known_file binarized_mnist[] = {
        { "binarized_mnist_train.amat", 78400000,
          "ad693b29f94c14277b095f5238ddefbbdaaae0939789dd2f4f0205278cee3e4d" },
        { "binarized_mnist_valid.amat", 15680000,
          "1de3d397c40fe8eeb33dafd4099a1f665ec01e96d9be234aaeeac8a34930e2e2" },
        { "binarized_mnist_test.amat", 15680000,
          "e6687bfea3f820c174f33b7865140b2a2dd2930ef786f35d45795fc193b5ab2c" },
        { 0 },
};

static const struct pxr_known_file mnist[] = {
        { "train-images-idx3-ubyte.gz", 9912422,
          "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609" },
        { "t10k-images-idx3-ubyte.gz", 1648877,
          "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6" },
        { 0 },
};

static const struct pxr_known_file mnist_unpacked[] = {
        { "train-images-idx3-ubyte", 47040016,
          "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db" },
        { "t10k-images-idx3-ubyte", 7840016,
          "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7" },
        { 0 },
};

static const struct pxr_known_file cifar10[] = {
        { "cifar-10-binary.tar.gz", 170052171,
          "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd" },
        { 0 },
};

static const struct pxr_known_file cifar10_unpacked[] = {
        { "data_batch_1.bin", 30730000,
          "cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5" },
        { "data_batch_2.bin", 30730000,
          "a591ca11fa1708a91ee40f54b3da4784ccd871ecf2137de63f51ada8b3fa57ed" },
        { "data_batch_3.bin", 30730000,
          "bbe8596564c0f86427f876058170b84dac6670ddf06d79402899d93ceea26f67" },
        { "data_batch_4.bin", 30730000,
          "014e562d6e23c72197cc727519169a60359f5eccd8945ad5a09d710285ff4e48" },
        { "data_batch_5.bin", 30730000,
          "755304fc0b379caeae8c14f0dac912fbc7d6cd469eb67a1029a08a39453a9add" },
        { "test_batch.bin", 30730000,
          "8e2eb146ae340b09e24670f29cabc6326dba54da8789dab6768acf480273f65b" },
        { 0 },
};

static const struct pxr_known_file imagenet[] = {
        { "train_32x32.tar", 4113018880,
          "244a323d48f8d72f65ad8b54658c01fed68d2d7bdc77ccb43da58c11e94224e5" },
        { "valid_32x32.tar", 161474560,
          "862e559462b24cf736212a19f6b0d47b55c2dc8ebdaa95ccecfe71260124c8f7" },
        { "train_64x64.tar", 12112588800,
          "e2a2c1947a748d0d256e98e6d82800d855441dc9e4de2e71a773f1324c4524d7" },
        { "valid_64x64.tar", 477255680,
          "eeac03ec4f585baf871d2b4cb9c974bfe345e74878a74e5820fe6eb1041629cd" },
        { 0 },
};

const struct pxr_known_set *const pxr_known_sets[] = {
        &(const struct pxr_known_set) {
                .name = "binarized_mnist",
                .what = "MNIST in its fixed binarization (Table 4)",
                .url = "http://www.cs.toronto.edu/~larocheh/public/datasets/binarized_mnist/",
                .source = "H. Larochelle's page, University of Toronto",
                .folder = "data/binarized_mnist",
                .files = binarized_mnist,
        },
        &(const struct pxr_known_set) {
                .name = "mnist",
                .what = "MNIST with its grey values",
                .url = "https://storage.googleapis.com/cvdf-datasets/mnist/",
                .source = "a mirror of Y. LeCun's files",
                .folder = "data/mnist",
                .files = mnist,
                .unpacked = mnist_unpacked,
        },
        &(const struct pxr_known_set) {
                .name = "cifar10",
                .what = "CIFAR-10, binary version (Table 5)",
                .url = "https://www.cs.toronto.edu/~kriz/",
                .source = "A. Krizhevsky's page, University of Toronto",
                .folder = "data/cifar10",
                .files = cifar10,
                .unpacked = cifar10_unpacked,
        },
        &(const struct pxr_known_set) {
                .name = "imagenet",
                .what = "downsampled ImageNet, release of 2016 (Table 6)",
                .source = "image-net.org, which now has another release (2017) under the same "
                          "name, whose numbers cannot be compared; give the address of a mirror "
                          "as --url",
                .folder = "data/imagenet",
                .files = imagenet,
        },
        NULL,
};

const struct pxr_known_set *pxr_known_find(const char *name, struct pxr_diag *diag)
{
        const char *names[16], *nearest;
        size_t count = 0;

        for (; pxr_known_sets[count]; count++) {
                names[count] = pxr_known_sets[count]->name;
                if (strcmp(names[count], name) == 0)
                        return pxr_known_sets[count];
        }
        pxr_user_error(diag, "'%s' is none of the sets whose official files are known", name);
        nearest = pxr_nearest(name, names, count);
        if (nearest)
                pxr_hint(diag, "did you mean '%s'?", nearest);
        for (size_t i = 0; i < count; i++)
                pxr_note(diag, "%s: %s", names[i], pxr_known_sets[i]->what);
        return NULL;
}

static bool in_list(const struct pxr_known_file *file, const char *sha256)
{
        for (; file && file->name; file++)
                if (strcmp(file->sha256, sha256) == 0)
                        return true;
        return false;
}

bool pxr_known_sha256(const char *sha256)
{
        for (int i = 0; pxr_known_sets[i]; i++)
                if (in_list(pxr_known_sets[i]->files, sha256) ||
                    in_list(pxr_known_sets[i]->unpacked, sha256))
                        return true;
        return false;
}

/* --- the releases of downsampled ImageNet ------------------------------------------------------*/

struct release {
        int year;
        int64_t train, valid; /* images */
};

static const struct release releases[] = {
        { 2016, 1281149, 49999 },
        { 2017, 1281167, 50000 },
};

enum { RELEASES = sizeof releases / sizeof releases[0] };

int pxr_imagenet_release(struct pxr_arena *arena, int64_t train, int64_t valid, const char **words,
                         struct pxr_diag *diag)
{
        int of_train = 0, of_valid = 0;

        for (int i = 0; i < RELEASES; i++) {
                of_train = releases[i].train == train ? releases[i].year : of_train;
                of_valid = releases[i].valid == valid ? releases[i].year : of_valid;
        }
        if (of_train && of_valid && of_train != of_valid)
                return pxr_user_error(diag,
                                      "downsampled ImageNet: the %lld training images are the "
                                      "release of %d, but the %lld of valid that of %d, which was "
                                      "downsampled in another way",
                                      (long long)train, of_train, (long long)valid, of_valid);
        if ((!of_train && train > 0) || (!of_valid && valid > 0) || of_train + of_valid == 0) {
                *words = "downsampled ImageNet, of neither release as a whole";
                return 0;
        }
        *words = pxr_strf(arena, "downsampled ImageNet, release of %d",
                          of_train ? of_train : of_valid);
        return *words ? 1 : pxr_out_of_memory(diag);
}
