/* SPDX-License-Identifier: MIT */
/*
 * compress.c - images to a file and back, under the model of a recorded run.
 */
#include "config.h"

#include "experiment/compress.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "base/staging.h"
#include "experiment/images.h"
#include "record/provenance.h"

static int check_run(const struct pxr_recorded *recorded, struct pxr_diag *diag)
{
        const char *misfit = recorded->run->certificate ? pxr_codec_misfit(recorded->graph)
                                                        : "its model was never proven causal";

        return misfit ? pxr_user_error(diag, "run %" PRId64 " ('%s') cannot compress: %s",
                                       recorded->run->id, recorded->run->name, misfit)
                      : 0;
}

/* What the last bits of a probability depend on: the program, the instruction set and the BLAS. */
static int describe_here(struct pxr_arena *arena, struct pxr_codec_file *file)
{
        const struct pxr_run *p = pxr_provenance(arena, NULL);

        if (!p)
                return -1;
        file->program =
                pxr_strf(arena, "pxr %s%s%s", p->program_version, p->program_revision ? " " : "",
                         p->program_revision ? p->program_revision : "");
        file->numerics =
                pxr_strf(arena, "%s; %.*s", p->instruction_set ? p->instruction_set : "unknown",
                         (int)strcspn(p->libraries, ";"), p->libraries);
        return pxr_arena_failed(arena) ? -1 : 0;
}

static struct pxr_coding coding_of(const struct pxr_recorded *recorded,
                                   const struct pxr_codec_file *file,
                                   const struct pxr_codec_work *work)
{
        return (struct pxr_coding) { .graph = recorded->graph,
                                     .parameters = recorded->parameters,
                                     .classes = file->classes,
                                     .images = file->images,
                                     .images_per_stream = file->images_per_stream,
                                     .threads = work->threads,
                                     .observer = work->observer };
}

/* --- the images --------------------------------------------------------------------------------
 */

