/* SPDX-License-Identifier: MIT */
/* fuzz_safetensors.c - the reader of checkpoints under a fuzzer: what is read lies in memory, and
 * is the same when it is written and read again. See fuzz_spec.c for how to run it. */
#include "config.h"

#include "fuzz_file.h"
#include "record/safetensors.h"

static void check_same(const struct pxr_safetensors *a, const struct pxr_safetensors *b)
{
        MUST(b && a->arrays == b->arrays && a->texts == b->texts);
        for (int i = 0; i < a->arrays; i++) {
                const struct pxr_array *one = &a->array[i];
                const struct pxr_array *other = pxr_safetensors_array(b, one->name);

                MUST(other && one->rank == other->rank);
                MUST(memcmp(one->shape, other->shape, (size_t)one->rank * sizeof(*one->shape)) ==
                     0);
                MUST(memcmp(one->data, other->data, pxr_array_size(one) * sizeof(float)) == 0);
        }
        for (int i = 0; i < a->texts; i++)
                MUST(strcmp(pxr_safetensors_text(b, a->text[i].key), a->text[i].value) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct fuzz fuzz = fuzz_begin("in", data, size);
        const char *path = fuzz_path(&fuzz, "in");
        struct pxr_safetensors *file = pxr_safetensors_read(fuzz.arena, path, fuzz.diag);

        if (file) {
                MUST(pxr_safetensors_write(path, file, fuzz.diag) == 0);
                check_same(file, pxr_safetensors_read(fuzz.arena, path, fuzz.diag));
        }
        fuzz_end(&fuzz, file != NULL);
        return 0;
}
