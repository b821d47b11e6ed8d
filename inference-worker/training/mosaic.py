#!/usr/bin/python3
"""mosaic.py DATA SPLIT FOLDER: sets nine photos into one large one each, to measure tiles.

The data has hardly a photo above 700 pixels. In a photo of 1,920 the faces of nine are as
small as those of a crowd, and the tiles' borders cut them as it happens. FOLDER is a COCO
folder for `go tool task eval`; it goes only where the photos may."""

import numpy as np

from cli import arguments
from photos import Photo, load, save

ACROSS = 3
SIDE = 640  # of a photo's place


def main(data, split, folder):
    photos = load(data, split, SIDE)
    firsts = range(0, len(photos), ACROSS**2)
    save(folder, {split: [mosaic(f"{i:03d}", photos[first : first + ACROSS**2]) for i, first in enumerate(firsts)]})


def mosaic(file, photos):
    """One photo of all, with their faces."""
    picture = np.full((ACROSS * SIDE, ACROSS * SIDE, 3), 127, np.uint8)
    moved = [np.zeros((0, 5), np.float32)]
    for i, photo in enumerate(photos):
        left, top = i % ACROSS * SIDE, i // ACROSS * SIDE
        height, width = photo.pixels.shape[:2]
        picture[top : top + height, left : left + width] = photo.pixels
        moved.append(photo.faces + np.array([left, top, left, top, 0], np.float32))
    return Photo(file, picture, np.concatenate(moved))


if __name__ == "__main__":
    main(**vars(arguments(__doc__, "data", "split", "folder")))
