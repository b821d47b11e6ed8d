"""Photos with boxed faces in a COCO folder: annotations.json and the files it names."""

import json
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from network import CLASSES

IGNORE = len(CLASSES)  # a region where faces are known to be unboxed

# Names that data sets give the classes.
CATEGORY = {
    "mask": 0, "masked": 0, "with_mask": 0,
    "no_mask": 1, "unmasked": 1, "without_mask": 1,
    "incorrect": 2, "mask_weared_incorrect": 2,
    "ignore": IGNORE,
}


@dataclass
class Photo:
    file: str
    pixels: np.ndarray  # BGR
    faces: np.ndarray  # rows of left, top, right, bottom in pixels, class or IGNORE


def load(folder, split, longest=640):
    """The photos of a split, none larger than longest."""
    folder = Path(folder)
    coco = json.loads((folder / "annotations.json").read_text())
    category = {c["id"]: CATEGORY[c["name"]] for c in coco["categories"]}
    faces = {}
    for a in coco["annotations"]:
        x, y, width, height = a["bbox"]
        faces.setdefault(a["image_id"], []).append((x, y, x + width, y + height, category[a["category_id"]]))
    photos = []
    for image in coco["images"]:
        if image["split"] == split:
            boxed = np.array(faces.get(image["id"], []), np.float32).reshape(-1, 5)
            photos.append(read(folder, image["file_name"], boxed, longest))
    return photos


def read(folder, file, faces, longest):
    pixels = cv2.imread(str(folder / file))
    if pixels is None:
        raise SystemExit(f"{file} cannot be read")
    scale = longest / max(pixels.shape[:2])
    if scale < 1:
        pixels, faces = resized(pixels, scale, scale), faces.copy()
        faces[:, :4] *= scale
    return Photo(file, pixels, faces)


def save(folder, by_split):
    """Writes a COCO folder: the photos of each split, each as a PNG file."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    images, annotations = [], []
    for split, photos in by_split.items():
        for photo in photos:
            height, width = photo.pixels.shape[:2]
            image = {"id": len(images), "file_name": f"{photo.file}.png", "width": width, "height": height, "split": split}
            cv2.imwrite(str(folder / image["file_name"]), photo.pixels)
            images.append(image)
            for left, top, right, bottom, kind in photo.faces.tolist():
                box = [left, top, right - left, bottom - top]
                annotations.append({"id": len(annotations), "image_id": image["id"], "category_id": int(kind), "bbox": box})
        print(f"{len(photos)} photos of split {split} in {folder}")
    categories = [{"id": i, "name": name} for i, name in enumerate((*CLASSES, "ignore"))]
    (folder / "annotations.json").write_text(json.dumps({"images": images, "annotations": annotations, "categories": categories}))


def without(file, pixels):
    """A photo without a face."""
    return Photo(file, pixels, np.zeros((0, 5), np.float32))


def resized(pixels, across, down):
    height, width = pixels.shape[:2]
    size = (max(1, round(width * across)), max(1, round(height * down)))
    return cv2.resize(pixels, size, interpolation=cv2.INTER_AREA if across < 1 else cv2.INTER_LINEAR)
