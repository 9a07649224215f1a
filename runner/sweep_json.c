/* SPDX-License-Identifier: MIT */
/* sweep_json.c - what pxr-sweep has run, or would run, as JSON on stdout. */
#include "runner/sweep_json.h"

#include "runner/json.h"

static json_t *job_as_json(const struct pxr_job *job)
{
        static const char *const states[] = { "waiting", "running", "finished", "failed" };

        return json_pack("{s:I, s:i, s:s, s:o, s:o, s:o, s:o, s:o, s:s?, s:I, s:f, s:s?}", "job",
                         (json_int_t)job->number, "rung", job->rung, "state", states[job->state],
                         "values", json_loads(job->varied, 0, NULL), "run",
                         job->run ? json_integer(job->run) : json_null(), "nats_per_image",
                         json_number(job->nats), "bits_per_dimension", json_number(job->bits),
                         "standard_error", json_number(job->standard_error), "suspect",
                         job->suspect, "failures", (json_int_t)job->failures, "seconds",
                         job->seconds, "message", job->message);
}

int print_sweep_json(const struct pxr_sweep_options *order, const struct pxr_sweep_state *state,
                     int end, struct pxr_diag *diag)
{
        static const char *const ends[] = {
                [PXR_SWEEP_DONE] = "done",
                [PXR_SWEEP_INTERRUPTED] = "interrupted",
                [PXR_SWEEP_LEFT] = "submitted",
                [PXR_SWEEP_SPENT] = "budget used up",
        };
        const struct pxr_sweep *sweep = order->sweep;
        json_t *list = json_array();
        struct pxr_job *jobs;
        int count;

        if (pxr_sweep_best(order->store, sweep->arena, state->sweep, &jobs, &count, diag)) {
                json_decref(list);
                return -1;
        }
        for (int i = 0; i < count; i++)
                add_json(&list, NULL, job_as_json(&jobs[i]));
        return print_json(json_pack("{s:s, s:s, s:s, s:s, s:i, s:i, s:i, s:i, s:s?, s:o}", "sweep",
                                    sweep->name, "spec", sweep->spec, "search",
                                    sweep->search.variant->name, "end", ends[end], "finished",
                                    state->finished, "failed", state->failed, "waiting",
                                    state->waiting, "running", state->running + state->elsewhere,
                                    "array", *state->array ? state->array : NULL, "jobs", list),
                          diag);
}

int print_plan_json(const struct pxr_sweep *sweep, const struct pxr_plan *plan,
                    struct pxr_diag *diag)
{
        json_t *list = json_array(), *epochs = json_array();
        int lowest = 0;

        for (int i = 0; i < plan->trials; i++)
                if (plan->trial[i].rung == 0)
                        add_json(&list, NULL,
                                 json_pack("{s:i, s:o}", "number", ++lowest, "values",
                                           json_loads(plan->trial[i].varied, 0, NULL)));
        for (int rung = 0; plan->epochs && rung < sweep->rungs; rung++)
                add_json(&epochs, NULL, json_integer(plan->epochs[rung]));
        return print_json(
                json_pack("{s:s, s:s, s:s, s:o, s:i, s:o, s:I, s:f}", "sweep", sweep->name, "spec",
                          sweep->spec, "search", sweep->search.variant->name, "runs", list,
                          "repeated", plan->repeated, "rung_epochs", epochs, "budget_runs",
                          (json_int_t)sweep->budget.runs, "budget_hours", sweep->budget.hours),
                diag);
}
