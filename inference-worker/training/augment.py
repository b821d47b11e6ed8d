"""Makes a training canvas of photos: scaled, cropped, mirrored, recoloured, four at a time.

All sizes are chosen round what the worker will see: a photo whose longer side is made
640 pixels ("natural size"). A canvas is smaller than that, since a crop that holds
faces teaches more per second than the background round it."""

import cv2
import numpy as np

from photos import IGNORE, resized

NATURAL = 640
SMALLEST = 6  # pixels: smaller faces are neither learnt nor punished
VISIBLE = 0.45  # the part of a face that a crop must leave


def canvas(photos, weights, side, rng):
    """A side x side picture and its faces, as in Photo."""
    picture = np.full((side, side, 3), rng.integers(0, 256), np.uint8)
    pick = lambda: photos[rng.choice(len(photos), p=weights)]
    if rng.random() < 0.4:
        middle_x, middle_y = (int(side * rng.uniform(0.35, 0.65)) for _ in range(2))
        parts = (
            (0, 0, middle_x, middle_y), (middle_x, 0, side, middle_y),
            (0, middle_y, middle_x, side), (middle_x, middle_y, side, side),
        )
        faces = np.concatenate([place(pick(), picture, part, (0.3, 1.2), rng) for part in parts])
    else:
        faces = place(pick(), picture, (0, 0, side, side), (0.35, 1.7), rng)
    return recolour(picture, rng), faces


def place(photo, picture, part, scales, rng):
    """Puts a randomly scaled photo into a part of the picture, cropped round a face
    where it is larger than the part."""
    left, top, right, bottom = part
    width, height = right - left, bottom - top
    natural = NATURAL / max(photo.pixels.shape[:2])
    scale = natural * np.exp(rng.uniform(*np.log(scales)))
    stretch = np.exp(rng.uniform(-0.12, 0.12))
    pixels = resized(photo.pixels, scale * stretch, scale / stretch)
    faces = photo.faces.copy()
    faces[:, [0, 2]] *= pixels.shape[1] / photo.pixels.shape[1]
    faces[:, [1, 3]] *= pixels.shape[0] / photo.pixels.shape[0]
    if rng.random() < 0.5:
        pixels = pixels[:, ::-1]
        faces[:, [0, 2]] = pixels.shape[1] - faces[:, [2, 0]]

    focus = centre_of_one(faces, rng) if rng.random() < 0.8 else None
    x = offset(pixels.shape[1], width, None if focus is None else focus[0], rng)
    y = offset(pixels.shape[0], height, None if focus is None else focus[1], rng)
    from_x, from_y, to_x, to_y = max(0, -x), max(0, -y), max(0, x), max(0, y)
    wide, high = min(width - to_x, pixels.shape[1] - from_x), min(height - to_y, pixels.shape[0] - from_y)
    picture[top + to_y : top + to_y + high, left + to_x : left + to_x + wide] = pixels[
        from_y : from_y + high, from_x : from_x + wide
    ]
    faces[:, [0, 2]] += left + x
    faces[:, [1, 3]] += top + y
    return clipped(faces, (left + to_x, top + to_y, left + to_x + wide, top + to_y + high))


def centre_of_one(faces, rng):
    boxed = faces[faces[:, 4] != IGNORE]
    if len(boxed) == 0:
        return None
    left, top, right, bottom, _ = boxed[rng.integers(len(boxed))]
    return (left + right) / 2, (top + bottom) / 2


def offset(length, room, focus, rng):
    """Where a photo's side of a length starts in a room, negative where it is cropped."""
    low, high = min(0, room - length), max(0, room - length)
    if focus is None or length <= room:
        return int(rng.integers(low, high + 1))
    return int(np.clip(room * rng.uniform(0.2, 0.8) - focus, low, high))


def clipped(faces, part):
    """The faces inside the part. One that is mostly cut away or too small becomes a
    region to ignore: the network may see it or not."""
    left, top, right, bottom = part
    inside = faces.copy()
    inside[:, [0, 2]] = inside[:, [0, 2]].clip(left, right)
    inside[:, [1, 3]] = inside[:, [1, 3]].clip(top, bottom)
    width, height = inside[:, 2] - inside[:, 0], inside[:, 3] - inside[:, 1]
    whole = (faces[:, 2] - faces[:, 0]) * (faces[:, 3] - faces[:, 1])
    unclear = (width * height < VISIBLE * whole) | (np.minimum(width, height) < SMALLEST)
    inside[unclear, 4] = IGNORE
    return inside[(width >= 1) & (height >= 1)]


def recolour(picture, rng):
    if rng.random() < 0.8:
        hsv = cv2.cvtColor(picture, cv2.COLOR_BGR2HSV).astype(np.float32)
        hsv[..., 0] = (hsv[..., 0] + rng.uniform(-6, 6)) % 180
        hsv[..., 1] *= rng.uniform(0.5, 1.4)
        hsv[..., 2] *= rng.uniform(0.5, 1.5)
        picture = cv2.cvtColor(hsv.clip(0, 255).astype(np.uint8), cv2.COLOR_HSV2BGR)
    if rng.random() < 0.1:
        picture = cv2.cvtColor(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
    if rng.random() < 0.12:
        picture = cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.4, 1.6))
    if rng.random() < 0.12:
        quality = int(rng.integers(25, 70))
        picture = cv2.imdecode(cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], cv2.IMREAD_COLOR)
    if rng.random() < 0.08:
        noise = rng.standard_normal(picture.shape, np.float32) * rng.uniform(2, 10)
        picture = (picture + noise).clip(0, 255).astype(np.uint8)
    return picture
