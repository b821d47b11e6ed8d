#!/usr/bin/python3
"""release.py DATA FILE.onnx: makes a network the worker's, if it is better on val.

Every network has coefficients of its own: whoever replaces detector.onnx by hand leaves
the worker with the confidence of another. So this writes the file, the manifest's
"confidence" and "version", and released.json, or none of them. --anyway does so for one
that is not better, after a person has looked at `go tool task eval`."""

import argparse
import datetime
import json
import re
import shutil
from pathlib import Path

import cv2
import torch

from backgrounds import without_faces
from confidence import WORKING_POINTS, coefficients
from export import Exported
from photos import load
from validate import validate

HERE = Path(__file__).parent
MODEL = HERE.parents[1] / "pkg" / "vision" / "model"
RELEASED = HERE / "released.json"


def release(file, photos, model, released, anyway=False, today=None):
    """Whether the file is the worker's now. photos are those of val; figures of others
    say nothing beside released.json's."""
    today = today or datetime.date.today()
    manifest = model / "manifest.json"
    renew(manifest.read_text(), None, today)  # what cannot be renewed is to say so before the minutes
    network = Exported(str(file))
    figures = validate(network, photos)
    print("val", {name: round(value, 3) for name, value in figures.items()}, flush=True)
    last = json.loads(released.read_text())["val"]["mean"] if released.exists() else -1
    if figures["face"] == 0:
        print(f"it finds no face yet: {file} stays where it is; train on", flush=True)
        return False
    if figures["mean"] <= last and not anyway:
        print(f"not better than what there is, {last:.3f}: {file} stays where it is", flush=True)
        return False
    seen = photos + without_faces(photos)
    confidence = {point: coefficients(network, seen, longest) for point, longest in WORKING_POINTS.items()}
    renewed = renew(manifest.read_text(), confidence, today)
    if not (model / "detector.onnx").exists() or not Path(file).samefile(model / "detector.onnx"):
        shutil.copyfile(file, model / "detector.onnx")
    manifest.write_text(renewed)
    released.write_text(json.dumps({"val": figures}, indent=2) + "\n")
    print(f"released as {json.loads(renewed)['version']}", flush=True)
    return True


def renew(manifest, confidence, today):
    """The manifest's text with other coefficients, or the same, and the next version; the
    rest of it stays as people have laid it out."""
    old = json.loads(manifest)
    confidence = confidence or old.get("confidence", {})
    points = ",\n".join(f'    "{point}": {{\n{laid_out(values)}\n    }}' for point, values in sorted(confidence.items()))
    text = re.sub(r'"confidence": \{.*?\n  \}', lambda _: '"confidence": {\n' + points + "\n  }", manifest, flags=re.DOTALL)
    version = next_version(old["version"], today)
    text = text.replace(f'"version": "{old["version"]}"', f'"version": "{version}"')
    try:
        if json.loads(text) == {**old, "confidence": confidence, "version": version}:
            return text
    except json.JSONDecodeError:
        pass
    raise SystemExit('the manifest is not laid out as that of pkg/vision/model, "version" and "confidence" above all')


def laid_out(values):
    pairs = [f'"{name}": {value}' for name, value in values.items()]
    half = (len(pairs) + 1) // 2
    return "      " + ", ".join(pairs[:half]) + ",\n      " + ", ".join(pairs[half:])


def next_version(last, today):
    """Year, month and the number of the release in it."""
    month = f"{today.year}-{today.month:02d}"
    before, _, number = last.rpartition("-")
    return f"{month}-{int(number) + 1 if before == month else 1}"


def figures_of(model):
    """Where those of the folder's network are kept."""
    return RELEASED if model.resolve() == MODEL else model / "released.json"


if __name__ == "__main__":
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("data", help="COCO folder with the split val")
    p.add_argument("file", help="an exported network")
    p.add_argument("--model", type=Path, default=MODEL, help="the folder it goes into")
    p.add_argument("--released", type=Path, help="figures of the network that is there (released.json in the folder; of ours, beside this program)")
    p.add_argument("--anyway", action="store_true", help="even if it is not better")
    options = p.parse_args()
    if not Path(options.file).is_file():
        p.error(f"there is no file {options.file}")
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    release(options.file, load(options.data, "val"), options.model, options.released or figures_of(options.model), options.anyway)
