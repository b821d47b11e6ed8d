#!/usr/bin/python3
"""make.py: writes the networks that the tests of package vision load, a few hundred
bytes each. Their answers are constants or follow from the input's mean, so that a test
can say beforehand what must be found. Needs python3-onnx; OpenCV 4.6 reads opset 11."""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

HERE = Path(__file__).parent


def write(name, nodes, weights, outputs, side=("height", "width")):
    """outputs: name and shape."""
    graph = helper.make_graph(
        nodes, "test",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, (1, 3, *side))],
        [helper.make_tensor_value_info(o, TensorProto.FLOAT, shape) for o, shape in outputs.items()],
        [numpy_helper.from_array(v, k) for k, v in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 11)], producer_name="maskfleet")
    model.ir_version = 6
    onnx.checker.check_model(model)
    onnx.save(model, HERE / name)


def mean(stride=32):
    """The mean colour of every cell."""
    return helper.make_node("AveragePool", ["image"], ["mean"], kernel_shape=[stride, stride], strides=[stride, stride])


def conv(rows, bias, output):
    """The node and the weights of a row of factors for blue, green and red for each value."""
    weights = {f"{output}_w": np.array(rows, np.float32)[:, :, None, None], f"{output}_b": np.array(bias, np.float32)}
    return helper.make_node("Conv", ["mean", *weights], [output], kernel_shape=[1, 1]), weights


def cells(name, rows, bias):
    node, weights = conv(rows, bias, "cells")
    write(name, [mean(), node], weights, {"cells": (1, len(rows), "rows", "columns")})


def anchors(name, side, count, classes, loc, conf):
    """An SSD of one map of side x side cells and count anchors in each."""
    nodes, weights, outputs = [mean()], {}, {}
    for out, width, rows, bias in (("loc", 4, *loc), ("conf", classes, *conf)):
        node, of_conv = conv(rows, bias, f"{out}_map")
        weights |= of_conv | {f"{out}_shape": np.array([1, side * side * count, width])}
        nodes += [
            node,
            helper.make_node("Transpose", [f"{out}_map"], [f"{out}_last"], perm=[0, 2, 3, 1]),
            helper.make_node("Reshape", [f"{out}_last", f"{out}_shape"], [out]),
        ]
        outputs[out] = (1, side * side * count, width)
    write(name, nodes, weights, outputs, (side * 32, side * 32))


NONE = [0, 0, 0]

# Masked where a cell is all blue, unmasked where it is all red; a box of 32 pixels.
cells("colours.onnx",
      [[20, -20, -20], [-20, -20, 20], NONE, NONE, NONE, NONE, NONE],
      [-10, -10, -20, np.log(0.5), np.log(0.5), np.log(0.5), np.log(0.5)])

# Not a number: the logarithm of a negative one.
node, weights = conv([NONE] * 7, [-1] * 7, "negative")
write("nan.onnx", [mean(), node, helper.make_node("Log", ["negative"], ["cells"])], weights,
      {"cells": (1, 7, "rows", "columns")})

# An SSD of 2 x 2 cells with three anchors each. Only the first anchor of a cell that is
# all red sees a face, masked; its box is the anchor's, moved right by a variance.
anchors("anchors.onnx", 2, 3, 2,
        ([NONE] * 12, [1, 0, 0, 0] + [0] * 8),
        ([[1, -1, -1], NONE, NONE, NONE, NONE, NONE], [0, 0, 0, 0, 0, 0]))
