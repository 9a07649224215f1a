/* SPDX-License-Identifier: MIT */
/* known.c - what is known of the paper's data sets. Uses base/. */
#include "config.h"

#include "data/known.h"

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
