/* SPDX-License-Identifier: MIT */
/*
 * layout.c - prints what <pxr/abi.h> promises to keep: where fields lie, sizes of structs that do
 * not grow, values of constants. What it prints with older headers must be part of what it prints
 * with newer ones.
 */
#include <stdio.h>

#include <pxr/layer.h>
#include <pxr/vecmath.h>

#define SIZE(type) printf("sizeof " #type " %zu\n", sizeof(struct type));
#define CONSTANT(name) printf(#name " %ld\n", (long)(name));
#define AT(type, field)                                                            \
        printf(#type "." #field " at %zu, of %zu\n", offsetof(struct type, field), \
               sizeof(((struct type *)0)->field));

#define AT2(type, a, b) AT(type, a) AT(type, b)
#define AT3(type, a, b, c) AT2(type, a, b) AT(type, c)
#define AT5(type, a, b, c, d, e) AT3(type, a, b, c) AT2(type, d, e)
#define AT7(type, a, b, c, d, e, f, g) AT5(type, a, b, c, d, e) AT2(type, f, g)

/* Structs that can grow. */
static void growing(void)
{
        AT5(pxr_plugin, magic, abi, sizes, version, layer)
        AT7(pxr_layer, name, summary, description, options, parameters, build, check)
        AT5(pxr_op, name, flags, kernels, scratch, state)
        AT3(pxr_op, advance_state, depends, multiply_adds)
        AT(pxr_op, mixed)
        AT5(pxr_mixed, forward, backward, exact, reads_f32, scratch)
        AT3(pxr_mixed, state, packed, pack)
        AT5(pxr_option, name, help, type, offset, initial)
        AT5(pxr_option, minimum, maximum, names, variants, section)
        AT5(pxr_distribution, name, channels, nll, probabilities, log_probabilities)
        AT(pxr_distribution, density)
        AT7(pxr_node, index, op, conf, shape, colours, gates, inputs)
        AT7(pxr_node, input, parameters, parameter, constant, layer, location, op)
        AT7(pxr_parameter, name, node, rank, shape, size, offset, init)
        AT(pxr_parameter, next)
        AT7(pxr_call, node, images, input, output, parameter, state, scratch)
        AT5(pxr_call, output_gradient, input_gradient, accumulate, parameter_gradient, row)
        AT3(pxr_call, col, colour, packed)
        AT(pxr_call, exact)
        AT7(pxr_nll_call, levels, colours, images, pixel_count, logits, pixels, nll)
        AT2(pxr_nll_call, gradient, gradient_scale)
        AT(pxr_dependencies, read)
}

/* Structs that cannot. */
static void fixed(void)
{
        AT7(pxr_new_node, op, conf, conf_size, shape, gates, inputs, input)
        AT7(pxr_conv, kernel, height, mask, features, gates, bias, bias_init)
        AT(pxr_conv, gain)
        AT3(pxr_lstm, scan, kernel, gain)
        AT5(pxr_options, rows, size, main, check, rows)
        AT5(pxr_variant, name, help, options, what, name)
        AT5(pxr_random, key, counter, block, left, key)
        AT7(pxr_lstm_cells, cells, count, features, gates, before, before_stride, c)
        SIZE(pxr_new_node)
        SIZE(pxr_conv)
        SIZE(pxr_lstm)
        SIZE(pxr_options)
        SIZE(pxr_variant)
        SIZE(pxr_choice)
        SIZE(pxr_interval)
        SIZE(pxr_parameter_doc)
        SIZE(pxr_kernels)
        SIZE(pxr_shape)
        SIZE(pxr_location)
        SIZE(pxr_random)
        SIZE(pxr_lstm_cells)
}

static void constants(void)
{
        CONSTANT(PXR_ABI_VERSION)
        CONSTANT(PXR_PRECISIONS)
        CONSTANT(PXR_MAX_INPUTS)
        CONSTANT(PXR_MAX_PARAMETERS)
        CONSTANT(PXR_MAX_COLOURS)
        CONSTANT(PXR_MAX_RANK)
        CONSTANT(PXR_SELF)
        CONSTANT(PXR_TYPE_NODE)
        CONSTANT(PXR_MASK_NONE)
        CONSTANT(PXR_SCAN_RIGHT)
        CONSTANT(PXR_ADVANCE_READS_ITS_ROW)
        CONSTANT(PXR_RANDOM_SWEEP)
}

int main(void)
{
        growing();
        fixed();
        constants();
        return 0;
}
