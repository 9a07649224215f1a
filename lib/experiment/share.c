/* SPDX-License-Identifier: MIT */
/* share.c - an experiment on several ranks: what they agree on, and the work of all but rank 0. */
#include "experiment/share.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "config/yaml.h"
#include "experiment/images.h"
#include "experiment/provenance_check.h"
#include "experiment/state.h"
#include "record/provenance.h"
#include "sample/shared.h"

/* --- texts to and from rank 0 ------------------------------------------------------------------
 */

/* Texts, each with its NUL, in one message. */
struct texts {
        char *bytes;
        int64_t size;
};

static void add_text(struct pxr_arena *arena, struct texts *texts, const char *text)
{
        size_t length = strlen(text) + 1;
        char *bytes = pxr_alloc(arena, (size_t)texts->size + length);

        if (!bytes)
                return;
        if (texts->size > 0)
                memcpy(bytes, texts->bytes, (size_t)texts->size);
        memcpy(bytes + texts->size, text, length);
        texts->bytes = bytes;
        texts->size += (int64_t)length;
}

/* The text behind another one; NULL at the end. */
static const char *next_text(const struct texts *texts, const char *text)
{
        text = text ? text + strlen(text) + 1 : texts->bytes;
        return text && text < texts->bytes + texts->size ? text : NULL;
}

/* --- a recorded spec ---------------------------------------------------------------------------
 */

/* NULL as "-", all else as "+text". */
static void add_optional(struct pxr_arena *arena, struct texts *texts, const char *text)
{
        add_text(arena, texts, text ? pxr_strf(arena, "+%s", text) : "-");
}

static const char *take_optional(const struct texts *texts, const char **at)
{
        *at = next_text(texts, *at);
        return *at && **at == '+' ? *at + 1 : NULL;
}

int pxr_share_origin(struct pxr_ranks *ranks, struct pxr_arena *arena,
                     struct pxr_spec_origin *origin, bool found)
{
        struct texts texts = { 0 };
        const char *at = NULL;
        int status;

        if (ranks->rank == 0 && found) {
                add_optional(arena, &texts, origin->path);
                add_optional(arena, &texts, origin->recorded);
                add_optional(arena, &texts, origin->folder);
                add_optional(arena, &texts, origin->data_path);
                add_optional(arena, &texts, origin->extension);
        }
        status = pxr_ranks_spread(ranks, &texts.size, sizeof(texts.size));
        if (ranks->rank != 0)
                texts.bytes = pxr_alloc(arena, (size_t)texts.size);
        if (!status)
                status = pxr_ranks_spread(ranks, texts.bytes, (size_t)texts.size);
        if (!status)
                status = pxr_ranks_settle(ranks);
        if (status || ranks->rank == 0)
                return status;
        origin->path = take_optional(&texts, &at);
        origin->recorded = take_optional(&texts, &at);
        origin->folder = take_optional(&texts, &at);
        origin->data_path = take_optional(&texts, &at);
        origin->extension = take_optional(&texts, &at);
        return origin->recorded ? 0 : PXR_RANKS_STOPPED;
}

/* --- agreeing ----------------------------------------------------------------------------------
 */

static const char error_key[] = "error", host_key[] = "host", spec_key[] = "spec";

static void add_fact(struct pxr_arena *arena, struct texts *facts, const char *key,
                     const char *value)
{
        add_text(arena, facts, key);
        add_text(arena, facts, value ? value : "unknown");
}

static void add_plugins(struct pxr_arena *arena, struct texts *facts, const struct pxr_model *model,
                        struct pxr_diag *diag)
{
        const struct pxr_built_layer *layer = pxr_layer_of_new_plugin(model, model->layer);

        for (; layer; layer = pxr_layer_of_new_plugin(model, layer->next)) {
                char hex[PXR_SHA256_HEX];

                if (pxr_sha256_file(layer->plugin->path, hex, diag) == 0)
                        add_fact(arena, facts,
                                 pxr_strf(arena, "the layer '%s'", layer->plugin->layer->name),
                                 pxr_strf(arena, "%.12s... (version %s)", hex,
                                          layer->plugin->version));
        }
}

/* What all ranks must have in common, as keys and values. */
static struct texts facts_of(struct pxr_arena *arena, const struct pxr_experiment *e,
                             struct pxr_diag *diag)
{
        const struct pxr_run *now = pxr_provenance(arena, NULL);
        struct texts facts = { 0 };
        const char *spec;

        add_fact(arena, &facts, host_key, now ? now->host : NULL);
        if (now && e) {
                add_fact(arena, &facts, "the program",
                         pxr_program_text(arena, now->program_version, now->program_revision));
                add_fact(arena, &facts, "the instruction set", pxr_instruction_set(e, now));
                add_fact(
                        arena, &facts, "the BLAS",
                        pxr_strf(arena, "%.*s", (int)strcspn(now->libraries, ";"), now->libraries));
                spec = pxr_yaml_emit(arena, e->root, diag);
                add_fact(arena, &facts, spec_key, spec);
                if (e->set)
                        add_fact(arena, &facts, "the data set's identity", e->set->identity);
                add_plugins(arena, &facts, e->model, diag);
        }
        if (pxr_diag_first_error(diag))
                add_fact(arena, &facts, error_key, pxr_diag_first_error(diag));
        return facts;
}

