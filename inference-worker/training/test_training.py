"""Run by `go tool task train:test`."""

import datetime
import json
import os
import signal
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

import cv2
import numpy as np
import onnx
import torch
from onnx import numpy_helper

from adopt import adopt
from augment import canvas, clipped
from backgrounds import largest, without_faces
from confidence import NAMES, WORKING_POINTS, features, fit, judged
from export import export
from faceless import decoded, stamped, webps
from loss import assign, ignored, loss
from mosaic import mosaic
from network import Detector, boxes, cells, flat
from photos import IGNORE, Photo
from release import MODEL, next_version, release, renew
from soup import soup
from train import Canvases, Training, step, together
from validate import AGREEMENT, CANDIDATES, OVERLAP, average_precision, one_for_each

SIDE = 128
VISION = Path(__file__).parents[2] / "pkg" / "vision"


def picture_of(left, top, right, bottom, colour):
    pixels = np.full((SIDE, SIDE, 3), 90, np.uint8)
    cv2.rectangle(pixels, (left, top), (right, bottom), colour, -1)
    return pixels


class Cells(unittest.TestCase):
    def test_order_is_that_of_the_maps(self):
        maps = Detector().eval()(torch.zeros(1, 3, 64, 96))
        self.assertEqual([tuple(m.shape[2:]) for m in maps], [(8, 12), (4, 6), (2, 3)])
        where = cells(64, 96)
        self.assertEqual(flat(maps).shape[1], len(where))
        self.assertEqual(where[13].tolist(), [12.0, 12.0, 8.0])
        self.assertEqual(where[96 + 7].tolist(), [24.0, 24.0, 16.0])

    def test_boxes_grow_with_the_stride(self):
        got = boxes(torch.log(torch.tensor([[1.0, 2.0, 3.0, 4.0]])), torch.tensor([[20.0, 40.0, 8.0]]))
        self.assertTrue(torch.allclose(got, torch.tensor([[12.0, 24.0, 44.0, 72.0]])))


class Backgrounds(unittest.TestCase):
    def test_a_part_keeps_away_from_faces(self):
        pixels = np.arange(320 * 480, dtype=np.uint32).reshape(320, 480).astype(np.float32)
        faces = np.array([[400, 100, 440, 140, 0]], np.float32)
        part = largest(Photo("", pixels, faces))
        left, top = int(part[0, 0]) % 480, int(part[0, 0]) // 480
        self.assertEqual((left, top, part.shape), (0, 0, (320, 368)))

    def test_a_photo_full_of_faces_has_none(self):
        faces = np.array([[x, y, x + 40, y + 40, 1] for x in range(0, 480, 80) for y in range(0, 320, 80)], np.float32)
        self.assertIsNone(largest(Photo("", np.zeros((320, 480), np.float32), faces)))


class Faceless(unittest.TestCase):
    def test_pictures_are_found_among_other_data(self):
        rng = np.random.default_rng(1)
        one, two = (cv2.imencode(".webp", rng.integers(0, 255, (9, 8 + i, 3), np.uint8))[1].tobytes() for i in (0, 1))
        album = b"RIFF\x04\0\0\0WAVE" + one + b"between" + two + b"RIF"
        self.assertEqual([decoded(w).shape[1] for w in webps(album)], [8, 9])

    def test_a_stamp_covers_what_is_opaque_of_it(self):
        stamp = np.full((8, 8, 4), 255, np.uint8)
        stamp[:, :4, 3] = 0
        picture = stamped(np.zeros((480, 640, 3), np.uint8), stamp, np.random.default_rng(1))
        covered = np.argwhere(picture[..., 0] == 255)
        (top, left), (bottom, right) = covered.min(0), covered.max(0)
        self.assertEqual(picture.shape, (480, 480, 3))
        self.assertAlmostEqual((bottom - top) / (right - left), 2, delta=0.4)  # half as wide, with a soft edge


