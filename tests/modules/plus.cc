// SPDX-License-Identifier: MIT
// plus.cc - a layer in C++17: options, an op of its own, a parameter and a composed part.
#include <pxr/elementwise.h>
#include <pxr/layer.h>

namespace
{

PXR_ELEMENTWISE(softsign, "softsign", x / (1 + fabs(x)), (1 - fabs(y)) * (1 - fabs(y)))

struct Conf {
        int64_t kernel;
        double gain;
        bool bias;
        int mask;
};

const char *const masks[] = { "A", "B", nullptr };

const pxr_option rows[] = {
        PXR_INT(Conf, kernel, "3", 1, 63, "side of the kernel; odd"),
        PXR_REAL(struct Conf, gain, "1", 0, 100, "of the initial weights"),
        PXR_BOOL(Conf, bias, "true", "add a bias"),
        PXR_ENUM(Conf, mask, "B", masks, "of the convolution"),
        PXR_END,
};
const pxr_options options = { rows, sizeof(Conf), nullptr, nullptr };

// y = x times a scale for each channel, in both precisions.
template <typename Real> struct Scale {
        static void forward(const pxr_call *call)
        {
                auto x = static_cast<const Real *>(call->input[0]);
                auto scale = static_cast<const Real *>(call->parameter[0]);
                auto y = static_cast<Real *>(call->output);
                std::size_t channels = call->node->shape.channels;

                for (std::size_t i = 0; i < pxr_map_size(call->node, call->images); i++)
                        y[i] = x[i] * scale[i % channels];
        }
        static void advance(const pxr_call *call)
        {
                const pxr_node *node = call->node;
                int channels = node->shape.channels;
                auto scale = static_cast<const Real *>(call->parameter[0]);
                std::size_t at = (static_cast<std::size_t>(call->row) * node->shape.cols +
                                  call->col) * pxr_pixel_size(node, call->images);
                int begin = pxr_group_begin(channels, node->colours, call->colour);
                int end = pxr_group_begin(channels, node->colours, call->colour + 1);

                for (int image = 0; image < call->images; image++, at += channels)
                        for (int f = begin; f < end; f++)
                                static_cast<Real *>(call->output)[at + f] =
                                        static_cast<const Real *>(call->input[0])[at + f] * scale[f];
        }
        static void backward(const pxr_call *call)
        {
                auto x = static_cast<const Real *>(call->input[0]);
                auto scale = static_cast<const Real *>(call->parameter[0]);
                auto dy = static_cast<const Real *>(call->output_gradient);
                auto dx = static_cast<Real *>(call->input_gradient[0]);
                auto dscale = static_cast<Real *>(call->parameter_gradient[0]);
                std::size_t channels = call->node->shape.channels;

                for (std::size_t i = 0; i < pxr_map_size(call->node, call->images); i++) {
                        if (dx)
                                dx[i] = dy[i] * scale[i % channels] +
                                        (call->accumulate[0] ? dx[i] : 0);
                        if (dscale)
                                dscale[i % channels] += dy[i] * x[i];
                }
        }
};

pxr_op make_op()
{
        pxr_op op = {};

        op.name = "scale";
        op.flags = PXR_BACKWARD_READS_INPUT;
        op.kernels[PXR_F32] = { Scale<float>::forward, Scale<float>::backward, Scale<float>::advance };
        op.kernels[PXR_F64] = { Scale<double>::forward, Scale<double>::backward, Scale<double>::advance };
        return op;
}
const pxr_op scale = make_op();

void init(const pxr_parameter *parameter, struct pxr_random *random, double *values)
{
        for (std::size_t i = 0; i < parameter->size; i++)
                values[i] = 1 + 0.1 * pxr_random_normal(random);
}

pxr_node *build(pxr_builder *builder, const void *options, pxr_node *input)
{
        auto conf = static_cast<const Conf *>(options);
        struct pxr_conv conv = {};
        pxr_new_node scaled = {};
        pxr_node *node;

        conv.kernel = static_cast<int>(conf->kernel);
        conv.mask = conf->mask == 0 ? PXR_MASK_A : PXR_MASK_B;
        conv.features = scaled.shape.channels = input->shape.channels;
        conv.bias = conf->bias;
        conv.gain = conf->gain;
        scaled.op = &scale;
        scaled.shape = input->shape;
        scaled.inputs = 1;
        scaled.input[0] =
                pxr_add_elementwise(builder, &softsign, pxr_conv(builder, nullptr, &conv, input));
        node = pxr_add_node(builder, &scaled);
        if (pxr_add_parameter(builder, node, "scale", init, 1, &input->shape.channels))
                return nullptr;
        return node;
}

const pxr_layer layer = { "plus", "a layer in C++", nullptr, &options, nullptr, build, nullptr };

} // namespace
PXR_PLUGIN(layer)
