#!/usr/bin/python3
"""validate.py DATA NETWORK [LONGEST]: average precision on the split val, to choose between networks:
checkpoints or exported ones.

What is published comes from `go tool task eval`, which runs the worker's own detector."""

import cv2
import numpy as np
import torch

from cli import arguments
from export import Exported
from network import CLASSES, STRIDES, Detector, boxes, cells, flat
from photos import IGNORE, load, resized

# As in the worker's manifest, which a test holds them to.
CANDIDATES = 0.1
OVERLAP = 0.5
AGREEMENT = 0.6


def detect(network, pixels, longest):
    """Rows of left, top, right, bottom in the photo's pixels, score, class, support: a face
    each, as the worker makes them, surest first."""
    scale = longest / max(pixels.shape[:2])
    small = resized(pixels, scale, scale)
    height, width = (-(-side // STRIDES[-1]) * STRIDES[-1] for side in small.shape[:2])
    padded = np.zeros((height, width, 3), np.uint8)
    padded[: small.shape[0], : small.shape[1]] = small
    image = torch.from_numpy(padded.transpose(2, 0, 1)[None].astype(np.float32) / 255)
    with torch.no_grad():
        values = flat(network(image))[0]
        score, label = values[:, : len(CLASSES)].sigmoid().max(1)
        found = boxes(values[:, len(CLASSES) :], cells(height, width)) / scale
    rows = torch.cat((found, score[:, None], label[:, None].float()), 1)[score >= CANDIDATES].numpy()
    return one_for_each(rows)


def one_for_each(rows):
    """The surest of the rows on each face, its box the mean of those that agree with it,
    weighted by score and overlap; its support is the sum of their scores."""
    rows = rows[np.argsort(-rows[:, 4], kind="stable")]
    free = np.ones(len(rows), bool)
    kept = []
    for i, row in enumerate(rows):
        if not free[i]:
            continue
        shared = overlaps(row, rows)
        free &= shared <= OVERLAP
        agree = shared >= AGREEMENT
        weights = (rows[agree, 4] * shared[agree])[:, None]
        box = (rows[agree, :4] * weights).sum(0) / weights.sum()
        kept.append((*box, row[4], row[5], rows[agree, 4].sum()))
    return np.array(kept, np.float32).reshape(-1, 7)


def overlaps(box, others):
    upper, lower = np.maximum(box[:2], others[:, :2]), np.minimum(box[2:4], others[:, 2:4])
    common = (lower - upper).clip(0).prod(1)
    size = lambda b: (b[..., 2] - b[..., 0]) * (b[..., 3] - b[..., 1])
    return common / (size(box) + size(others) - common + 1e-9)


def average_precision(found, truth, label):
    """label: a class, or None for faces of any. Greedy matching at IoU 0.5; what
    lies on an ignored region, or matches a face already found, is treated as COCO does."""
    hits, wanted = [], 0
    for rows, faces in zip(found, truth):
        real = faces[faces[:, 4] != IGNORE]
        regions = faces[faces[:, 4] == IGNORE]
        if label is not None:
            real, rows = real[real[:, 4] == label], rows[rows[:, 5] == label]
        wanted += len(real)
        free = np.ones(len(real), bool)
        for row in rows:
            fit = overlaps(row, real) * free
            if len(real) and fit.max() >= 0.5:
                free[fit.argmax()] = False
                hits.append((row[4], True))
            elif not covered(row, regions):
                hits.append((row[4], False))
    hits.sort(key=lambda hit: -hit[0])
    right = np.cumsum([hit for _, hit in hits])
    if wanted == 0 or len(right) == 0:
        return 0.0
    precision = np.maximum.accumulate((right / np.arange(1, len(right) + 1))[::-1])[::-1]
    recall = right / wanted
    return float(np.mean([precision[recall >= at].max(initial=0) for at in np.linspace(0, 1, 101)]))


def covered(row, regions):
    upper, lower = np.maximum(row[:2], regions[:, :2]), np.minimum(row[2:4], regions[:, 2:4])
    common = (lower - upper).clip(0).prod(1)
    return bool((common >= 0.5 * (row[2] - row[0]) * (row[3] - row[1])).any())


def validate(network, photos, longest=640):
    """AP at IoU 0.5 of each class and of faces as such, and the mean of the classes. The
    network gives the three maps of an image: Detector, in eval mode, or Exported."""
    found = [detect(network, p.pixels, longest) for p in photos]
    truth = [p.faces for p in photos]
    figures = {name: average_precision(found, truth, i) for i, name in enumerate(CLASSES)}
    figures["mean"] = sum(figures.values()) / len(CLASSES)
    figures["face"] = average_precision(found, truth, None)
    return figures


def opened(path):
    if path.endswith(".onnx"):
        return Exported(path)
    network = Detector().eval()
    network.load_state_dict(torch.load(path, map_location="cpu")["ema"])
    return network


if __name__ == "__main__":
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    said = arguments(__doc__, "data", "network", longest=640)
    figures = validate(opened(said.network), load(said.data, "val"), said.longest)
    print({name: round(value, 3) for name, value in figures.items()})
