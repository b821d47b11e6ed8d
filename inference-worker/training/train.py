#!/usr/bin/python3
"""Trains the detector: photos in, weights out. Run it again and it goes on where it was.

    train.py --data FOLDER --minutes 120 --anneal 25

The learning rate stays constant for --minutes, so that a run can be interrupted and
continued any number of times. Then it falls to nothing within --anneal minutes, and
what comes of that is exported for the worker if it is better on the split val than
what there was; the checkpoint stays where the constant rate left it, ready to go on
(the schedule is "warm-up, stable, decay" of MiniCPM, Hu et al. 2024). An interrupted
fall is gone on with, too. On processors, --processes share the work; a GPU is used where
there is one."""

import argparse
import copy
import os
import signal
import time
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import distributed, multiprocessing

from adopt import adopt
from augment import canvas
from backgrounds import without_faces
from export import export
from loss import loss
from network import Detector, cells, flat
from photos import IGNORE, load
from release import MODEL, figures_of, release

HERE = Path(__file__).parent
WARM_UP = 300  # steps
EMA_STEPS = 1500  # over which weights are averaged
SAVE_EVERY = 300  # seconds


def arguments():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--data", required=True, help="COCO folder with the splits train and val")
    p.add_argument("--checkpoint", type=Path, default=HERE / "checkpoint.pt", help="where training stands")
    p.add_argument("--minutes", type=float, required=True, help="at the constant rate; may be 0")
    p.add_argument("--anneal", type=float, default=0, metavar="MINUTES", help="then, at a falling rate")
    p.add_argument("--model", type=Path, default=MODEL, help="with --anneal: the folder of the worker's model")
    p.add_argument("--released", type=Path, help="its figures on val (released.json in that folder; of ours, here)")
    p.add_argument("--adopt", action="store_true", help="learn from regions to ignore that the network is sure of")
    p.add_argument("--backgrounds", type=float, default=0.12, metavar="SHARE", help="of the draws: no face in them")
    p.add_argument("--others", metavar="FOLDER", help="more photos without a face, for some of those draws; faceless.py makes it")
    p.add_argument("--canvas", type=int, default=320, help="pixels, a multiple of 32")
    p.add_argument("--batch", type=int, default=16, help="canvases a step and process; 16 and more are quickest")
    p.add_argument("--rate", type=float, default=2e-3)
    p.add_argument("--processes", type=int, default=1 if torch.cuda.is_available() else os.cpu_count())
    p.add_argument("--seed", type=int, default=1)
    options = p.parse_args()
    options.released = options.released or figures_of(options.model)
    if options.canvas % 32 or options.canvas <= 0:
        p.error(f"a canvas of {options.canvas} pixels is no multiple of 32")
    if not (options.model / "manifest.json").is_file():
        p.error(f"{options.model} has no manifest.json: copy {MODEL} there")
    if not options.checkpoint.parent.is_dir():
        p.error(f"there is no folder {options.checkpoint.parent}")
    return options


def main():
    options = arguments()
    photos = load(options.data, "train")  # before the fork: all processes share the memory
    load(options.data, "val", of_them=1)  # which are wanted hours later
    plain = without_faces(photos) if options.backgrounds > 0 else []
    faceless = load(options.others, "train") if options.others else []
    print(f"{len(photos)} photos, {len(plain)} parts of them without a face, {len(faceless)} others", flush=True)
    photos += plain + faceless
    if options.processes == 1:
        return train(0, options, photos)
    meeting = Path(f"/tmp/maskfleet-training-{os.getpid()}")
    os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")
    fork = multiprocessing.get_context("fork")
    others = [fork.Process(target=join, args=(rank, options, photos, meeting)) for rank in range(1, options.processes)]
    for process in others:
        process.start()
    try:
        join(0, options, photos, meeting)
    finally:
        for process in others:
            process.join()
        meeting.unlink(missing_ok=True)


def join(rank, options, photos, meeting):
    distributed.init_process_group("gloo", init_method=f"file://{meeting}", rank=rank, world_size=options.processes)
    train(rank, options, photos)
    distributed.destroy_process_group()


