"""Which cell learns which face, and how wrong the network is.

Cells are assigned by task alignment (TOOD, Feng et al. 2021): those that classify a
face and box it best now. A box is judged by CIoU (Zheng et al. 2020). The target of a
cell's class is how well its box fits, so that confidence says both."""

import math

import torch
from torch.nn import functional as F

from network import CLASSES, boxes
from photos import IGNORE

CELLS_PER_FACE = 10
BOX_WEIGHT = 2.5


def loss(values, where, faces):
    """The classes' and the boxes' part of the loss.

    values: B x N x 7, the network's output in one list; where: its cells, N x 3;
    faces: B x M x 5, rows of left, top, right, bottom, class; a class below 0 is no face."""
    logits, predicted = values[..., : len(CLASSES)], boxes(values[..., len(CLASSES) :], where)
    with torch.no_grad():
        target, of_face, taken = assign(logits.sigmoid(), predicted, where, faces)
        quiet = ~taken & ignored(where, faces)
    total = target.sum().clamp(min=1)

    score = logits.detach().sigmoid()
    weight = torch.where(target > 0, torch.ones_like(score), 0.75 * score.pow(1.5))
    weight = weight * ~quiet[..., None]
    classes = (F.binary_cross_entropy_with_logits(logits, target, reduction="none") * weight).sum() / total

    image = torch.arange(len(faces), device=faces.device)[:, None].expand_as(of_face)[taken]
    wanted = faces[image, of_face[taken], :4]
    fit = (1 - ciou(predicted[taken], wanted)) * target[taken].sum(-1)
    return classes, BOX_WEIGHT * fit.sum() / total


def assign(score, predicted, where, faces):
    """For each cell the class targets, the face it is to box, and whether it has one."""
    real = (faces[..., 4] >= 0) & (faces[..., 4] < IGNORE)
    overlap = iou(faces[..., None, :4], predicted[:, None])  # B x M x N
    wanted = faces[..., 4].clamp(0, len(CLASSES) - 1).long()
    likely = score.gather(2, wanted[:, None].expand(-1, score.shape[1], -1)).transpose(1, 2)
    may = near(where, faces) & real[..., None]
    alignment = (likely.sqrt() * overlap.pow(4) + 1e-12) * may

    best = alignment.topk(min(CELLS_PER_FACE, alignment.shape[2]), 2).indices
    chosen = torch.zeros_like(may).scatter_(2, best, True) & may
    # A cell that several faces want takes the one that its box fits best.
    favourite = torch.where(chosen, overlap, torch.full_like(overlap, -1)).argmax(1, keepdim=True)
    chosen &= torch.zeros_like(chosen).scatter_(1, favourite, True)

    taken, of_face = chosen.any(1), favourite[:, 0]
    alignment = alignment * chosen
    peak = alignment.amax(2, keepdim=True).clamp(min=1e-12)
    quality = (overlap * chosen).amax(2, keepdim=True).clamp(min=0.1)
    strength = (alignment / peak * quality).amax(1)  # B x N
    target = torch.zeros_like(score)
    target.scatter_(2, wanted.gather(1, of_face)[..., None], strength[..., None])
    return target * taken[..., None], of_face, taken


def near(where, faces):
    """Which cells lie well inside a face, or beside the centre of a tiny one: B x M x N."""
    centre = (faces[..., :2] + faces[..., 2:4]) / 2
    half = (faces[..., 2:4] - faces[..., :2]) / 2 * 0.9
    least = torch.where(where[:, 2] == 8, 6.4, 0.0)
    reach = torch.maximum(half[..., None, :], least[:, None])
    return ((where[:, :2] - centre[..., None, :]).abs() <= reach).all(-1)


def ignored(where, faces):
    """Which cells lie in a region to ignore: B x N."""
    x, y = where[:, 0], where[:, 1]
    left, top, right, bottom = (faces[..., i : i + 1] for i in range(4))
    inside = (x >= left) & (x <= right) & (y >= top) & (y <= bottom) & (faces[..., 4:] == IGNORE)
    return inside.any(1)


def iou(a, b):
    """Overlap over union of boxes whose leading dimensions broadcast."""
    upper, lower = torch.maximum(a[..., :2], b[..., :2]), torch.minimum(a[..., 2:4], b[..., 2:4])
    common = (lower - upper).clamp(min=0).prod(-1)
    return common / (area(a) + area(b) - common + 1e-7)


def area(box):
    return (box[..., 2] - box[..., 0]).clamp(min=0) * (box[..., 3] - box[..., 1]).clamp(min=0)


def ciou(a, b):
    """IoU less the centres' distance and the difference of the aspects."""
    overlap = iou(a, b)
    hull = torch.maximum(a[..., 2:], b[..., 2:]) - torch.minimum(a[..., :2], b[..., :2])
    apart = ((a[..., :2] + a[..., 2:] - b[..., :2] - b[..., 2:]) / 2).pow(2).sum(-1)
    aspect = lambda box: torch.atan((box[..., 2] - box[..., 0]) / (box[..., 3] - box[..., 1] + 1e-7))
    skew = 4 / math.pi**2 * (aspect(a) - aspect(b)).pow(2)
    with torch.no_grad():
        share = skew / (1 - overlap + skew + 1e-7)
    return overlap - apart / (hull.pow(2).sum(-1) + 1e-7) - share * skew