/* The value of a key; NULL if there is none. */
static const char *fact(const struct texts *facts, const char *key)
{
        for (const char *k = next_text(facts, NULL); k;) {
                const char *value = next_text(facts, k);

                if (!value || strcmp(k, key) == 0)
                        return value;
                k = next_text(facts, value);
        }
        return NULL;
}

/* The first line in which two texts differ, "" where one has ended, without its indentation. */
static void differing_line(struct pxr_arena *arena, const char **a, const char **b)
{
        size_t left = strcspn(*a, "\n"), right = strcspn(*b, "\n");

        while (left == right && strncmp(*a, *b, left) == 0 && (*a)[left]) {
                *a += left + 1;
                *b += right + 1;
                left = strcspn(*a, "\n");
                right = strcspn(*b, "\n");
        }
        *a = pxr_strndup(arena, *a, left);
        *b = pxr_strndup(arena, *b, right);
        *a += strspn(*a, " ");
        *b += strspn(*b, " ");
}

/* Compare what another rank has with what rank 0 has. Returns 0 or -1. */
static int compare(struct pxr_arena *arena, const struct pxr_ranks *ranks, int rank,
                   const struct texts *here, const struct texts *there, struct pxr_diag *diag)
{
        const char *name = pxr_rank_name(arena, ranks, rank);
        const char *error = fact(there, error_key);

        if (error) {
                pxr_user_error(diag, "%s: %s", name, error);
                pxr_note(diag, "all ranks must find the spec, its data and its layers under the "
                               "same paths");
                return -1;
        }
        for (const char *key = next_text(here, NULL); key;) {
                const char *mine = next_text(here, key), *its = fact(there, key);
                const char *next = next_text(here, mine);

                if (strcmp(key, host_key) == 0 || (its && strcmp(mine, its) == 0)) {
                        key = next;
                        continue;
                }
                its = its ? its : "none";
                if (strcmp(key, spec_key) == 0) {
                        differing_line(arena, &mine, &its);
                        key = "the spec";
                }
                return pxr_user_error(diag, "%s differs from rank 0 in %s: '%s' there, '%s' here",
                                      name, key, its, mine);
        }
        return 0;
}

/* Rank 0: receive what another rank has. */
static int receive_facts(struct pxr_ranks *ranks, struct pxr_arena *arena, int rank,
                         struct texts *facts)
{
        int status = pxr_ranks_receive(ranks, rank, &facts->size, sizeof(facts->size), 0, true);

        facts->bytes = status ? NULL : pxr_alloc(arena, (size_t)facts->size + 1);
        if (status || !facts->bytes)
                return status ? status : -1;
        return pxr_ranks_receive(ranks, rank, facts->bytes, (size_t)facts->size, 0, true);
}

int pxr_share_agree(struct pxr_ranks *ranks, const struct pxr_experiment *e, struct pxr_diag *diag)
{
        struct pxr_arena *arena = pxr_ranks_arena(ranks);
        struct texts own = facts_of(arena, e, diag), other;
        int status = 0, errors = pxr_diag_errors(diag);

        if (ranks->rank != 0) {
                status = pxr_ranks_send(ranks, 0, &own.size, sizeof(own.size));
                if (!status)
                        status = pxr_ranks_send(ranks, 0, own.bytes, (size_t)own.size);
                if (!status)
                        status = pxr_ranks_settle(ranks);
                pxr_diag_clear(diag); /* rank 0 reports it */
                return status || !e ? -1 : 0;
        }
        for (int rank = 1; rank < ranks->size && !status; rank++) {
                status = receive_facts(ranks, arena, rank, &other);
                if (status)
                        break;
                pxr_rank_set_host(ranks, rank, fact(&other, host_key));
                if (e && !errors)
                        compare(arena, ranks, rank, &own, &other, diag);
        }
        if (ranks->lost)
                pxr_system_error(diag, "%s", ranks->lost);
        return status || !e || pxr_diag_errors(diag) ? -1 : 0;
}

/* --- the work of other ranks -------------------------------------------------------------------
 */

int pxr_share_begin(struct pxr_ranks *ranks, int threads)
{
        return pxr_ranks_order(
                ranks, &(struct pxr_rank_order) { .task = PXR_RANK_BEGIN, .images = threads });
}

/* What another rank works with. */
struct helper {
        struct pxr_ranks *ranks;
        const struct pxr_experiment *e;
        const uint8_t *images;
        struct pxr_trainer *trainer;
        int64_t epoch; /* whose order is known; -1: none */
        int64_t *order;
        uint8_t *batch, *drawn;
        float *parameters; /* to evaluate and draw with */
        struct pxr_observer observer;
        struct pxr_evaluation evaluation;
        struct pxr_generation *drawing;
};

