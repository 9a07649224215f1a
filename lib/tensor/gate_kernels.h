/* SPDX-License-Identifier: MIT */
/* gate_kernels.h - the kernels of op_gate.c, in `real`. Included once for each precision. */

/* The two activations of `count` channels from `x` on, the second `features` channels further, into
 * `a` and `b`. */
static inline void K(activate)(bool linear, size_t count, size_t features, const real *x, real *a,
                               real *b)
{
        if (linear)
                memcpy(a, x, count * sizeof(real));
        else
                K(pxr_tanh)(count, x, a);
        K(pxr_sigmoid)(count, x + features, b);
}

static void K(gate_forward)(const struct pxr_call *call)
{
        size_t features = call->node->shape.channels;
        size_t cells = pxr_map_size(call->node, call->images) / features;
        const real *x = call->input[0];
        real *y = call->output, *b = call->scratch;

        for (size_t cell = 0; cell < cells; cell++, x += 2 * features, y += features) {
                K(activate)(is_linear(call->node), features, features, x, y, b);
                for (size_t i = 0; i < features; i++)
                        y[i] *= b[i];
        }
}

static void K(gate_advance)(const struct pxr_call *call)
{
        const struct pxr_node *node = call->node;
        size_t features = node->shape.channels;
        size_t first = pxr_group_begin((int)features, node->colours, call->colour);
        size_t count = pxr_group_begin((int)features, node->colours, call->colour + 1) - first;
        size_t cell = ((size_t)call->row * node->shape.cols + call->col) * call->images;
        const real *x = (const real *)call->input[0] + cell * 2 * features + first;
        real *y = (real *)call->output + cell * features + first, *b = call->scratch;

        for (int image = 0; image < call->images; image++, x += 2 * features, y += features) {
                K(activate)(is_linear(node), count, features, x, y, b);
                for (size_t i = 0; i < count; i++)
                        y[i] *= b[i];
        }
}

/* da = dy sigmoid(b) tanh'(a), db = dy tanh(a) sigmoid'(b) */
static void K(gate_backward)(const struct pxr_call *call)
{
        size_t features = call->node->shape.channels;
        size_t cells = pxr_map_size(call->node, call->images) / features;
        const real *x = call->input[0], *dy = call->output_gradient;
        real *a = call->scratch, *b = a + features, *dx = call->input_gradient[0];
        bool linear = is_linear(call->node), adds = call->accumulate[0];

        for (size_t cell = 0; cell < cells && dx; cell++) {
                K(activate)(linear, features, features, x, a, b);
                for (size_t i = 0; i < features; i++) {
                        real da = dy[i] * b[i] * (linear ? 1 : 1 - a[i] * a[i]);
                        real db = dy[i] * a[i] * b[i] * (1 - b[i]);

                        dx[i] = da + (adds ? dx[i] : 0);
                        dx[features + i] = db + (adds ? dx[features + i] : 0);
                }
                x += 2 * features;
                dx += 2 * features;
                dy += features;
        }
}