class Mosaic(unittest.TestCase):
    def test_faces_stay_on_what_was_drawn(self):
        red = (0, 0, 200)
        photos = [Photo("", picture_of(10, 20, 50, 60, red), np.array([[10, 20, 50, 60, i]], np.float32)) for i in range(5)]
        together = mosaic("", photos)
        picture, faces = together.pixels, together.faces
        self.assertEqual(faces[:, 4].tolist(), [0, 1, 2, 3, 4])
        for left, top, right, bottom, _ in faces.astype(int):
            self.assertEqual(picture[top, left].tolist(), list(red))
            self.assertEqual(picture[bottom, right].tolist(), list(red))
        self.assertEqual(int((picture == red).all(2).sum()), 5 * 41 * 41)


class Sure(torch.nn.Module):
    """Sees one face of class 1, at (64, 64) of a picture 640 pixels wide, 64 pixels large."""

    def forward(self, image):
        maps = [torch.full((1, 7, image.shape[2] // s, image.shape[3] // s), -9.0) for s in (8, 16, 32)]
        maps[1][0, 1, 5, 5] = 3.0
        maps[1][0, 3:, 5, 5] = np.log(2.0)
        return maps


class Adoption(unittest.TestCase):
    def test_a_region_that_is_seen_becomes_a_face(self):
        faces = np.array([[58, 58, 118, 118, IGNORE], [300, 58, 360, 118, IGNORE], [58, 300, 118, 360, 2]], np.float32)
        photo = Photo("", np.zeros((640, 640, 3), np.uint8), faces)
        self.assertEqual(adopt(Sure(), [photo])[0].faces[:, 4].tolist(), [1, IGNORE, 2])
        self.assertEqual(photo.faces[0, 4], IGNORE)


class Assignment(unittest.TestCase):
    def setUp(self):
        self.where = cells(SIDE, SIDE)
        self.score = torch.full((1, len(self.where), 3), 0.01)
        self.guess = boxes(torch.zeros(1, len(self.where), 4), self.where)

    def test_a_face_takes_cells_inside_it_and_no_others(self):
        faces = torch.tensor([[[16.0, 16.0, 48.0, 48.0, 1.0]]])
        target, of_face, taken = assign(self.score, self.guess, self.where, faces)
        self.assertTrue(taken.any())
        inside = self.where[taken[0]]
        self.assertTrue(((inside[:, :2] > 16) & (inside[:, :2] < 48)).all())
        self.assertEqual(target[0][taken[0]].argmax(1).unique().tolist(), [1])
        self.assertEqual(target[0][~taken[0]].sum(), 0)

    def test_the_tiniest_face_is_given_a_cell(self):
        faces = torch.tensor([[[63.0, 63.0, 67.0, 67.0, 0.0]]])
        self.assertTrue(assign(self.score, self.guess, self.where, faces)[2].any())

    def test_regions_and_fillings_are_no_faces(self):
        faces = torch.tensor([[[16.0, 16.0, 48.0, 48.0, float(IGNORE)], [0.0, 0.0, 90.0, 90.0, -1.0]]])
        self.assertFalse(assign(self.score, self.guess, self.where, faces)[2].any())
        quiet = ignored(self.where, faces)[0]
        self.assertTrue(quiet.any())
        self.assertTrue(((self.where[quiet][:, :2] >= 16) & (self.where[quiet][:, :2] <= 48)).all())

    def test_a_region_silences_what_a_cell_says(self):
        values = torch.full((1, len(self.where), 7), 2.0)
        region = torch.tensor([[[0.0, 0.0, float(SIDE), float(SIDE), float(IGNORE)]]])
        nothing = torch.full((1, 1, 5), -1.0)
        self.assertEqual(loss(values, self.where, region)[0], 0)
        self.assertGreater(loss(values, self.where, nothing)[0], 0)


class Cropping(unittest.TestCase):
    def test_a_face_mostly_cut_away_is_ignored(self):
        faces = np.array([[-30, 10, 10, 40, 0], [5, 10, 45, 40, 1], [200, 10, 240, 40, 1]], np.float32)
        got = clipped(faces, (0, 0, 100, 100))
        self.assertEqual(got[:, 4].tolist(), [IGNORE, 1])
        self.assertEqual(got[0, :4].tolist(), [0, 10, 10, 40])

    def test_the_same_seed_gives_the_same_canvas(self):
        photos = [Photo("a", picture_of(20, 20, 60, 70, (0, 200, 0)), np.array([[20, 20, 60, 70, 0]], np.float32))]
        first, second = (canvas(photos, [1.0], SIDE, np.random.default_rng(4)) for _ in range(2))
        self.assertTrue((first[0] == second[0]).all() and (first[1] == second[1]).all())

    def test_faces_stay_on_what_was_drawn(self):
        photos = [Photo("a", picture_of(20, 20, 60, 70, (0, 255, 0)), np.array([[20, 20, 60, 70, 0]], np.float32))]
        rng = np.random.default_rng(1)
        for _ in range(30):
            pixels, faces = canvas(photos, [1.0], SIDE, rng)
            for left, top, right, bottom, label in faces:
                if label == 0 and right - left > 20 and bottom - top > 20:
                    b, g, r = pixels[int(top + bottom) // 2, int(left + right) // 2].astype(int)
                    self.assertGreaterEqual(g + 12, max(b, r))


class OneForEach(unittest.TestCase):
    def test_a_box_is_the_mean_of_those_that_agree(self):
        rows = np.array([[0, 0, 10, 12, 0.3, 1], [0, 0, 10, 10, 0.6, 0], [0, 5, 10, 15, 0.5, 0], [50, 0, 60, 10, 0.2, 2]], np.float32)
        got = one_for_each(rows)
        self.assertEqual(got[:, 5].tolist(), [0, 0, 2])
        low = 0.3 * 10 / 12
        self.assertAlmostEqual(float(got[0, 3]), (0.6 * 10 + low * 12) / (0.6 + low), places=5)
        self.assertTrue(np.allclose(got[:, 6], [0.9, 0.5, 0.2]))
        self.assertEqual(got[1, :4].tolist(), [0, 5, 10, 15])


class Confidence(unittest.TestCase):
    def test_what_cannot_be_known_teaches_nothing(self):
        faces = np.array([[0, 0, 10, 10, 0], [20, 0, 30, 10, 1], [50, 0, 80, 30, IGNORE]], np.float32)
        found = np.array([[0, 0, 10, 10, 0.9, 0, 1], [0, 0, 10, 10, 0.8, 0, 1], [20, 0, 30, 10, 0.7, 2, 1], [55, 5, 65, 15, 0.6, 0, 1]], np.float32)
        self.assertEqual(list(judged(found, faces)), [True, False, False, None])

    def test_company_is_that_of_others_of_a_size(self):
        rows = np.array([[0, 0, 50, 50, 0.9, 0, 1], [0, 0, 100, 100, 0.5, 0, 1]])
        self.assertTrue(np.allclose(features(rows, 640)[:, 6], np.log([0.02 + 0.5**4 / 2, 0.02 + 0.9**4 / 2])))
        self.assertEqual(features(np.zeros((0, 7)), 640).shape, (0, 7))

    def test_is_what_the_worker_computes(self):
        given = json.loads((VISION / "testdata" / "confidence.json").read_text())
        rows = np.array([[*b["box"], b["score"], 0, b["support"]] for b in given["boxes"]])
        coefficients = np.array([given["coefficients"][name] for name in NAMES])
        got = 1 / (1 + np.exp(-features(rows, given["longer_side"]) @ coefficients))
        self.assertTrue(np.allclose(got, [b["confidence"] for b in given["boxes"]], atol=1e-6))

    def test_is_fitted_to_what_the_worker_does(self):
        manifest = json.loads((VISION / "model" / "manifest.json").read_text())
        self.assertEqual(manifest["input"]["longer_side"], WORKING_POINTS)
        self.assertEqual([manifest[of] for of in ("candidates", "overlap", "agreement")], [CANDIDATES, OVERLAP, AGREEMENT])
        for point in WORKING_POINTS:
            self.assertEqual(sorted(manifest["confidence"][point]), sorted(NAMES))

    def test_finds_the_coefficients_that_made_the_answers(self):
        rng = np.random.default_rng(1)
        photos = []
        for faces in rng.integers(1, 9, 6_000):
            rows = np.zeros((faces, 7))
            rows[:, 2:4] = np.exp(rng.uniform(1, 6, (faces, 1)))
            rows[:, 4], rows[:, 6] = rng.uniform(0.1, 0.9, faces), rng.uniform(0.1, 9, faces)
            photos.append(features(rows, 640))
        inputs = np.concatenate(photos)
        made = np.array([-1.0, 3.0, -0.5, -0.4, 0.8, 0.3, 0.4])
        right = (rng.random(len(inputs)) < 1 / (1 + np.exp(-inputs @ made))).astype(float)
        self.assertLess(np.abs(fit(inputs, right) - made).max(), 0.3)


class Precision(unittest.TestCase):
    truth = [np.array([[0, 0, 10, 10, 0], [20, 0, 30, 10, 1]], np.float32)]

    def ap(self, *rows, label=None, truth=None):
        return average_precision([np.array(rows, np.float32).reshape(-1, 6)], truth or self.truth, label)

    def test_figures_by_hand(self):
        self.assertEqual(self.ap((0, 0, 10, 10, 0.9, 0), (20, 0, 30, 10, 0.8, 1)), 1)
        self.assertAlmostEqual(self.ap((0, 0, 10, 10, 0.9, 0)), 51 / 101)
        self.assertAlmostEqual(self.ap((50, 0, 60, 10, 0.95, 0), (0, 0, 10, 10, 0.9, 0)), 51 / 101 / 2)
        self.assertEqual(self.ap((20, 0, 30, 10, 0.8, 0), label=1), 0)

    def test_ignored_regions_are_neither_right_nor_wrong(self):
        truth = [np.array([[0, 0, 10, 10, 0], [40, 0, 70, 30, IGNORE]], np.float32)]
        self.assertEqual(self.ap((45, 5, 55, 15, 0.99, 1), (0, 0, 10, 10, 0.9, 0), truth=truth), 1)


class BackgroundsAmongPhotos(unittest.TestCase):
    def photos(self):
        some = [Photo("a.jpg", np.zeros((640, 640, 3), np.uint8), np.array([[20, 20, 120, 140, c]], np.float32)) for c in (0, 1)]
        crowd = Photo("b.jpg", np.zeros((640, 640, 3), np.uint8), np.array([[0, 0, 640, 640, 0]], np.float32))
        return some + [crowd]

    def test_parts_without_a_face_keep_clear_of_it(self):
        plain = without_faces(self.photos())
        self.assertEqual([p.file for p in plain], ["a.jpg", "a.jpg"])
        for p in plain:
            self.assertEqual(len(p.faces), 0)
            self.assertGreaterEqual(min(p.pixels.shape[:2]), 128)

    def test_are_drawn_as_often_as_asked(self):
        photos = self.photos()
        photos += without_faces(photos)
        drawn = Canvases(SimpleNamespace(backgrounds=0.12, canvas=SIDE, seed=1), photos, 0, 0).weights
        self.assertAlmostEqual(drawn.sum(), 1)
        self.assertAlmostEqual(drawn[3:].sum(), 0.12)


class Learning(unittest.TestCase):
    def options(self, folder):
        return SimpleNamespace(
            seed=1, rate=2e-3, canvas=SIDE, batch=4, processes=1, checkpoint=Path(folder) / "checkpoint.pt"
        )

    def batches(self):
        green, red = (0, 200, 0), (0, 0, 200)
        pictures = [
            (picture_of(24, 24, 72, 80, green), np.array([[24, 24, 72, 80, 0]], np.float32)),
            (picture_of(50, 40, 110, 100, red), np.array([[50, 40, 110, 100, 1]], np.float32)),
            (picture_of(60, 20, 100, 60, green), np.array([[60, 20, 100, 60, 0]], np.float32)),
            (picture_of(10, 50, 60, 110, red), np.array([[10, 50, 60, 110, 1]], np.float32)),
        ]
        while True:
            yield together(pictures)

    def test_learns_and_goes_on_from_a_checkpoint(self):
        torch.set_num_threads(1)
        with tempfile.TemporaryDirectory() as folder:
            options = self.options(folder)
            training = Training(options, "cpu")
            where = cells(SIDE, SIDE)
            images, faces = next(self.batches())
            judge = lambda t: float(sum(loss(flat(t.network(images.float() / 255)), where, faces)))
            before = judge(training)
            batches = self.batches()
            for _ in range(100):
                step(training, options, next(batches), where)
                training.average(50)
            self.assertLess(judge(training), before / 2)
            training.save(options.checkpoint)
            other = Training(options, "cpu")
            other.load(options.checkpoint)
            self.assertEqual(other.step, training.step)
            self.assertAlmostEqual(judge(other), judge(training), places=4)
            moment = next(iter(other.optimiser.state.values()))["exp_avg"]
            self.assertEqual(moment.dtype, torch.float32)
            export(other.ema.to(memory_format=torch.contiguous_format), str(Path(folder) / "detector.onnx"))


class Interrupted(unittest.TestCase):
    """Two processes over two photos, stopped and started as a person or a machine does it."""

    def run_in(self, folder, *more):
        args = ["--data", folder, "--checkpoint", folder / "checkpoint.pt", "--model", folder, "--released", folder / "released.json"]
        sizes = ["--canvas", "64", "--batch", "2", "--processes", "2"]
        script = Path(__file__).with_name("train.py")
        return subprocess.Popen([sys.executable, script, *args, *sizes, *more], stdout=subprocess.PIPE, text=True)

    def stop_one(self, process, which):
        """Tells only one of the processes, as soon as both would listen."""
        said = "".join(process.stdout.readline() for _ in range(3))  # the photos, then a line of each
        self.assertEqual(said.count("begins at step"), 2, said)
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        os.kill([process.pid, *map(int, children.read_text().split())][which], signal.SIGTERM)
        said += process.communicate(timeout=60)[0]
        self.assertEqual(process.returncode, 0, said)
        return said

    def test_goes_on_whichever_process_was_stopped(self):
        with tempfile.TemporaryDirectory() as folder:
            folder = Path(folder)
            (folder / "manifest.json").write_text((MODEL / "manifest.json").read_text())
            cv2.imwrite(str(folder / "a.png"), picture_of(24, 24, 72, 80, (0, 200, 0)))
            (folder / "annotations.json").write_text(json.dumps({
                "categories": [{"id": 1, "name": "mask"}],
                "images": [{"id": i, "file_name": "a.png", "split": s} for i, s in enumerate(("train", "val"))],
                "annotations": [{"image_id": i, "category_id": 1, "bbox": [24, 24, 48, 56]} for i in (0, 1)],
            }))
            for which in (0, 1):
                self.stop_one(self.run_in(folder, "--minutes", "9"), which)
                self.assertTrue((folder / "checkpoint.pt").exists())
                self.stop_one(self.run_in(folder, "--minutes", "0", "--anneal", "9"), which)
                self.assertTrue((folder / "annealing.pt").exists())
                self.assertFalse((folder / "annealed.onnx").exists(), "half an anneal is exported")
            said = self.run_in(folder, "--minutes", "9", "--anneal", "0.02").communicate(timeout=120)[0]
            self.assertRegex(said, r"of an anneal done(.*\n)*.*it finds no face yet")
            self.assertTrue((folder / "annealed.onnx").exists())
            self.assertFalse((folder / "annealing.pt").exists())


class Release(unittest.TestCase):
    def release(self, folder, mean, **more):
        figures = {"mean": mean, "face": 0.5}
        fitted = {name: 0.5 for name in NAMES}
        (folder / "new.onnx").write_bytes(b"new")
        with mock.patch.multiple("release", Exported=mock.DEFAULT, validate=lambda *_: figures, coefficients=lambda *_: fitted):
            return release(folder / "new.onnx", [], folder, folder / "released.json", today=datetime.date(2030, 2, 3), **more)

    def test_a_manifest_laid_out_otherwise_is_refused(self):
        for text in (json.dumps(json.loads((MODEL / "manifest.json").read_text()), indent=1), '{"version": "1"}'):
            with self.assertRaises(SystemExit):
                renew(text, {"fast": {"score": 1.0}}, datetime.date(2030, 2, 3))

    def test_only_what_is_better(self):
        for last, mean, anyway, want in ((None, 0.1, False, True), (0.7, 0.71, False, True), (0.7, 0.7, False, False), (0.7, 0.1, True, True)):
            with self.subTest(last=last, mean=mean, anyway=anyway), tempfile.TemporaryDirectory() as folder:
                folder = Path(folder)
                before = (MODEL / "manifest.json").read_text()
                (folder / "manifest.json").write_text(before)
                (folder / "detector.onnx").write_bytes(b"old")
                if last is not None:
                    (folder / "released.json").write_text(json.dumps({"val": {"mean": last}}))
                self.assertEqual(self.release(folder, mean, anyway=anyway), want)
                self.assertEqual((folder / "detector.onnx").read_bytes(), b"new" if want else b"old")
                manifest = json.loads((folder / "manifest.json").read_text())
                if want:
                    self.assertEqual(manifest["version"], "2030-02-1")
                    self.assertEqual(manifest["confidence"]["fast"]["company"], 0.5)
                    self.assertEqual(json.loads((folder / "released.json").read_text())["val"]["mean"], mean)
                else:
                    self.assertEqual((folder / "manifest.json").read_text(), before)

    def test_versions_count_within_a_month(self):
        for last, want in (("2026-11-4", "2026-11-5"), ("2026-10-12", "2026-11-1"), ("mine", "2026-11-1")):
            self.assertEqual(next_version(last, datetime.date(2026, 11, 30)), want)

    def test_the_rest_of_the_manifest_stays_as_it_is_laid_out(self):
        text = (MODEL / "manifest.json").read_text()
        old = json.loads(text)
        same = renew(text, old["confidence"], datetime.date(2030, 2, 3))
        self.assertEqual(same.replace("2030-02-1", old["version"]), text)


class Soup(unittest.TestCase):
    def model(self, weights, anchors=3):
        named = [numpy_helper.from_array(np.array(weights, np.float32), "w"), numpy_helper.from_array(np.array([anchors]), "n")]
        return onnx.helper.make_model(onnx.helper.make_graph([], "g", [], [], named))

    def test_is_the_mean_of_the_weights(self):
        mixed = soup([(self.model([1, 2]), 3.0), (self.model([5, 2]), 1.0)])
        w, n = (numpy_helper.to_array(i).tolist() for i in mixed.graph.initializer)
        self.assertEqual((w, n), ([2, 2], [3]))

    def test_refuses_another_network(self):
        for other in (self.model([1, 2, 3]), self.model([1, 2], anchors=9)):
            with self.assertRaises(SystemExit):
                soup([(self.model([1, 2]), 1.0), (other, 1.0)])


if __name__ == "__main__":
    unittest.main()
