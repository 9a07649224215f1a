/* SPDX-License-Identifier: MIT */
/*
 * syntax.h - locations in a text that libyaml reads, and its errors as a user reads them.
 */
#ifndef PXR_CONFIG_SYNTAX_H
#define PXR_CONFIG_SYNTAX_H

#include <yaml.h>

#include <pxr/diag.h>

/* What libyaml is given of a source: all from byte `from` on. */
struct pxr_yaml_input {
        const struct pxr_source *source;
        size_t from;
        int shift; /* characters before it on its line */
};

struct pxr_location pxr_event_location(const struct pxr_yaml_input *input, yaml_mark_t start,
                                       yaml_mark_t end);

/* Record the parser's error. Returns -1. */
int pxr_syntax_error(const struct pxr_yaml_input *input, const yaml_parser_t *parser,
                     struct pxr_diag *diag);

#endif
