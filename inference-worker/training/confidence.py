#!/usr/bin/python3
"""confidence.py DATA FILE.onnx: fits the "confidence" of a manifest on the split val.

The network's score ranks the boxes on one face well, and the faces of a photo less so.
How large the box is, how many cells agree on it and whether the photo shows other faces
of that size says more, so the worker's confidence is a logistic regression of all of
them, for each working point (pkg/vision/confidence.go, which this must agree with). It
is fitted on the photos and on the largest part of each without a face."""

import json

import cv2
import numpy as np
import torch

from backgrounds import without_faces
from cli import arguments
from export import Exported
from photos import IGNORE, load
from validate import covered, detect, overlaps

WORKING_POINTS = {"fast": 320, "accurate": 640}  # pixels of the longer side
NAMES = ("constant", "score", "size", "size_squared", "support", "support_by_size", "company")
SIZE_UNIT, SIZES = 0.08, (0.008, 0.8)  # of the longer side
LEAST, NO_COMPANY = 1e-4, 0.02
MOST = 100  # a coefficient, as in pkg/vision/confidence.go
PENALTY = 1e-4  # of the coefficients' squares


def features(rows, longest):
    """What the confidence of rows, as detect gives them, is made of, in the order of NAMES."""
    score = rows[:, 4].astype(float).clip(LEAST, 1 - LEAST)
    side = np.sqrt((rows[:, 2] - rows[:, 0]) * (rows[:, 3] - rows[:, 1])) / longest
    size = np.log(side.clip(*SIZES) / SIZE_UNIT)
    support = np.log(rows[:, 6].clip(LEAST))
    alike = np.exp(-np.abs(size[:, None] - size)) * (1 - np.eye(len(rows)))
    company = np.log(NO_COMPANY + alike @ rows[:, 4].astype(float) ** 4)
    return np.stack((np.ones_like(score), np.log(score / (1 - score)), size, size**2, support, support * size, company), 1)


def judged(found, faces):
    """Of each row found whether it is right, or None where nobody can know."""
    real, regions = faces[faces[:, 4] != IGNORE], faces[faces[:, 4] == IGNORE]
    free = np.ones(len(real), bool)
    for row in found:
        fit = overlaps(row, real) * free
        if len(real) and fit.max() >= 0.5:
            free[fit.argmax()] = False
            yield real[fit.argmax(), 4] == row[5]
        else:
            yield None if covered(row, regions) else False


def fit(inputs, right):
    """The coefficients under which the answers are likeliest."""
    inputs, right = torch.from_numpy(inputs), torch.from_numpy(right)
    weights = torch.zeros(inputs.shape[1], dtype=inputs.dtype, requires_grad=True)
    optimiser = torch.optim.LBFGS([weights], max_iter=400, line_search_fn="strong_wolfe")

    def surprise():
        optimiser.zero_grad()
        wrong = torch.nn.functional.binary_cross_entropy_with_logits(inputs @ weights, right)
        total = wrong + PENALTY * weights.square().sum()
        total.backward()
        return total

    optimiser.step(surprise)
    return weights.detach().numpy()


def coefficients(network, photos, longest):
    """Those of one working point, by their names in the manifest."""
    inputs, right = [], []
    for photo in photos:
        found = detect(network, photo.pixels, longest)
        for row, answer in zip(features(found, max(photo.pixels.shape[:2])), judged(found, photo.faces)):
            if answer is not None:
                inputs.append(row)
                right.append(float(answer))
    if len(set(right)) < 2:
        raise SystemExit(f"nothing to fit a confidence to: of {len(right)} boxes found, all or none are right; train on")
    fitted = {name: round(float(v), 3) for name, v in zip(NAMES, fit(np.array(inputs), np.array(right)))}
    if fitted["score"] <= 0 or max(map(abs, fitted.values())) > MOST:
        raise SystemExit(f"the worker would refuse this confidence, its score says nothing: {fitted}; train on")
    return fitted


if __name__ == "__main__":
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    said = arguments(__doc__, "data", "file")
    photos, network = load(said.data, "val"), Exported(said.file)
    photos += without_faces(photos)
    print(json.dumps({point: coefficients(network, photos, longest) for point, longest in WORKING_POINTS.items()}, indent=2))