class Training:
    """What a checkpoint holds: the weights, their average, the optimiser, the step."""

    def __init__(self, options, device):
        torch.manual_seed(options.seed)
        self.device = device
        self.network = Detector().to(device, memory_format=torch.channels_last)
        self.ema = copy.deepcopy(self.network).eval()
        decayed = [p for p in self.network.parameters() if p.ndim > 1]
        plain = [p for p in self.network.parameters() if p.ndim <= 1]
        groups = [{"params": decayed, "weight_decay": 0.02}, {"params": plain, "weight_decay": 0.0}]
        self.optimiser = torch.optim.AdamW(groups, lr=options.rate)
        self.step = 0
        self.seen = 0  # canvases

    def load(self, path):
        """Gives which part of an anneal is done, 0 to 1."""
        state = torch.load(path, map_location=self.device)
        self.network.load_state_dict(state["network"])
        self.ema.load_state_dict(state["ema"])
        self.optimiser.load_state_dict(state["optimiser"])  # which makes its moments whole again
        self.step, self.seen = state["step"], state["seen"]
        return state.get("annealed", 0.0)

    def save(self, path, annealed=0.0):
        """The average and the moments keep 16 bits: enough to go on from, at half the size."""
        state = {
            "network": self.network.state_dict(), "ema": halved(self.ema.state_dict()),
            "optimiser": halved(self.optimiser.state_dict()), "step": self.step, "seen": self.seen,
            "annealed": annealed,
        }
        unfinished = path.with_suffix(".unfinished")
        torch.save(state, unfinished)
        unfinished.rename(path)

    def average(self, steps):
        """Moves the averaged weights; steps is how many the average spans, fewer at the
        beginning: old weights are worth nothing then."""
        keep = 1 - 1 / min(steps, 1 + self.step / 20)
        with torch.no_grad():
            for mean, now in zip(self.ema.state_dict().values(), self.network.state_dict().values()):
                if mean.dtype.is_floating_point:
                    mean.mul_(keep).add_(now, alpha=1 - keep)
                else:
                    mean.copy_(now)


def halved(state):
    """A copy whose weights take 16 bits each; those of bfloat16, which keeps their range."""
    if isinstance(state, torch.Tensor):
        large = state.dtype == torch.float32 and state.numel() > 1
        return state.detach().to(torch.bfloat16 if large else state.dtype)
    if isinstance(state, dict):
        return {key: halved(value) for key, value in state.items()}
    if isinstance(state, list):
        return [halved(value) for value in state]
    return state


