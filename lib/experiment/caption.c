/* SPDX-License-Identifier: MIT */
/*
 * caption.c - texts for a PNG that say where it comes from.
 */
#include "experiment/caption.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include <pxr/version.h>

#include "base/number.h"

enum { MOST_TEXTS = 16 };

/* The NLLs of a step as text, which grows row by row. */
struct nll_text {
        struct pxr_arena *arena;
        int64_t step;
        const char *result, *along; /* NULL: none yet */
};

static void add_nll(void *context, struct pxr_moment at, const struct pxr_nll_row *nll)
{
        struct nll_text *text_of = context;
        bool final = strcmp(nll->name, "final_nll") == 0;
        const char **text = final ? &text_of->result : &text_of->along;
        double nats = nll->sum_nats / (double)nll->images;
        char text_of_nats[PXR_NUMBER_TEXT], text_of_bits[PXR_NUMBER_TEXT];

        /* That of training, along the way, is of the models of a whole epoch. */
        if (at.step != text_of->step || (!final && strcmp(nll->split, "train") == 0))
                return;
        pxr_number_text(nats, 4, text_of_nats);
        pxr_number_text(nats / ((double)nll->dimensions * log(2)), 4, text_of_bits);
        *text = pxr_strf(text_of->arena, "%s%s%s %s nats/image, %s bits/dim (step %" PRId64 ")",
                         *text ? *text : "", *text ? "; " : "", nll->split, text_of_nats,
                         text_of_bits, at.step);
}

struct texts {
        struct pxr_png_text text[MOST_TEXTS];
        int count;
};

/* A text that is NULL is left out. */
static void add(struct texts *texts, const char *key, const char *value)
{
        if (value && texts->count < MOST_TEXTS)
                texts->text[texts->count++] = (struct pxr_png_text) { key, value };
}

struct pxr_png_text *pxr_caption_texts(struct pxr_arena *arena, struct pxr_store *store,
                                       const struct pxr_caption *caption, int *count,
                                       struct pxr_diag *diag)
{
        struct texts *texts = pxr_alloc(arena, sizeof(*texts));
        struct nll_text nll = { .arena = arena, .step = caption->step };

        if (!texts || pxr_store_nlls(store, caption->run, add_nll, &nll, diag))
                return NULL;
        add(texts, "Title",
            pxr_strf(arena, "%s of run %" PRId64 " (%s)", caption->title, caption->run,
                     caption->name));
        add(texts, "Software", "pxr " PXR_VERSION);
        add(texts, "pxr:run", pxr_strf(arena, "%" PRId64, caption->run));
        add(texts, "pxr:uid", caption->uid);
        add(texts, "pxr:name", caption->name);
        add(texts, "pxr:step", pxr_strf(arena, "%" PRId64, caption->step));
        if (caption->temperature > 0) {
                add(texts, "pxr:seed", pxr_strf(arena, "%" PRIu64, caption->seed));
                add(texts, "pxr:temperature", pxr_strf(arena, "%.15g", caption->temperature));
                if (caption->log_likelihood < 0)
                        add(texts, "pxr:log_likelihood",
                            pxr_strf(arena, "%.4f", caption->log_likelihood));
        }
        add(texts, "pxr:parameters", caption->parameter_hash);
        add(texts, "pxr:nll", nll.result ? nll.result : nll.along);
        add(texts, "pxr:given", caption->given);
        add(texts, "pxr:occluded", caption->occluded);
        add(texts, "pxr:images", caption->images);
        *count = texts->count;
        return pxr_arena_failed(arena) ? NULL : texts->text;
}

struct pxr_caption pxr_recorded_caption(const struct pxr_recorded *recorded, const char *title)
{
        return (struct pxr_caption) { .title = title,
                                      .run = recorded->run->id,
                                      .uid = recorded->run->uid,
                                      .name = recorded->run->name,
                                      .step = recorded->step,
                                      .parameter_hash = recorded->parameter_hash };
}
