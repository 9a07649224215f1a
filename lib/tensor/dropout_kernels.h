/* SPDX-License-Identifier: MIT */
/* dropout_kernels.h - the kernels of op_dropout.c, in `real`. Included once for each precision. */

static void K(drop_piece)(const struct pxr_call *call, const struct piece *piece, const real *x,
                          bool adds, real *y)
{
        int kept = kept_parts(call->node);
        real scale = (real)PARTS / (real)kept;
        size_t channels = call->node->shape.channels, gap = (call->images - 1) * channels;
        size_t at = piece->at, size = piece->here;

        for (size_t i = 0; i < piece->size; i += size, at += size + gap, size = channels) {
                if (size > piece->size - i)
                        size = piece->size - i;
                for (size_t j = 0; j < size; j++) {
                        real value = piece->number[i + j] < kept ? scale * x[at + j] : 0;

                        y[at + j] = adds ? y[at + j] + value : value;
                }
        }
}

/* y = x, or y += x, where a value is kept, times what keeps the mean; in training only. */
static void K(drop)(const struct pxr_call *call, const real *x, bool adds, real *y)
{
        struct piece piece;

        for (int image = 0; image < call->images; image++)
                for (begin(call, image, &piece); next_piece(call, &piece);)
                        K(drop_piece)(call, &piece, x, adds, y);
}

static void K(dropout_forward)(const struct pxr_call *call)
{
        if (call->training)
                K(drop)(call, call->input[0], false, call->output);
        else
                memcpy(call->output, call->input[0],
                       pxr_map_size(call->node, call->images) * sizeof(real));
}

static void K(dropout_advance)(const struct pxr_call *call)
{
        size_t pixel = pxr_pixel_size(call->node, call->images);
        size_t start = ((size_t)call->row * call->node->shape.cols + call->col) * pixel;
        struct pxr_runs runs = pxr_runs_of(call->node, call->images, call->colour);
        const real *x = (const real *)call->input[0] + start + runs.first;
        real *y = (real *)call->output + start + runs.first;

        for (size_t run = 0; run < runs.count; run++, x += runs.stride, y += runs.stride)
                memcpy(y, x, runs.size * sizeof(real));
}

static void K(dropout_backward)(const struct pxr_call *call)
{
        const real *dy = call->output_gradient;
        real *dx = call->input_gradient[0];
        size_t size = pxr_map_size(call->node, call->images);

        if (!dx)
                return;
        if (call->training)
                K(drop)(call, dy, call->accumulate[0], dx);
        else
                for (size_t i = 0; i < size; i++)
                        dx[i] = dy[i] + (call->accumulate[0] ? dx[i] : 0);
}