static bool ended(void *context, const struct pxr_progress *progress)
{
        const struct helper *h = context;

        (void)progress;
        return pxr_ranks_poll(h->ranks);
}

/* `threads` is what rank 0 has. */
static int set_up(struct helper *h, int threads, struct pxr_diag *diag)
{
        const struct pxr_experiment *e = h->e;
        const struct pxr_graph *graph = e->model->graph;
        size_t images = e->set ? (size_t)e->set->count[PXR_TRAIN] : 0;

        h->order = pxr_alloc_array(e->arena, images, sizeof(*h->order));
        h->batch = pxr_alloc_array(e->arena, e->settings.train.batch, pxr_graph_values(graph));
        h->parameters = pxr_alloc_array(e->arena, graph->parameter_values + 1, sizeof(float));
        h->evaluation.parameters = h->parameters;
        h->evaluation.share = pxr_evaluation_share(threads);
        h->trainer = pxr_trainer_new_shared(graph, &e->settings.train, h->evaluation.threads,
                                            e->all_steps, h->ranks, diag);
        return h->trainer && h->order && h->batch && h->parameters ? 0 : -1;
}

static int help_step(struct helper *h, const struct pxr_rank_order *order, struct pxr_diag *diag)
{
        int count, first = pxr_trainer_share(h->trainer, (int)order->images, &count);
        const uint8_t *pixels = h->batch;

        if (h->images) {
                pixels = h->images + first * pxr_graph_values(h->e->model->graph);
        } else {
                if (h->epoch != order->epoch)
                        pxr_epoch_order(h->e, order->epoch, h->order);
                h->epoch = order->epoch;
                if (count > 0 && pxr_read_batch(h->e, order->epoch, h->order + order->first + first,
                                                count, h->batch, h->trainer, diag))
                        return -1;
        }
        h->trainer->step = order->step;
        return pxr_trainer_help(h->trainer, pixels, (int)order->images, diag);
}

static int help_draw(struct helper *h, struct pxr_diag *diag)
{
        const struct pxr_experiment *e = h->e;
        const struct pxr_graph *graph = e->model->graph;
        struct pxr_generation all = pxr_generation_of(e, h->evaluation.threads, &h->observer);

        if (!h->drawing) {
                if (pxr_small_images(e->arena, graph, e->set, all.count, &all.small, diag))
                        return -1;
                h->drawing = all.nats ? pxr_generation_share(&all, h->ranks) : NULL;
                if (!h->drawing)
                        return -1;
                h->drawn = pxr_alloc_array(e->arena, h->drawing->count, pxr_graph_values(graph));
                h->drawing->parameters = h->parameters;
        }
        return h->drawn ? pxr_generate_help(h->drawing, h->ranks, h->drawn, diag) : -1;
}

static int help(struct helper *h, const struct pxr_rank_order *order, struct pxr_diag *diag)
{
        switch (order->task) {
        case PXR_RANK_BEGIN:
                return set_up(h, (int)order->images, diag);
        case PXR_RANK_PARAMETERS:
                return pxr_trainer_receive(h->trainer);
        case PXR_RANK_STEP:
                return help_step(h, order, diag);
        case PXR_RANK_EVALUATED:
                return pxr_ranks_spread(h->ranks, h->parameters,
                                        h->e->model->graph->parameter_values * sizeof(float));
        case PXR_RANK_EVALUATE:
                return pxr_evaluate_help(&h->evaluation, order, diag);
        case PXR_RANK_ECHO:
                return pxr_ranks_echo(h->ranks, (size_t)order->images, diag);
        case PXR_RANK_DRAW:
                return help_draw(h, diag);
        default:
                return pxr_system_error(diag, "rank 0 has given an order that is not known");
        }
}

void pxr_share_serve(struct pxr_ranks *ranks, const struct pxr_experiment *e, int threads,
                     const uint8_t *images, struct pxr_diag *diag)
{
        struct helper h = { .ranks = ranks, .e = e, .images = images, .epoch = -1 };
        struct pxr_rank_order order;
        double seconds;
        int status;

        h.observer = (struct pxr_observer) { .context = &h, .progress = ended };
        h.evaluation = (struct pxr_evaluation) { .arena = e->arena,
                                                 .graph = e->model->graph,
                                                 .set = e->set,
                                                 .micro_batch = (int)e->settings.train.micro_batch,
                                                 .threads = threads,
                                                 .ranks = ranks };
        status = pxr_ranks_await(ranks, true, &order);
        while (!status) {
                status = help(&h, &order, diag);
                if (status < 0)
                        pxr_ranks_fail(ranks, diag);
                if (!status)
                        status = pxr_ranks_await(ranks, false, &order);
        }
        pxr_diag_clear(diag); /* rank 0 reports what went wrong */
        pxr_trainer_free(h.trainer);
        if (!pxr_ranks_finish(ranks, &seconds) && ranks->rank == 1) /* one message is enough */
                pxr_system_error(diag, "rank 0 has not answered for %.3g seconds: all are ended",
                                 seconds);
}
