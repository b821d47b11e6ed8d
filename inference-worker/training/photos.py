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
    "ignore": IGNORE, "ignored": IGNORE,
}


@dataclass
class Photo:
    file: str
    pixels: np.ndarray  # BGR
    faces: np.ndarray  # rows of left, top, right, bottom in pixels, class or IGNORE


def load(folder, split, longest=640, of_them=None):
    """The photos of a split, none larger than longest; so many of them at most."""
    folder = Path(folder)
    listed = folder / "annotations.json"
    if not listed.is_file():
        raise SystemExit(f"{folder} has no annotations.json")
    coco = json.loads(listed.read_text())
    category = {c["id"]: kind(c["name"]) for c in coco["categories"]}
    faces = {}
    for a in coco["annotations"]:
        x, y, width, height = a["bbox"]
        of = IGNORE if a.get("iscrowd") else category[a["category_id"]]
        faces.setdefault(a["image_id"], []).append((x, y, x + width, y + height, of))
    images = [image for image in coco["images"] if image.get("split") == split]
    if not images:
        splits = sorted({str(image.get("split")) for image in coco["images"]})
        raise SystemExit(f"no photo of {folder} is in split {split}; there are {', '.join(splits)}")
    boxed = lambda image: np.array(faces.get(image["id"], []), np.float32).reshape(-1, 5)
    return [read(folder, image["file_name"], boxed(image), longest) for image in images[:of_them]]


def kind(name):
    """What a category's name means; as docs/evaluation.md says, and eval reads it."""
    name = name.lower().replace("-", "_").replace(" ", "_")
    if name.startswith("incorrect") or name.endswith(("incorrect", "incorrectly")):
        return 2
    if name not in CATEGORY:
        raise SystemExit(f"category {name} is none of mask, no_mask, incorrect and ignore")
    return CATEGORY[name]


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
