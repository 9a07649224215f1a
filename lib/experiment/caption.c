/* SPDX-License-Identifier: MIT */
/* caption.c - texts for a picture's file that say where it comes from. */
#include "experiment/caption.h"

#include <inttypes.h>

#include <pxr/version.h>

#include "record/cursor.h"

void pxr_caption_add(struct pxr_caption *caption, const char *key, const char *value)
{
        if (value && caption->count < PXR_CAPTION_TEXTS)
                caption->text[caption->count++] = (struct pxr_png_text) { key, value };
}

void pxr_caption_add_drawn(struct pxr_caption *caption, uint64_t seed, double temperature,
                           double log_likelihood)
{
        struct pxr_arena *arena = caption->arena;

        pxr_caption_add(caption, "pxr:seed", pxr_strf(arena, "%" PRIu64, seed));
        pxr_caption_add(caption, "pxr:temperature", pxr_strf(arena, "%.15g", temperature));
        if (log_likelihood < 0)
                pxr_caption_add(caption, "pxr:log_likelihood",
                                pxr_strf(arena, "%.4f", log_likelihood));
}

int pxr_caption_begin(struct pxr_caption *caption, struct pxr_arena *arena,
                      const struct pxr_recorded *recorded, const char *title, struct pxr_diag *diag)
{
        /* The NLL of training, along the way, is of the models of a whole epoch. */
        static const char nlls[] =
                "SELECT group_concat(split || printf(iif(abs(nats) < 1e7, ' %.4f', ' %.3g'), nats) "
                "  || printf(iif(abs(bits) < 1e7, ' nats/image, %.4f', ' nats/image, %.3g'), bits) "
                "  || printf(' bits/dim (step %d)', step), '; ') "
                "FROM (SELECT *, nats_per_image AS nats, bits_per_dimension AS bits FROM nll "
                "  WHERE run = ? AND step = ? AND nats IS NOT NULL "
                "    AND (name = 'final_nll' OR split <> 'train') ORDER BY split) "
                "GROUP BY name ORDER BY name = 'final_nll' DESC LIMIT 1";
        const struct pxr_run *run = recorded->run;
        struct pxr_cursor rows =
                pxr_query(recorded->store, arena, diag, nlls, "ii", run->id, recorded->step);

        *caption = (struct pxr_caption) { .arena = arena };
        pxr_caption_add(caption, "Title",
                        pxr_strf(arena, "%s of run %" PRId64 " (%s)", title, run->id, run->name));
        pxr_caption_add(caption, "Software", "pxr " PXR_VERSION);
        pxr_caption_add(caption, "pxr:run", pxr_strf(arena, "%" PRId64, run->id));
        pxr_caption_add(caption, "pxr:uid", run->uid);
        pxr_caption_add(caption, "pxr:name", run->name);
        pxr_caption_add(caption, "pxr:step", pxr_strf(arena, "%" PRId64, recorded->step));
        pxr_caption_add(caption, "pxr:parameters", recorded->parameter_hash);
        if (pxr_cursor_next(&rows))
                pxr_caption_add(caption, "pxr:nll", pxr_cursor_optional(&rows, 0));
        return pxr_cursor_end(&rows) || pxr_arena_failed(arena) ? -1 : 0;
}
