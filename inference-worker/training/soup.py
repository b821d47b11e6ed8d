#!/usr/bin/python3
"""soup.py OUT.onnx A.onnx=0.5 B.onnx=0.5: averages exported networks, weight by weight.

Networks that were annealed from one checkpoint lie in one valley, and the mean of their
weights is often better than each of them ("model soups", Wortsman et al. 2022), at the
cost of one. In an exported file each normalisation is part of its convolution, so there is
nothing else to average."""

import numpy as np
import onnx
from onnx import numpy_helper

from cli import arguments


def soup(parts):
    """parts: pairs of a model and its share. The first is changed and given back."""
    total = sum(share for _, share in parts)
    weights = [{i.name: numpy_helper.to_array(i) for i in model.graph.initializer} for model, _ in parts]
    mixed = parts[0][0]
    if total <= 0 or any(layers(model) != layers(mixed) for model, _ in parts):
        raise SystemExit("these are different networks")
    for initial in mixed.graph.initializer:
        values = [w[initial.name] for w in weights]
        if averaged(values[0]):
            mean = sum(share / total * v.astype(float) for (_, share), v in zip(parts, values))
            initial.CopyFrom(numpy_helper.from_array(mean.astype(np.float32), initial.name))
    return mixed


def averaged(values):
    return values.dtype == np.float32 and values.ndim > 0


def layers(model):
    """All of a network but its weights, of which it has names and shapes."""
    initial = {i.name: numpy_helper.to_array(i) for i in model.graph.initializer}
    fixed = {name: values.shape if averaged(values) else values.tolist() for name, values in initial.items()}
    return fixed, [node.SerializeToString(deterministic=True) for node in model.graph.node]


def part(argument):
    path, _, share = argument.partition("=")
    return onnx.load(path), float(share or 1)


if __name__ == "__main__":
    said = arguments(__doc__, "out", "parts+")
    mixed = soup([part(argument) for argument in said.parts])
    onnx.checker.check_model(mixed)
    onnx.save(mixed, said.out)
