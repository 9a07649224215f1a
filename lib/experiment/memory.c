/* SPDX-License-Identifier: MIT */
/* memory.c - the memory that an experiment takes. */
#include "experiment/experiment.h"

#include <unistd.h>

#include "base/number.h"
#include "sample/generate.h"
#include "tensor/mixed.h"
#include "train/trainer.h"

static double evaluation_bytes(const struct pxr_experiment *e, enum pxr_precision precision,
                               int threads)
{
        return (double)pxr_workspace_bytes(e->model->graph, precision, PXR_FOR_EVALUATION,
                                           (int)e->settings.train.micro_batch, threads);
}

struct pxr_memory pxr_memory_of(const struct pxr_experiment *e, int threads)
{
        const struct pxr_graph *graph = e->model->graph;
        const struct pxr_train_settings *settings = &e->settings.train;
        struct pxr_memory memory = {
                .train = (double)pxr_trainer_bytes(graph, settings, threads),
                .activations = (double)pxr_trainer_activation_bytes(graph, settings, threads),
                .evaluate = evaluation_bytes(e, PXR_F32, threads),
                .sample = (double)pxr_generation_bytes(graph, (int)e->settings.sample.count,
                                                       threads, 0),
        };

        if (pxr_precision_of(e->settings.evaluate.precision) == PXR_BF16)
                memory.evaluate += evaluation_bytes(e, PXR_BF16, threads);
        memory.all = memory.train + memory.evaluate + memory.sample;
        return memory;
}

char *pxr_memory_warning(const struct pxr_experiment *e, int threads,
                         const struct pxr_memory *memory)
{
        double here = (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE);

        if (!(here > 0 && memory->all > here))
                return NULL;
        return pxr_strf(e->arena,
                        "this takes %.1f GB with %d thread%s, and the machine has %.1f GB: the "
                        "system may end it; %sa smaller train.micro_batch or fewer threads take "
                        "less",
                        memory->all / 1e9, threads, pxr_plural(threads), here / 1e9,
                        e->settings.train.recompute ? "" : "train.recompute=true, ");
}
