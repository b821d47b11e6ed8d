"""Makes faces of regions to ignore that the network is sure of: those that a good face
detector saw and nobody boxed. Most are small faces in the background, of which the
boxes have few. The region is the box; the network, which has learnt from boxes only,
says of which class (self-training, Rosenberg et al. 2005)."""

import numpy as np

from photos import IGNORE, Photo
from validate import detect, overlaps

LEAST_SCORE = 0.35  # nearly half of the regions; below it the class is a guess
LEAST_OVERLAP = 0.5


def adopt(network, photos):
    """The photos, with such regions as faces; network's weights are not changed."""
    network.eval()
    return [Photo(p.file, p.pixels, adopted(p, network)) for p in photos]


def adopted(photo, network):
    regions = np.flatnonzero(photo.faces[:, 4] == IGNORE)
    if len(regions) == 0:
        return photo.faces
    found = detect(network, photo.pixels, 640)
    found = found[found[:, 4] >= LEAST_SCORE]
    faces = photo.faces.copy()
    for region in regions:
        there = found[overlaps(faces[region, :4], found) >= LEAST_OVERLAP]
        if len(there):
            faces[region, 4] = there[there[:, 4].argmax(), 5]
    return faces
