/* SPDX-License-Identifier: MIT */
/*
 * option.h - option tables, which describe the keys of a mapping in a spec.
 *
 * A table gives each key's type, default, range and help. The checked C struct, errors with file,
 * line and column, `pxr-layers NAME` and the resolved spec on record all follow from it. Layers,
 * data sets, optimizers and the sections of a spec use it:
 *
 *     struct conv { int kernel; int mask; };
 *
 *     static const struct pxr_option rows[] = {
 *             PXR_INT(struct conv, kernel, "3", 1, 63, "side of the kernel; odd"),
 *             PXR_ENUM(struct conv, mask, "B", masks, "..."),
 *             PXR_END,
 *     };
 *
 * A row does not compile if its field has another C type.
 */
#ifndef PXR_OPTION_H
#define PXR_OPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <pxr/diag.h>

#ifdef __cplusplus
extern "C" {
#endif

enum pxr_option_type {
        PXR_TYPE_END = 0,
        PXR_TYPE_BOOL,     /* bool: true or false */
        PXR_TYPE_INT,      /* int64_t */
        PXR_TYPE_REAL,     /* double, finite */
        PXR_TYPE_STRING,   /* const char *; NULL when unset */
        PXR_TYPE_ENUM,     /* int: index into names */
        PXR_TYPE_ENUM_SET, /* uint32_t: bit i is names[i]; a list of names in the spec */
        PXR_TYPE_INTERVAL, /* struct pxr_interval: "5 epochs", "100 steps", "never"; "auto" where
                              that is the default */
        PXR_TYPE_CHOICE,   /* struct pxr_choice: NAME, or {NAME: {options}} */
        PXR_TYPE_SECTION,  /* struct pxr_section: a mapping with a table of its own */
        PXR_TYPE_LAYERS,   /* const struct pxr_yaml *: a list of layers, for pxr_build_layers() */
        PXR_TYPE_NODE,     /* const struct pxr_yaml *: anything; read by libpxr only */
};

enum pxr_unit {
        PXR_NEVER = 0,
        PXR_STEPS,
        PXR_EPOCHS,
        PXR_AUTO, /* chosen by pxr */
};

/* How often something is done. */
struct pxr_interval {
        int64_t count;
        enum pxr_unit unit;
};

struct pxr_yaml; /* part of a spec; opaque to plugins */
struct pxr_options;

/* One of several alternatives, each with its own options: an optimizer, a rate schedule. */
struct pxr_variant {
        const char *name; /* NULL ends an array of variants */
        const char *help;
        const struct pxr_options *options; /* NULL: none */
        const void *what;                  /* for the owner of the array */
};

struct pxr_choice {
        const struct pxr_variant *variant;
        const void *conf; /* the struct that variant->options filled; NULL without options */
};

struct pxr_option {
        const char *name;
        const char *help;
        enum pxr_option_type type;
        size_t offset;       /* of the field in the struct */
        const char *initial; /* the default, as written in a spec; NULL: required */
        double minimum;      /* INT, REAL and the count of an INTERVAL */
        double maximum;
        const char *const *names;           /* ENUM, ENUM_SET: ended by NULL */
        const struct pxr_variant *variants; /* CHOICE */
        const struct pxr_options *section;  /* SECTION: the field is the section's struct itself */
};

/* A whole table. `check`, if not NULL, checks the filled struct for what ranges cannot express
 * ("must be odd"). It returns NULL if all is well; else it returns the name of the invalid option
 * and sets *message to a text that lasts as long as `conf`. */
struct pxr_options {
        const struct pxr_option *rows; /* ended by PXR_END; NULL: no options */
        size_t size;                   /* of the struct that rows fill */
        const char *main; /* the option that a scalar sets: `repeat: 7` is `repeat: {count: 7}`;
                             NULL: none. A list sets the option of type PXR_TYPE_LAYERS. */
        const char *(*check)(const void *conf, const char **message);
};

/* The default of an optional string, interval or choice. */
#define PXR_UNSET ""

/* The offset of a field, if it has this type. */
#ifdef __cplusplus
extern "C++" {
template <typename Type, typename Expected> struct pxr_field_type;
template <typename Type> struct pxr_field_type<Type, Type> {
        static constexpr size_t offset(size_t offset)
        {
                return offset;
        }
};
}
#define PXR_FIELD(owner, field, ctype) \
        (pxr_field_type<decltype(((owner *)0)->field), ctype>::offset(offsetof(owner, field)))
#else
#define PXR_FIELD(owner, field, ctype) _Generic(((owner *)0)->field, ctype : offsetof(owner, field))
#endif

/* clang-format off */
#define PXR_BOOL(owner, field, initial_, help_) \
        { #field, help_, PXR_TYPE_BOOL, PXR_FIELD(owner, field, bool), \
          initial_, 0, 0, NULL, NULL, NULL }
#define PXR_INT(owner, field, initial_, min_, max_, help_) \
        { #field, help_, PXR_TYPE_INT, PXR_FIELD(owner, field, int64_t), \
          initial_, min_, max_, NULL, NULL, NULL }
#define PXR_REAL(owner, field, initial_, min_, max_, help_) \
        { #field, help_, PXR_TYPE_REAL, PXR_FIELD(owner, field, double), \
          initial_, min_, max_, NULL, NULL, NULL }
#define PXR_STRING(owner, field, initial_, help_) \
        { #field, help_, PXR_TYPE_STRING, PXR_FIELD(owner, field, const char *), \
          initial_, 0, 0, NULL, NULL, NULL }
#define PXR_ENUM(owner, field, initial_, names_, help_) \
        { #field, help_, PXR_TYPE_ENUM, PXR_FIELD(owner, field, int), \
          initial_, 0, 0, names_, NULL, NULL }
#define PXR_ENUM_SET(owner, field, initial_, names_, help_) \
        { #field, help_, PXR_TYPE_ENUM_SET, PXR_FIELD(owner, field, uint32_t), \
          initial_, 0, 0, names_, NULL, NULL }
#define PXR_INTERVAL(owner, field, initial_, help_) \
        { #field, help_, PXR_TYPE_INTERVAL, PXR_FIELD(owner, field, struct pxr_interval), \
          initial_, 1, 1e9, NULL, NULL, NULL }
#define PXR_CHOICE(owner, field, initial_, variants_, help_) \
        { #field, help_, PXR_TYPE_CHOICE, PXR_FIELD(owner, field, struct pxr_choice), \
          initial_, 0, 0, NULL, variants_, NULL }
/* A nested mapping; its struct is a field of the owner's. */
#define PXR_SECTION(owner, field, options_, help_) \
        { #field, help_, PXR_TYPE_SECTION, offsetof(owner, field), \
          "{}", 0, 0, NULL, NULL, options_ }
#define PXR_LAYERS(owner, field, help_) \
        { #field, help_, PXR_TYPE_LAYERS, PXR_FIELD(owner, field, const struct pxr_yaml *), \
          NULL, 0, 0, NULL, NULL, NULL }
#define PXR_NODE(owner, field, initial_, help_) \
        { #field, help_, PXR_TYPE_NODE, PXR_FIELD(owner, field, const struct pxr_yaml *), \
          initial_, 0, 0, NULL, NULL, NULL }
#define PXR_END { NULL, NULL, PXR_TYPE_END, 0, NULL, 0, 0, NULL, NULL, NULL }
/* clang-format on */

#ifdef __cplusplus
}
#endif
#endif