static int by_text(const void *a, const void *b)
{
        return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Two files of one name would become one file. */
static int check_names(struct pxr_arena *arena, const char *const *names, size_t count,
                       struct pxr_diag *diag)
{
        const char **sorted = pxr_alloc_array(arena, count + 1, sizeof(*sorted));

        if (!sorted)
                return -1;
        memcpy(sorted, names, count * sizeof(*sorted));
        qsort(sorted, count, sizeof(*sorted), by_text);
        for (size_t i = 0; i + 1 < count; i++)
                if (strcmp(sorted[i], sorted[i + 1]) == 0)
                        return pxr_user_error(diag, "there are two files named %s", sorted[i]);
        return 0;
}

static int read_files(struct pxr_arena *arena, const struct pxr_compression *order,
                      struct pxr_codec_file *file, uint8_t **pixels, struct pxr_diag *diag)
{
        const struct pxr_image_kind kind = pxr_kind_of(order->recorded->graph);
        size_t values = pxr_graph_values(order->recorded->graph);
        const char **names = pxr_alloc_array(arena, order->file_count, sizeof(*names));

        *pixels = pxr_alloc_array(arena, order->file_count, values);
        if (!names || !*pixels)
                return -1;
        for (size_t i = 0; i < order->file_count; i++) {
                names[i] = basename(order->files[i]);
                if (!pxr_codec_name_fits(names[i]))
                        return pxr_user_error(diag, "%s: is not named like a PNG file (NAME.png)",
                                              order->files[i]);
                if (pxr_png_read_image(order->files[i], &kind, *pixels + i * values, diag))
                        return -1;
        }
        file->images = (int64_t)order->file_count;
        file->names = names;
        if (order->recorded->graph->class_map && order->class < 0)
                return pxr_user_error(diag,
                                      "the model is given the class of an image: name that of "
                                      "the images with --class");
        file->classes =
                pxr_sample_classes(arena, order->recorded->graph, (int)file->images, order->class);
        return check_names(arena, names, order->file_count, diag);
}

static int check_split(const struct pxr_dataset *set, const struct pxr_compression *order,
                       struct pxr_diag *diag)
{
        int64_t all = set->count[order->split];

        if (all == 0)
                return pxr_user_error(diag, "the data set %s has no split '%s'", set->name,
                                      pxr_split_names[order->split]);
        if (order->first >= all || order->count > all - order->first)
                return pxr_user_error(diag,
                                      "the split '%s' has %" PRId64 " images: there are not "
                                      "%" PRId64 " from number %" PRId64 " on",
                                      pxr_split_names[order->split], all,
                                      order->count ? order->count : 1, order->first);
        return 0;
}

static int read_split(struct pxr_arena *arena, const struct pxr_compression *order,
                      struct pxr_codec_file *file, uint8_t **pixels, struct pxr_diag *diag)
{
        const struct pxr_dataset *set;
        int64_t *index;

        if (pxr_recorded_data(order->recorded, order->data_path, diag))
                return -1;
        set = order->recorded->experiment->set;
        if (check_split(set, order, diag))
                return -1;
        file->images = order->count ? order->count : set->count[order->split] - order->first;
        file->split = pxr_split_names[order->split];
        file->first = order->first;
        file->data = set->identity;
        *pixels = pxr_alloc_array(arena, file->images, pxr_graph_values(order->recorded->graph));
        index = pxr_alloc_array(arena, file->images, sizeof(*index));
        if (!*pixels || !index)
                return -1;
        for (int64_t i = 0; i < file->images; i++)
                index[i] = order->first + i;
        if (pxr_images_classes(order->recorded, order->split, index, (int)file->images,
                               &file->classes, diag))
                return -1;
        return pxr_dataset_read(set, order->split, 0, index, (int)file->images, *pixels, diag);
}

/* --- compressing -------------------------------------------------------------------------------
 */

/* Fill in the rest of the description, and write the file. */
static int compress_pixels(struct pxr_arena *arena, const struct pxr_compression *order,
                           struct pxr_codec_file *file, const uint8_t *pixels,
                           struct pxr_diag *diag)
{
        const struct pxr_graph *graph = order->recorded->graph;
        struct pxr_coding coding;
        char *hex = pxr_alloc(arena, PXR_SHA256_HEX);
        int status;

        if (!hex)
                return -1;
        pxr_sha256(pixels, (size_t)file->images * pxr_graph_values(graph), hex);
        file->pixels = hex;
        file->images_per_stream = pxr_images_per_stream(graph);
        coding = coding_of(order->recorded, file, &order->work);
        status = pxr_encode(&coding, pixels, &file->streams, &file->nats, diag);
        if (!status)
                status = pxr_codec_file_write(order->out, order->replace, file, diag);
        if (!status)
                pxr_codec_compare(&file->streams, file->nats, diag);
        return status;
}

int pxr_compress(struct pxr_arena *arena, const struct pxr_compression *order,
                 struct pxr_codec_file *file, struct pxr_diag *diag)
{
        const struct pxr_recorded *recorded = order->recorded;
        const struct pxr_graph *graph = recorded->graph;
        uint8_t *pixels;
        int status;

        *file = (struct pxr_codec_file) { .run = pxr_visible(arena, recorded->run->name),
                                          .uid = recorded->run->uid,
                                          .step = recorded->step,
                                          .certificate = recorded->run->certificate,
                                          .parameters = recorded->parameter_hash,
                                          .rows = graph->rows,
                                          .cols = graph->cols,
                                          .colours = graph->colours,
                                          .levels = graph->levels };
        if (check_run(recorded, diag) || pxr_check_class(graph, order->class, diag) ||
            pxr_file_may_write(order->out, order->replace, diag) || describe_here(arena, file) ||
            (order->file_count ? read_files(arena, order, file, &pixels, diag)
                               : read_split(arena, order, file, &pixels, diag)))
                return -1;
        status = compress_pixels(arena, order, file, pixels, diag);
        pxr_streams_free(&file->streams);
        return status;
}

/* --- decompressing -----------------------------------------------------------------------------
 */

/* Check that the file was made under the model of this run and checkpoint. Returns 0 or -1. */
static int check_model(const struct pxr_recorded *recorded, const struct pxr_codec_file *file,
                       const char *path, struct pxr_diag *diag)
{
        const struct pxr_graph *graph = recorded->graph;
        const char *certificate = recorded->run->certificate;

        if (strcmp(file->parameters, recorded->parameter_hash) == 0 && certificate &&
            strcmp(file->certificate, certificate) == 0 && file->rows == graph->rows &&
            file->cols == graph->cols && file->colours == graph->colours &&
            file->levels == graph->levels)
                return 0;
        pxr_user_error(diag, "%s: was made under another model than that of run %" PRId64 " ('%s')",
                       path, recorded->run->id, recorded->run->name);
        pxr_note(diag, "it takes the parameters with SHA-256 %s: run '%s' (%s), step %" PRId64,
                 file->parameters, file->run, file->uid, file->step);
        pxr_note(diag, "those of run %" PRId64 " at step %" PRId64 " have %s", recorded->run->id,
                 recorded->step, recorded->parameter_hash);
        return -1;
}

/* Check that the file has the classes that the model is given, and no other. Returns 0 or -1. */
static int check_classes(const struct pxr_graph *graph, const struct pxr_codec_file *file,
                         const char *path, struct pxr_diag *diag)
{
        if (!file->classes != !graph->class_map)
                return pxr_user_error(diag, "%s: invalid pxr-codec file: %s", path,
                                      file->classes ? "classes, which its model is not given"
                                                    : "no classes, which its model is given");
        for (int64_t i = 0; file->classes && i < file->images; i++)
                if (file->classes[i] >= graph->classes)
                        return pxr_user_error(diag,
                                              "%s: invalid pxr-codec file: class %d is out of "
                                              "range, 0 to %d",
                                              path, file->classes[i], graph->classes - 1);
        return 0;
}

/* Report that the model did not give the images back, and possible causes. Returns -1. */
static int other_images(struct pxr_arena *arena, const struct pxr_codec_file *file,
                        const char *path, struct pxr_diag *diag)
{
        struct pxr_codec_file here;

        pxr_system_error(diag,
                         "%s: the model does not give back what was compressed; nothing is "
                         "written",
                         path);
        if (describe_here(arena, &here))
                return -1;
        if (strcmp(here.program, file->program) == 0 &&
            strcmp(here.numerics, file->numerics) == 0) {
                pxr_note(diag, "the file was altered and its sum made to fit, or the model sees "
                               "what it is to predict, or computes other bits each time");
                return -1;
        }
        pxr_note(diag, "its probabilities have to be the same to the last bit, and the machine or "
                       "the program is another; or the file was altered and its sum made to fit");
        pxr_note(diag, "compressed by %s (%s)", file->program, file->numerics);
        pxr_note(diag, "this is %s (%s)", here.program, here.numerics);
        return -1;
}

/* Returns 0, 1 when it was stopped, or -1. */
static int decompress_pixels(struct pxr_arena *arena, const struct pxr_recorded *recorded,
                             const struct pxr_codec_file *file, const char *path, uint8_t *pixels,
                             const struct pxr_codec_work *work, struct pxr_diag *diag)
{
        const struct pxr_coding coding = coding_of(recorded, file, work);
        char hex[PXR_SHA256_HEX];
        int status = pxr_decode(&coding, &file->streams, pixels, diag);

        if (status == PXR_UNDECODABLE)
                return other_images(arena, file, path, diag);
        if (status)
                return status;
        pxr_sha256(pixels, (size_t)file->images * pxr_graph_values(recorded->graph), hex);
        return strcmp(hex, file->pixels) == 0 ? 0 : other_images(arena, file, path, diag);
}

int pxr_decompress(struct pxr_arena *arena, const struct pxr_recorded *recorded,
                   const struct pxr_codec_file *file, const char *path, const char *folder,
                   const struct pxr_codec_work *work, struct pxr_diag *diag)
{
        const struct pxr_image_kind kind = pxr_kind_of(recorded->graph);
        const char *const *names;
        uint8_t *pixels;
        int status;

        if (check_run(recorded, diag) || check_model(recorded, file, path, diag) ||
            check_classes(recorded->graph, file, path, diag) ||
            (file->names && check_names(arena, file->names, (size_t)file->images, diag)) ||
            pxr_output_folder_check(folder, diag))
                return -1;
        /* A file may promise more images than it has: this memory takes none until it is written
         * to, and names are made up only for images that are there. */
        pixels = pxr_alloc_array(arena, (size_t)file->images, pxr_graph_values(recorded->graph));
        status = pixels ? decompress_pixels(arena, recorded, file, path, pixels, work, diag) : -1;
        if (status)
                return status;
        names = pxr_codec_file_names(arena, file);
        return names ? pxr_png_write_images(folder, &kind, file->images, names, pixels, NULL, diag)
                     : -1;
}
