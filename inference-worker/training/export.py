#!/usr/bin/python3
"""export.py CHECKPOINT FILE.onnx: writes the network as OpenCV 4.6 reads it, and compares
the two programs' answers.

The file takes any height and width that are multiples of 32, so one file serves every
working point and every shape of photo."""

import cv2
import numpy as np
import onnx
import torch

from cli import arguments
from network import STRIDES, Detector

OUTPUTS = [f"stride{s}" for s in STRIDES]
TOLERANCE = 1e-3


def export(network, path):
    network.eval()
    torch.onnx.export(
        network, torch.rand(1, 3, 320, 320), path, opset_version=11, input_names=["image"], output_names=OUTPUTS,
        dynamic_axes={"image": {2: "height", 3: "width"}}, do_constant_folding=True,
    )
    inline_identities(path)
    compare(network, path)


def inline_identities(path):
    """torch 1.13 hides equal weights behind Identity nodes, which OpenCV 4.6 refuses."""
    model = onnx.load(path)
    weights = {i.name for i in model.graph.initializer}
    renamed = {}
    for node in list(model.graph.node):
        if node.op_type == "Identity" and node.input[0] in weights:
            renamed[node.output[0]] = node.input[0]
            model.graph.node.remove(node)
    for node in model.graph.node:
        for i, name in enumerate(node.input):
            node.input[i] = renamed.get(name, name)
    onnx.checker.check_model(model)
    onnx.save(model, path)


class Exported:
    """The network as the worker runs it."""

    def __init__(self, path):
        self.net = cv2.dnn.readNet(path)

    def __call__(self, image):
        self.net.setInput(image.numpy())
        return [torch.from_numpy(values) for values in self.net.forward(OUTPUTS)]


def compare(network, path):
    """OpenCV reads some files without a word and computes something else."""
    exported = Exported(path)
    for height, width in ((320, 320), (448, 640), (640, 352)):
        image = torch.from_numpy(np.random.default_rng(1).random((1, 3, height, width), np.float32))
        with torch.no_grad():
            worst = max(float((g - w).abs().max()) for g, w in zip(exported(image), network(image)))
        if worst > TOLERANCE:
            raise SystemExit(f"OpenCV and PyTorch differ by {worst} at {width} x {height}")


if __name__ == "__main__":
    said = arguments(__doc__, "checkpoint", "file")
    network = Detector()
    network.load_state_dict(torch.load(said.checkpoint, map_location="cpu")["ema"])
    export(network, said.file)
