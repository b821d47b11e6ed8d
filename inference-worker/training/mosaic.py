#!/usr/bin/python3
"""mosaic.py DATA SPLIT FOLDER: sets nine photos into one large one each, to measure tiles.

The data has hardly a photo above 700 pixels. In a photo of 1,920 the faces of nine are as
small as those of a crowd, and the tiles' borders cut them as it happens. FOLDER is a COCO
folder for `go tool task eval`; it goes only where the photos may."""

import json
import sys
from pathlib import Path

import cv2
import numpy as np

from network import CLASSES
from photos import load

ACROSS = 3
SIDE = 640  # of a photo's place


def main(data, split, folder):
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    photos = load(data, split, SIDE)
    images, annotations = [], []
    for first in range(0, len(photos), ACROSS**2):
        picture, faces = mosaic(photos[first : first + ACROSS**2])
        image = {"id": len(images), "file_name": f"{len(images):03d}.png", "split": split}
        cv2.imwrite(str(folder / image["file_name"]), picture)
        images.append({**image, "width": picture.shape[1], "height": picture.shape[0]})
        for left, top, right, bottom, kind in faces.tolist():
            box = [left, top, right - left, bottom - top]
            annotations.append({"id": len(annotations), "image_id": image["id"], "category_id": int(kind), "bbox": box})
    categories = [{"id": i, "name": name} for i, name in enumerate((*CLASSES, "ignore"))]
    (folder / "annotations.json").write_text(json.dumps({"images": images, "annotations": annotations, "categories": categories}))
    print(f"{len(images)} photos of {ACROSS**2} in {folder}")


def mosaic(photos):
    """One picture of all, and their faces in it."""
    picture = np.full((ACROSS * SIDE, ACROSS * SIDE, 3), 127, np.uint8)
    moved = [np.zeros((0, 5), np.float32)]
    for i, photo in enumerate(photos):
        left, top = i % ACROSS * SIDE, i // ACROSS * SIDE
        height, width = photo.pixels.shape[:2]
        picture[top : top + height, left : left + width] = photo.pixels
        moved.append(photo.faces + np.array([left, top, left, top, 0], np.float32))
    return picture, np.concatenate(moved)


if __name__ == "__main__":
    main(*sys.argv[1:])
