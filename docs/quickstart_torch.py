#!/usr/bin/env python3
"""Load a checkpoint of experiments/quickstart.yaml into PyTorch, and compute the NLL of images.

usage: quickstart_torch.py CHECKPOINT IMAGES.npz"""
import json, math, sys
import numpy, torch
from torch.nn.functional import binary_cross_entropy_with_logits, conv2d, relu

def load(path):  # as safetensors does: names, shapes and texts as JSON, then the numbers
    data = open(path, "rb").read()
    end = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:end])
    text = header.pop("__metadata__")
    return text, {name: torch.tensor(numpy.frombuffer(
        data, "<f4", math.prod(of["shape"]), end + of["data_offsets"][0]).reshape(of["shape"]))
        for name, of in header.items()}

def conv(layer, x, mask="B"):
    weight = arrays[prefix + layer + ".weight"].permute(3, 2, 0, 1).clone()  # from rows, columns, in, out
    row, col = weight.shape[2] // 2, weight.shape[3] // 2
    weight[:, :, row + 1:] = 0  # no pixel below, none to the right, and with mask A not the pixel itself
    weight[:, :, row, col + (mask == "B"):] = 0
    return conv2d(x, weight, arrays[prefix + layer + ".bias"], padding="same")

text, arrays = load(sys.argv[1])
prefix = text["evaluated"]  # "average." if the average of the parameters is evaluated, else ""
images = torch.tensor(numpy.load(sys.argv[2])["data"][:, None] // 255).float()  # 0 and 1
x = conv("layers.0.conv", 2 * images - 1, "A")
for block in range(2):
    x = x + conv(f"layers.1.{block}.residual.conv", relu(x))
logits = conv("layers.5.sigmoid", relu(conv("layers.3.conv", relu(x))))
nll = binary_cross_entropy_with_logits(logits.double(), images.double(), reduction="sum")
print(f"{nll / len(images):.4f} nats/image")
