/* SPDX-License-Identifier: MIT */
/* given.c - what a conditional model is given, as texts, and the classes of samples. */
#include "experiment/given.h"

#include <stdio.h>
#include <string.h>

static const char class_of[] = "class of ";

const char *pxr_given(struct pxr_arena *arena, const struct pxr_graph *graph)
{
        const char *small = "";

        if (!pxr_is_conditional(graph))
                return NULL;
        if (graph->small_rows)
                small = pxr_strf(arena, "%dx%d%s", graph->small_rows, graph->small_cols,
                                 graph->class_map ? ", " : "");
        return graph->class_map ? pxr_strf(arena, "%s%s%d", small, class_of, graph->classes)
                                : small;
}

int pxr_given_classes(const char *given)
{
        const char *at = given ? strstr(given, class_of) : NULL;
        int classes;

        return at && sscanf(at + strlen(class_of), "%6d", &classes) == 1 && classes > 0 ? classes
                                                                                        : 0;
}

const char *pxr_given_version(struct pxr_arena *arena, const struct pxr_graph *graph)
{
        if (!graph->small_rows)
                return graph->class_map ? "its class" : NULL;
        return pxr_strf(arena, "its %dx%d version%s", graph->small_rows, graph->small_cols,
                        graph->class_map ? " and its class" : "");
}

int pxr_check_class(const struct pxr_graph *graph, int class, struct pxr_diag *diag)
{
        if (class < 0)
                return 0;
        if (!graph->class_map)
                return pxr_user_error(diag,
                                      "--class %d has no effect: the model is not given the "
                                      "class of an image",
                                      class);
        return class < graph->classes
                       ? 0
                       : pxr_user_error(diag, "--class %d is out of range: the classes are 0 to %d",
                                        class, graph->classes - 1);
}

const int32_t *pxr_sample_classes(struct pxr_arena *arena, const struct pxr_graph *graph, int count,
                                  int chosen)
{
        int32_t *classes =
                graph->class_map ? pxr_alloc_array(arena, count, sizeof(*classes)) : NULL;

        for (int i = 0; classes && i < count; i++)
                classes[i] = chosen < 0 ? i % graph->classes : chosen;
        return classes;
}

const char *pxr_sample_classes_text(struct pxr_arena *arena, const struct pxr_graph *graph,
                                    int chosen)
{
        if (!graph->class_map)
                return NULL;
        return chosen < 0 ? pxr_strf(arena, "classes 0 to %d in turn", graph->classes - 1)
                          : pxr_strf(arena, "class %d", chosen);
}

int pxr_classes_down(int classes, int64_t count)
{
        return classes <= count ? classes : 0;
}