def train(rank, options, photos):
    torch.set_num_threads(1)  # processes scale, threads of one network do not
    cv2.setNumThreads(1)
    stopping = []
    signal.signal(signal.SIGTERM, lambda *_: stopping.append(True))
    signal.signal(signal.SIGINT, lambda *_: stopping.append(True))
    training = Training(options, "cuda" if torch.cuda.is_available() else "cpu")
    annealing = options.checkpoint.with_name("annealing.pt")
    interrupted = options.anneal > 0 and annealing.exists()
    annealed, start = 0.0, annealing if interrupted else options.checkpoint
    if start.exists():
        annealed = training.load(start)
    done = f", {annealed:.0%} of an anneal done" if interrupted else ""
    print(f"process {rank} begins at step {training.step}{done}", flush=True)
    if rank == 0 and interrupted and options.minutes > 0:
        print("the anneal is finished first; run this again for more minutes at the constant rate", flush=True)
    if options.adopt:
        photos = with_adopted(training, photos)
    batches = iter(loader(options, photos, rank, training.step))
    save = training.save if rank == 0 else lambda *_: None
    whole = True
    if options.minutes > 0 and not interrupted:
        keep = lambda _: save(options.checkpoint)
        whole = phase("constant", training, options, batches, options.minutes, 0.0, lambda done: options.rate, EMA_STEPS, stopping, keep)
    if options.anneal > 0 and whole:
        # The average must follow the falling rate.
        falling, keep = lambda done: options.rate * (1 - done), lambda done: save(annealing, done)
        whole = phase("anneal", training, options, batches, options.anneal, annealed, falling, EMA_STEPS // 5, stopping, keep)
        if rank == 0 and whole:
            finish(training, options, annealing)
    if rank == 0 and not whole:
        print("stopped and saved; the same command goes on", flush=True)


def with_adopted(training, photos):
    regions = lambda some: sum(int((p.faces[:, 4] == IGNORE).sum()) for p in some)
    network = copy.deepcopy(training.ema).to("cpu").to(memory_format=torch.contiguous_format)
    more = adopt(network, photos)
    print(f"adopted {regions(photos) - regions(more)} of {regions(photos)} regions to ignore", flush=True)
    return more


def phase(name, training, options, batches, minutes, done, rate, ema_steps, stopping, keep):
    """Trains for some minutes, of which a part is done already, and says whether that was
    the whole phase: False if somebody stopped it. rate gives the learning rate from the part
    that is done; keep is told that part."""
    where = cells(options.canvas, options.canvas, training.device)
    before, started = done, time.monotonic()
    said = started
    sums, first = np.zeros(2), training.step
    while True:
        done = before + (time.monotonic() - started) / 60 / minutes
        for group in training.optimiser.param_groups:
            group["lr"] = rate(min(done, 1)) * min(1, (training.step + 1) / WARM_UP)
        sums += step(training, options, next(batches), where)
        training.average(ema_steps)
        over, stopped = agree((done >= 1, bool(stopping)), options.processes)
        if over or stopped or time.monotonic() - said > SAVE_EVERY:
            said, steps = time.monotonic(), training.step - first
            classes, boxes = sums / steps
            if first_process():
                print(
                    f"{name}, {min(done, 1):.0%}: step {training.step} canvases {training.seen} classes {classes:.3f} boxes {boxes:.3f} "
                    f"canvases/s {steps * options.batch * options.processes / (said - started):.1f}", flush=True,
                )
            keep(min(done, 1))
        if over or stopped:
            return over


def first_process():
    return not distributed.is_initialized() or distributed.get_rank() == 0


def finish(training, options, annealing):
    """Exports the average beside the checkpoint, where it stays if it is not released: an
    anneal costs an hour, and figures on few faces may err."""
    file = options.checkpoint.with_name("annealed.onnx")
    export(training.ema.to("cpu").to(memory_format=torch.contiguous_format), str(file))
    annealing.unlink(missing_ok=True)
    release(file, load(options.data, "val"), options.model, options.released)


def step(training, options, batch, where):
    pictures, faces = (t.to(training.device) for t in batch)
    pictures = pictures.to(memory_format=torch.channels_last).float() / 255
    training.network.train()
    # Half as long in bfloat16, whose range needs no scaling of the loss, where the
    # processor multiplies matrices of it; weights and their sums keep 32 bits.
    with torch.autocast(training.device, dtype=torch.bfloat16):
        seen = training.network.see(pictures)
    classes, boxes = loss(flat(training.network.say(seen)), where, faces)
    training.optimiser.zero_grad()
    (classes + boxes).backward()
    share_gradients(training.network, options.processes)
    torch.nn.utils.clip_grad_norm_(training.network.parameters(), 10.0)
    training.optimiser.step()
    training.step += 1
    training.seen += options.batch * options.processes
    return classes.item(), boxes.item()


def share_gradients(network, processes):
    if processes == 1:
        return
    gradients = [p.grad for p in network.parameters()]
    everything = torch.cat([g.flatten() for g in gradients])
    distributed.all_reduce(everything)
    everything /= processes
    for gradient, part in zip(gradients, everything.split([g.numel() for g in gradients])):
        gradient.copy_(part.view_as(gradient))


def agree(votes, processes):
    """Votes to stop, each carried by one process alone, so that all do the same after the
    same step, whichever of them was told to stop."""
    if processes == 1:
        return votes
    sums = torch.tensor([float(vote) for vote in votes])
    distributed.all_reduce(sums)
    return [vote > 0 for vote in sums.tolist()]


class Canvases(torch.utils.data.IterableDataset):
    """Endless canvases; which, follows from the seed, the process and the step alone."""

    def __init__(self, options, photos, rank, first):
        rare = np.array([3.0 if (p.faces[:, 4] == 2).any() else 1.5 if (p.faces[:, 4] == 1).any() else 1.0 for p in photos])
        plain = np.array([len(p.faces) == 0 for p in photos])
        if plain.any():
            rare[plain] = options.backgrounds / (1 - options.backgrounds) * rare[~plain].sum() / plain.sum()
        self.weights = rare / rare.sum()
        self.options, self.photos, self.rank, self.first = options, photos, rank, first

    def __iter__(self):
        worker = torch.utils.data.get_worker_info()
        cv2.setNumThreads(1)
        rng = np.random.default_rng((self.options.seed, self.rank, self.first, worker.id if worker else 0))
        while True:
            yield canvas(self.photos, self.weights, self.options.canvas, rng)


def loader(options, photos, rank, first):
    workers = max(1, os.cpu_count() - 1) if torch.cuda.is_available() else 0
    canvases = Canvases(options, photos, rank, first)
    return torch.utils.data.DataLoader(canvases, options.batch, num_workers=workers, collate_fn=together)


def together(batch):
    """Pads the canvases' faces to one number with rows of class -1."""
    most = max(1, *(len(faces) for _, faces in batch))
    faces = np.full((len(batch), most, 5), -1, np.float32)
    for i, (_, of_one) in enumerate(batch):
        faces[i, : len(of_one)] = of_one
    pictures = np.stack([picture for picture, _ in batch]).transpose(0, 3, 1, 2)
    return torch.from_numpy(pictures), torch.from_numpy(faces)


if __name__ == "__main__":
    main()
