#!/usr/bin/python3
"""backgrounds.py DATA SPLIT FOLDER [COUNT]: cuts pictures without faces out of photos.

Nobody boxed a photo without faces in the data, but most photos have a part without
one. The largest such part of each becomes a picture of its own; FOLDER is then a COCO
folder, over which `go tool task eval -- FOLDER` counts false alarms. The pictures are
pieces of the photos and may go only where those may."""

from pathlib import Path

import numpy as np

from cli import arguments
from photos import load, save, without

LEAST = 128  # pixels a side: less shows too little to be taken for a photo
MARGIN = 0.5  # of a box: hair, ears and shoulders are kept out too
STEP = 16


def main(data, split, folder, count):
    cuts = [(cut.shape[0] * cut.shape[1], photo.file, cut) for photo in load(data, split) for cut in [largest(photo)] if cut is not None]
    cuts.sort(key=lambda c: (-c[0], c[1]))
    save(folder, {split: [without(f"{i:03d}-{Path(file).stem}", cut) for i, (_, file, cut) in enumerate(cuts[:count])]})


def without_faces(photos):
    """A photo without a face of each that has a large enough part; training scales it up
    to what a whole photo is."""
    cuts = ((photo.file, largest(photo)) for photo in photos)
    return [without(file, cut) for file, cut in cuts if cut is not None]


def largest(photo):
    """The largest part without a box, of a shape that photos have; None if it is too small."""
    height, width = photo.pixels.shape[:2]
    rows, columns = -(-height // STEP), -(-width // STEP)
    faces = np.zeros((rows, columns), bool)
    for left, top, right, bottom, _ in photo.faces:
        across, down = (right - left) * MARGIN, (bottom - top) * MARGIN
        first, last = max(0, int((left - across) // STEP)), int((right + across) // STEP) + 1
        faces[max(0, int((top - down) // STEP)) : int((bottom + down) // STEP) + 1, first:last] = True
    best, found = 0, None
    free = np.zeros(columns, int)  # cells without a face, upwards from the row
    for row in range(rows):
        free = np.where(faces[row], 0, free + 1)
        for left in range(columns):
            high = rows
            for right in range(left, columns):
                high = min(high, free[right])
                if high == 0:
                    break
                wide = right - left + 1
                if wide * high > best and min(wide, high) * STEP >= LEAST and max(wide, high) <= 2 * min(wide, high):
                    best, found = wide * high, (left, row - high + 1, right + 1, row + 1)
    if found is None:
        return None
    left, top, right, bottom = (STEP * side for side in found)
    return photo.pixels[top : min(bottom, height), left : min(right, width)]


if __name__ == "__main__":
    main(**vars(arguments(__doc__, "data", "split", "folder", count=200)))
