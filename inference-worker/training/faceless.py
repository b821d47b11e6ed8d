#!/usr/bin/python3
"""faceless.py FOLDER: photos without faces, out of packages that Debian ships.

The data has hardly a photo without people, so that a network that has learnt from it
alone sees faces in spoons and ducklings. FOLDER becomes a COCO folder without a box:
its split `train` is for `train.py --others`, its split `test` counts false alarms
with `go tool task eval`. They share no source. Somebody has looked at each."""

import re
import subprocess
import tempfile
from pathlib import Path

import cv2
import numpy as np

from cli import arguments
from photos import save, without

WALLPAPERS = ["lomiri-wallpapers-16.04", "lomiri-wallpapers-20.04", "mate-backgrounds", "plasma-workspace-wallpapers"]
STAMPS = "tuxpaint-stamps-default"  # things and animals, cut out
STAMPED = "animals clothes food hobbies household medical military naturalforces plants space sports town vehicles".split()
ALBUM = "gcompris-qt-data"  # photos of tools, fish, monuments, animals
PAGES = re.compile("categorization|clickgame|details|erase|explore_(farm_animals|monuments|world_animals)$")
# Paintings of people, statues with a face, and pictures that are no photos.
FACES = {"categorization": {97, 99, 117}, "clickgame": {0, 5, 6}, "details": {2, 4, 7, 8, 10, 12, 15, 19}, "explore_monuments": {26, 28, 32}}
COUNTS = {"train": 565, "test": 261}  # of Debian 12's packages; FACES counts by them
LEAST = 300  # pixels of the longer side
SIDE = 480  # of a stamp's picture


def main(folder):
    with tempfile.TemporaryDirectory() as packages:
        unpack([*WALLPAPERS, STAMPS, ALBUM], packages)
        pictures = {"train": list(things(Path(packages))), "test": list(album(Path(packages)))}
    counts = {split: len(of_it) for split, of_it in pictures.items()}
    if counts != COUNTS:
        raise SystemExit(f"the packages hold other pictures, {counts}: look at them, then set FACES and COUNTS anew")
    save(folder, pictures)


def unpack(names, folder):
    subprocess.run(["apt-get", "download", "-q", *names], cwd=folder, check=True)
    for package in sorted(Path(folder).glob("*.deb")):
        subprocess.run(["dpkg", "-x", package, Path(folder) / package.name.split("_")[0]], check=True)


def things(packages):
    """Every wallpaper, and every stamp on one of them."""
    walls = [wall for name in WALLPAPERS for wall in photos(packages / name) if "screenshot" not in wall.name]
    backs = [resized_to(cv2.imread(str(wall)), 640) for wall in walls]
    yield from (without(f"wall-{i:03d}", back) for i, back in enumerate(backs))
    stamps = packages / STAMPS / "usr/share/tuxpaint/stamps"
    cut_out = [s for kind in STAMPED for s in photos(stamps / kind) if "mirror" not in s.name]
    rng = np.random.default_rng(1)
    for i, stamp in enumerate(cut_out):
        back = backs[rng.integers(len(backs))]
        yield without(f"stamp-{i:03d}", stamped(back, cv2.imread(str(stamp), cv2.IMREAD_UNCHANGED), rng))


def photos(folder):
    return sorted(f for f in folder.rglob("*") if f.suffix.lower() in (".jpg", ".jpeg", ".png") and not f.is_symlink())


def stamped(back, stamp, rng):
    picture = cv2.resize(back, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    if stamp.ndim == 2:
        stamp = cv2.cvtColor(stamp, cv2.COLOR_GRAY2BGRA)
    elif stamp.shape[2] == 3:
        stamp = cv2.cvtColor(stamp, cv2.COLOR_BGR2BGRA)
    if stamp.dtype == np.uint16:
        stamp = (stamp >> 8).astype(np.uint8)
    stamp = resized_to(stamp, int(SIDE * rng.uniform(0.3, 0.95)))
    height, width = stamp.shape[:2]
    top, left = rng.integers(SIDE - height + 1), rng.integers(SIDE - width + 1)
    part = picture[top : top + height, left : left + width]
    opaque = stamp[..., 3:] / 255
    part[:] = opaque * stamp[..., :3] + (1 - opaque) * part
    return picture


def resized_to(pixels, longer):
    scale = longer / max(pixels.shape[:2])
    size = (max(1, round(pixels.shape[1] * scale)), max(1, round(pixels.shape[0] * scale)))
    return cv2.resize(pixels, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)


def album(packages):
    """The photos of an album whose pages are Qt resource files with WebP in them."""
    for page in sorted((packages / ALBUM).rglob("*.rcc")):
        if PAGES.match(page.stem):
            found = [p for p in map(decoded, webps(page.read_bytes())) if p is not None and max(p.shape[:2]) >= LEAST]
            faces = FACES.get(page.stem, set())
            yield from (without(f"{page.stem}-{i:03d}", p) for i, p in enumerate(found) if i not in faces)


def webps(data):
    """RIFF files of the kind WEBP, each with its length in its head."""
    at = data.find(b"RIFF")
    while at >= 0:
        length = int.from_bytes(data[at + 4 : at + 8], "little") + 8
        if data[at + 8 : at + 12] == b"WEBP":
            yield data[at : at + length]
            at += length - 4
        at = data.find(b"RIFF", at + 4)


def decoded(webp):
    return cv2.imdecode(np.frombuffer(webp, np.uint8), cv2.IMREAD_COLOR)


if __name__ == "__main__":
    main(arguments(__doc__, "folder").folder)
