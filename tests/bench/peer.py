#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The paper's shapes in PyTorch, timed: what shapes.sh sets beside pxr.

    peer.py SHAPE [-r N] [--compile] [--bf16]   training steps and evaluation, images a second
    peer.py SHAPE --check                       no output reads its own value or a later one

The models are those of experiments/*.yaml at batch 16, on all processors and random images, in
float32 or, with --bf16, under torch.autocast: products in bfloat16, parameters, cell states and the
loss in float32. They are made as one would who wants speed from the framework without kernels of his own:
taps that a mask zeroes are cut off, 1x1 convolutions are one product, the input-to-state product
is one over the whole map, both directions of the Diagonal BiLSTM go in one batched product, and
a diagonal is contiguous and has no cells outside the image. A training step is forward, loss,
backward and RMSProp; what pxr does besides (clipping, a running average) is not in it.
"""
import argparse
import os
import statistics
import sys
import time

import torch
import torch.nn.functional as F
from torch import nn

BATCH = 16


class Shape:
    """A row of Tables 4 and 5: the residual stream has 2h features, the head `head`."""

    def __init__(self, block, layers, h, side, colours, levels, head):
        self.block, self.layers, self.h, self.head = block, layers, h, head
        self.side, self.colours, self.levels = side, colours, levels


def mnist(block):
    return Shape(block, 7, 16, 28, 1, 2, 32)


def cifar(block, layers):
    return Shape(block, layers, 128, 32, 3, 256, 1024)


# --- masks --------------------------------------------------------------------------------------


def colour_of(features, colours, gates=1):
    """The colour that each feature belongs to; for an LSTM's gates, counted inside each."""
    one = torch.arange(features // gates) * colours // (features // gates)
    return one.repeat(gates)


class MaskedConv(nn.Module):
    """A masked convolution of maps [image, row, col, channel], or of any [..., channel] if 1x1.

    The weight is whole, as in the definition, and only its taps above and to the left are used.
    """

    def __init__(self, features_in, features, shape, kernel=1, height=None, mask="B", gates=1):
        super().__init__()
        height = height or kernel
        self.kernel, self.rows, self.cols = kernel, height // 2 + 1, kernel
        if height == 1:
            self.cols = kernel // 2 + 1
        self.weight = nn.Parameter(torch.empty(features, features_in, height, kernel))
        self.bias = nn.Parameter(torch.zeros(features))
        source = colour_of(features_in, shape.colours)[None, :]
        target = colour_of(features, shape.colours, gates)[:, None]
        centre = source < target if mask == "A" else source <= target
        live = torch.ones(features, features_in, self.rows, self.cols)
        live[:, :, -1, kernel // 2] = centre.float()
        live[:, :, -1, kernel // 2 + 1 :] = 0
        start_uniform(self.weight, int(live.sum()) / features)
        # Where nothing of a 1x1 is masked there is nothing to multiply with.
        self.register_buffer("live", live if kernel > 1 or not live.all() else None)

    def forward(self, x):
        weight = self.weight[:, :, : self.rows, : self.cols]
        if self.live is not None:
            weight = weight * self.live
        if self.kernel == 1:
            return F.linear(x, weight[:, :, 0, 0], self.bias)
        # Channels lie last, so that this view is the "channels last" that convolutions like.
        y = F.conv2d(
            x.permute(0, 3, 1, 2), weight, self.bias, padding=(self.rows - 1, self.kernel // 2)
        )
        return y.permute(0, 2, 3, 1)[:, : x.shape[1], : x.shape[2]]


def start_uniform(weight, inputs):
    bound = (3 / inputs) ** 0.5
    nn.init.uniform_(weight, -bound, bound)


# --- what lies between the residual connections -------------------------------------------------
#
# Between layers maps are never of four dimensions: torch.compile takes all that are, where there is
# a convolution, for [image, channel, row, col], and turns them round.


class Convolutions(nn.Module):
    """Figure 5 left. Maps are [image and pixel, channel]."""

    def __init__(self, shape):
        super().__init__()
        h, self.side = shape.h, shape.side
        self.narrow = MaskedConv(2 * h, h, shape)
        self.middle = MaskedConv(h, h, shape, kernel=3)
        self.widen = MaskedConv(h, 2 * h, shape)

    @staticmethod
    def arrange(x):
        return x.flatten(0, 2)

    def forward(self, x):
        x = F.relu(self.narrow(F.relu(x)))
        x = self.middle(x.view(-1, self.side, self.side, x.shape[-1])).flatten(0, 2)
        return self.widen(F.relu(x))


def lstm_cells(gates, c):
    """h and c of the cells whose gates o, f, i, g lie one after the other."""
    h = c.shape[-1]
    sigmoids, g = gates.split((3 * h, h), -1)
    o, f, i = sigmoids.sigmoid().chunk(3, -1)
    c = torch.addcmul(f * c, i, g.tanh())
    return o * c.tanh(), c


class RowLSTM(nn.Module):
    """Maps are [row, image and col, channel], so that what a step reads and writes is contiguous."""

    def __init__(self, shape):
        super().__init__()
        h, self.cols = shape.h, shape.side
        self.input_to_state = MaskedConv(2 * h, 4 * h, shape, kernel=3, height=1, gates=4)
        self.state_to_state = nn.Parameter(torch.empty(3 * h, 4 * h))
        self.initial_state = nn.Parameter(torch.zeros(h))
        self.initial_cell = nn.Parameter(torch.zeros(h))
        self.widen = MaskedConv(h, 2 * h, shape)
        start_uniform(self.state_to_state, 3 * h)

    @staticmethod
    def arrange(x):
        return x.transpose(0, 1).flatten(1, 2)

    def forward(self, x):
        rows, places, channels = x.shape
        from_input = self.input_to_state(x.view(-1, 1, self.cols, channels))
        h = self.initial_state.expand(places, -1)
        c = self.initial_cell.expand(places, -1)
        states = []
        for gates in from_input.reshape(rows, places, -1).unbind():
            above = h.view(-1, self.cols, h.shape[-1])
            padded = F.pad(above, (0, 0, 1, 1))
            taps = torch.cat((padded[:, :-2], above, padded[:, 2:]), -1).flatten(0, 1)
            h, c = lstm_cells(torch.addmm(gates, taps, self.state_to_state), c)
            states.append(h)
        return self.widen(torch.stack(states))


class Reorder(torch.autograd.Function):
    """x[order] of a permutation: its gradient is a gather, too, where indexing's is a sum."""

    @staticmethod
    def forward(ctx, x, order, inverse):
        ctx.save_for_backward(inverse)
        return x.index_select(0, order)

    @staticmethod
    def backward(ctx, gradient):
        (inverse,) = ctx.saved_tensors
        return gradient.index_select(0, inverse), None, None


class DiagonalBiLSTM(nn.Module):
    """Maps are [pixel, image, channel]. The skewed map is one without the cells that skewing adds
    outside the image: pixels in the order of their diagonals, those in the order of rows."""

    def __init__(self, shape):
        super().__init__()
        h, side = shape.h, shape.side
        self.side = side
        self.left = MaskedConv(2 * h, 4 * h, shape, gates=4)  # input-to-state
        self.right = MaskedConv(2 * h, 4 * h, shape, gates=4)
        self.state_to_state = nn.Parameter(torch.empty(2, 2 * h, 4 * h))  # of the left, the above
        self.initial_state = nn.Parameter(torch.zeros(2, 1, 1, h))
        self.initial_cell = nn.Parameter(torch.zeros(2, 1, 1, h))
        self.widen = MaskedConv(h, 2 * h, shape)
        start_uniform(self.state_to_state, 2 * h)
        row, col = torch.arange(side * side) // side, torch.arange(side * side) % side
        order = ((row + col) * side + row).argsort()
        mirrored = (row * side + side - 1 - col)[order]
        self.lengths = (row + col).bincount().tolist()
        for name, places in ("order", order), ("mirrored", mirrored):
            self.register_buffer(name, places)
            self.register_buffer(name + "_inverse", places.argsort())

    @staticmethod
    def arrange(x):
        return x.permute(1, 2, 0, 3).flatten(0, 1).contiguous()

    def forward(self, x):
        pixels, images, _ = x.shape
        from_input = torch.stack(
            (
                self.left(Reorder.apply(x, self.order, self.order_inverse)),
                self.right(Reorder.apply(x, self.mirrored, self.mirrored_inverse)),
            )
        )
        initial = self.initial_state.expand(2, 1, images, -1)
        initial_cell = self.initial_cell.expand(2, 1, images, -1)
        beyond = torch.zeros_like(initial)  # the state above the first row
        h, c = initial[:, :0], initial_cell[:, :0]
        diagonals = []
        for step, gates in enumerate(from_input.split(self.lengths, 1)):
            cells = gates.shape[1]
            # Of the diagonal before, a cell's left neighbour is in its row and follows the one
            # above. While diagonals grow, one more begins in the first row, one in the first column.
            if step < self.side:
                h, c = torch.cat((beyond, h, initial), 1), torch.cat((c, initial_cell), 1)
            else:
                c = c[:, 1:]
            taps = torch.cat((h[:, 1:], h[:, :-1]), -1)
            gates = torch.baddbmm(gates.flatten(1, 2), taps.flatten(1, 2), self.state_to_state)
            h, c = lstm_cells(gates.view(2, cells, images, -1), c)
            diagonals.append(h)
        left, right = torch.cat(diagonals, 1).unbind()
        left = Reorder.apply(left, self.order_inverse, self.order)
        right = Reorder.apply(right, self.mirrored_inverse, self.mirrored)
        # Down by one row, so that nothing to the right leaks.
        return self.widen(left + F.pad(right[: pixels - self.side], (0, 0, 0, 0, self.side, 0)))


# --- the model ----------------------------------------------------------------------------------


class Stem(nn.Module):
    def __init__(self, shape):
        super().__init__()
        self.levels, self.arrange = shape.levels, shape.block.arrange
        self.conv = MaskedConv(shape.colours, 2 * shape.h, shape, kernel=7, mask="A")

    def forward(self, pixels):
        scaled = pixels.to(self.conv.weight.dtype) * (2 / (self.levels - 1)) - 1
        return self.arrange(self.conv(scaled))


class Block(nn.Module):
    """Layers with a residual connection around and a connection to the output."""

    def __init__(self, shape):
        super().__init__()
        self.layers = shape.block(shape)
        self.skip = MaskedConv(2 * shape.h, 2 * shape.h, shape)

    def forward(self, x, skips):
        x = x + self.layers(x)
        skip = self.skip(x)
        return x, skip if skips is None else skips + skip


class Head(nn.Module):
    def __init__(self, shape):
        super().__init__()
        outputs = shape.colours * (shape.levels if shape.levels > 2 else 1)
        self.first = MaskedConv(2 * shape.h, shape.head, shape)
        self.second = MaskedConv(shape.head, shape.head, shape)
        self.output = MaskedConv(shape.head, outputs, shape)

    def forward(self, skips):
        x = self.second(F.relu(self.first(F.relu(skips))))
        return self.output(x)


class Model(nn.Module):
    def __init__(self, shape):
        super().__init__()
        self.shape = shape
        self.stem = Stem(shape)
        self.blocks = nn.ModuleList(Block(shape) for _ in range(shape.layers))
        self.head = Head(shape)

    def forward(self, pixels):
        """Logits of pixels [image, row, col, colour], arranged as the blocks like it."""
        x, skips = self.stem(pixels), None
        for block in self.blocks:
            x, skips = block(x, skips)
        return self.head(skips)

    def nll(self, pixels):
        """Mean over all values, in nats."""
        logits, targets = self(pixels).float(), self.shape.block.arrange(pixels)
        if self.shape.levels == 2:
            return F.binary_cross_entropy_with_logits(logits, targets.float())
        return F.cross_entropy(logits.reshape(-1, self.shape.levels), targets.reshape(-1).long())

    def compile_parts(self):
        """The blocks one by one, being the same: a whole unrolled scan is compiled but once."""
        for part in (self.stem, *self.blocks, self.head):
            part.compile()


SHAPES = {
    "mnist_pixelcnn": mnist(Convolutions),
    "mnist_row": mnist(RowLSTM),
    "mnist_diag7": mnist(DiagonalBiLSTM),
    "cifar_pixelcnn": cifar(Convolutions, 15),
    "cifar_row": cifar(RowLSTM, 12),
    "cifar_diag": cifar(DiagonalBiLSTM, 12),
}


# --- measuring ----------------------------------------------------------------------------------


def random_images(shape):
    return torch.randint(shape.levels, (BATCH, shape.side, shape.side, shape.colours)).byte()


def measure(what, work, repetitions):
    """Print images a second of `work`, which is a batch; each repetition takes a second or more."""
    rates = []
    for repetition in range(-1, repetitions):  # the first is not counted: it compiles and warms up
        batches, start = 0, time.perf_counter()
        while not batches or (time.perf_counter() - start < 1 and repetition >= 0):
            work()
            batches += 1
        if repetition >= 0:
            rates.append(BATCH * batches / (time.perf_counter() - start))
    print(f"{what} {statistics.median(rates):.4g} ({min(rates):.4g} - {max(rates):.4g})", flush=True)


def bench(model, repetitions, bf16):
    """Autocast keeps the rounded parameters from one use to the next, until the forward pass ends."""
    pixels = random_images(model.shape)
    optimizer = torch.optim.RMSprop(model.parameters(), lr=1e-4, alpha=0.99)

    def train():
        optimizer.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            loss = model.nll(pixels)
        loss.backward()
        optimizer.step()

    def evaluate():
        with torch.no_grad(), torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            model.nll(pixels)

    measure("training", train, repetitions)
    measure("evaluation", evaluate, repetitions)


# --- the check ----------------------------------------------------------------------------------


def in_raster_order(model, pixels):
    """Logits as [image, value, level]."""
    shape = model.shape
    pixel = torch.arange(BATCH * shape.side**2).view(*pixels.shape[:-1], 1)
    logits = model(pixels).flatten(0, -2)[shape.block.arrange(pixel).flatten().argsort()]
    return logits.view(BATCH, shape.side**2 * shape.colours, -1)


def check(model):
    """Change a value here and there: of the outputs, later values' may move, and some must."""
    shape = model.double().shape  # so that what only rounds otherwise is not taken for a move
    values = shape.side**2 * shape.colours
    row = shape.side * shape.colours
    places = [0, shape.colours - 1, row - 1, row, 2 * row - 1, values // 2, values - row - 1]
    places += torch.randint(values - 1, (BATCH - 1 - len(places),)).tolist()
    with torch.no_grad():
        for parameter in model.parameters():  # no bias, no initial state is zero
            parameter.add_(0.02 * torch.randn_like(parameter))
        pixels = random_images(shape)[:1].repeat(BATCH, 1, 1, 1)
        for image, place in enumerate(places, 1):
            value = pixels[image].view(-1)
            value[place] = shape.levels - 1 - value[place]
        logits = in_raster_order(model, pixels)
    moved = ((logits[1:] - logits[0]).abs() > 1e-9).any(-1)
    for place, those in zip(places, moved):
        if those[: place + 1].any() or not those[place + 1 :].any():
            which = ", ".join(map(str, those.nonzero().flatten().tolist()[:8])) or "none"
            sys.exit(f"peer.py: changing value {place} moved outputs of values {which}")
    print(f"masks hold: {len(places)} values changed, outputs moved of later ones only")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("shape", choices=SHAPES)
    parser.add_argument("-r", "--repetitions", type=int, default=3)
    parser.add_argument("-t", "--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--compile", action="store_true", help="with torch.compile")
    parser.add_argument("--bf16", action="store_true", help="products in bfloat16")
    parser.add_argument("--parameters", type=int, help="refuse if the model has not as many")
    parser.add_argument("--check", action="store_true", help="check the masks; measure nothing")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(1)
    model = Model(SHAPES[options.shape])
    count = sum(parameter.numel() for parameter in model.parameters())
    if options.parameters is not None and options.parameters != count:
        sys.exit(f"peer.py: {options.shape} has {options.parameters} parameters, this one {count}")
    if options.compile:
        model.compile_parts()
    if options.check:
        check(model)
    else:
        bench(model, options.repetitions, options.bf16)


if __name__ == "__main__":
    main()
