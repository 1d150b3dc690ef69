"""How well trained models tell anomalies, where they see them, and how long they take: drawn scenes and photographs.

Every drawn picture is from a seed of its own, so that nothing is judged by what it was learnt from. The photographs
are those of a folder like the cookies of the developer guide: ``normal``, ``anomaly``, ``masks``. They are no part of
the project. Models learn from their normal ones less five; these five and the anomalies are what they are judged by.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

from ground import HERE, cores, met, pin, setting, table

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # before numpy is loaded

import numpy as np
from PIL import Image, ImageDraw

if TYPE_CHECKING:
    from conformance.reference.detector import Detection
    from conformance.reference.vision.arrays import Flags
    from conformance.reference.vision.trained import Trained

PHOTOS = HERE.parent.parent / "shared" / "data" / "cookies"
TRAINED_ON, NORMAL, OF_EACH_DEFECT = 20, 50, 20  # drawn pictures
HELD_OUT, CHOICES = 5, 8  # photographs, and how often they are chosen anew
LARGE, LARGE_NUMBER = (576, 768), 20  # width, height; pictures

DRAWN_AUROC, PHOTO_AUROC = 0.97, 0.90
LOOK_MS, TRAINING_S = 150, 60

GRAIN_SIZE = (256, 256)
GRAIN_DEFECTS = ("scratch", "stain", "missing")


@dataclass(frozen=True)
class Case:
    """A picture to judge, and where it is anomalous; None for a normal one."""

    picture: Image.Image
    truth: Flags | None
    kind: str = ""


@dataclass(frozen=True)
class Judged:
    """What a model makes of some cases."""

    auroc: float
    accuracy: float
    confidence: float
    false_alarms: float
    recall: float
    overlap: float
    milliseconds: float


def judge(trained: Trained, cases: Sequence[Case]) -> Judged:
    """Look at each case twice: once for its score, once, timed, for the answer with its mask."""
    scores = np.array([trained.score(trained.look(case.picture)) for case in cases])
    odd = np.array([case.truth is not None for case in cases])
    started = perf_counter()
    answers = [trained.inspect(case.picture, segments=True) for case in cases]
    took = (perf_counter() - started) / len(cases)
    said = np.array([answer.is_anomalous for answer in answers])
    overlaps = [
        overlap(answer, case.truth) for answer, case in zip(answers, cases, strict=True) if case.truth is not None
    ]
    return Judged(
        auroc=auroc(scores[~odd], scores[odd]),
        accuracy=float((said == odd).mean()),
        confidence=float(np.mean([answer.confidence for answer in answers])),
        false_alarms=float(said[~odd].mean()),
        recall=float(said[odd].mean()),
        overlap=float(np.mean(overlaps)),
        milliseconds=1000 * took,
    )


def auroc(normal: np.ndarray, anomalous: np.ndarray) -> float:
    """The probability that an anomalous picture scores higher than a normal one."""
    return float((anomalous[:, None] > normal).mean() + (anomalous[:, None] == normal).mean() / 2)


def overlap(answer: Detection, truth: Flags) -> float:
    """Intersection over union of what the mask marks and the truth; 0 for what is not noticed."""
    assert answer.mask is not None
    marked = (np.asarray(answer.mask) != 255).any(axis=-1)
    return float((marked & truth).sum() / max(1, (marked | truth).sum()))


# Drawn scenes.


def grain(seed: int, kind: str = "") -> Case:
    """A rough surface, and on it a faint scratch, a faint stain, or a patch where the roughness is missing."""
    from scipy.ndimage import gaussian_filter

    rng = np.random.default_rng([seed, 3])
    width, height = GRAIN_SIZE
    rough = sum(gaussian_filter(rng.normal(0, 1, (height, width)), blur) * blur for blur in (0.7, 1.5, 3.0))
    shape = Image.new("L", GRAIN_SIZE)
    draw = ImageDraw.Draw(shape)
    x, y = rng.uniform(0.2, 0.8, 2) * GRAIN_SIZE
    if kind == "scratch":
        angle, half = rng.uniform(0, np.pi), rng.uniform(25, 45)
        aside = half * np.cos(angle), half * np.sin(angle)
        draw.line([(x - aside[0], y - aside[1]), (x + aside[0], y + aside[1])], fill=255, width=2)
    elif kind:
        radius = rng.uniform(9, 18)
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)
    where = np.asarray(shape) > 0
    grey = 128 + 22 * np.where(where & (kind == "missing"), 0.15, 1) * rough
    grey = grey + np.where(where, {"scratch": 70, "stain": -45}.get(kind, 0), 0) + rng.normal(0, 2, grey.shape)
    tint = np.array([1.0, 0.97, 0.9])
    picture = Image.fromarray(np.clip(grey[..., None] * tint, 0, 255).astype(np.uint8))
    return Case(picture, where if kind else None, kind)


def scenes() -> dict[str, tuple[Callable[[int, str], Case], Sequence[str]]]:
    """What is drawn, and the defects of each."""
    from conformance.reference.vision.scenes import CIRCUIT_DEFECTS, COOKIE_DEFECTS, Scene, circuit, cookie

    def case(scene: Scene) -> Case:
        return Case(scene.picture, np.asarray(scene.truth) > 0 if scene.kind else None, scene.kind)

    return {
        "cookie, drawn": (lambda seed, kind: case(cookie(seed, kind)), tuple(COOKIE_DEFECTS)),
        "circuit, drawn": (lambda seed, kind: case(circuit(seed, kind)), tuple(CIRCUIT_DEFECTS)),
        "grain, drawn": (grain, GRAIN_DEFECTS),
    }


def drawn(first: int) -> tuple[list[list[str]], float]:
    """The rows of the drawn scenes, and the worst AUROC of a scene."""
    from conformance.reference.vision.learning import learn

    rows, worst = [], 1.0
    for name, (draw, kinds) in scenes().items():
        started = perf_counter()
        trained = learn([draw(first + seed, "").picture for seed in range(TRAINED_ON)]).trained
        took = perf_counter() - started
        normal = [draw(first + 10_000 + seed, "") for seed in range(NORMAL)]
        defective = {
            kind: [draw(first + 20_000 + 1000 * place + seed, kind) for seed in range(OF_EACH_DEFECT)]
            for place, kind in enumerate(kinds)
        }
        judged = judge(trained, [*normal, *(case for cases in defective.values() for case in cases)])
        worst = min(worst, judged.auroc)
        rows.append(row(f"{name} ({trained.kind})", judged, f"{took:.1f}"))
        rows += [row(f"  {kind}", judge(trained, [*normal, *cases]), "") for kind, cases in defective.items()]
    return rows, worst


HEAD = ["", "AUROC", "IoU", "recall", "false alarms", "right", "confidence", "ms", "training s"]


def row(name: str, judged: Judged, training: str) -> list[str]:
    shares = (judged.recall, judged.false_alarms, judged.accuracy, judged.confidence)
    figures = [f"{judged.auroc:.3f}", f"{judged.overlap:.2f}", *(f"{share:.2f}" for share in shares)]
    return [name, *figures, f"{judged.milliseconds:.0f}", training]


# Photographs.


def photographs(folder: Path) -> tuple[list[Image.Image], list[Case]]:
    """The normal images of a folder, and the anomalous ones with their masks."""
    from conformance.reference.vision.photos import find, find_masks, opened

    found = find(folder)
    masks = find_masks(folder / "masks", found.anomalous, {})
    cases = []
    for file in found.anomalous:
        picture = opened(file)
        truth = masks.truth(file, picture.size)
        cases.append(Case(picture, truth > 0 if truth is not None else None))
    return [opened(file) for file in found.normal], cases


def held_out(number: int) -> list[list[int]]:
    """Which photographs are held out, choice by choice, from a seed."""
    return [
        sorted(np.random.default_rng([choice, 5]).permutation(number)[:HELD_OUT].tolist()) for choice in range(CHOICES)
    ]


def photographed(folder: Path) -> tuple[list[list[str]], float, float]:
    """The rows of each choice, and the mean and worst AUROC."""
    from conformance.reference.vision.learning import learn

    normal, anomalous = photographs(folder)
    rows, all_judged = [], []
    for choice in held_out(len(normal)):
        started = perf_counter()
        trained = learn([image for place, image in enumerate(normal) if place not in choice]).trained
        took = perf_counter() - started
        judged = judge(trained, [*(Case(normal[place], None) for place in choice), *anomalous])
        all_judged.append(judged.auroc)
        held = ", ".join(str(place + 1) for place in choice)
        rows.append(row(f"without {held} ({trained.kind})", judged, f"{took:.1f}"))
    return rows, float(np.mean(all_judged)), min(all_judged)


# Time.


def large() -> tuple[float, float]:
    """Milliseconds for the median look at a large picture, and seconds for learning from twenty."""
    from conformance.reference.vision.learning import learn
    from conformance.reference.vision.scenes import circuit, cookie

    slowest, longest = 0.0, 0.0
    for draw, kind in ((circuit, "hole"), (cookie, "bite")):
        pictures = [draw(seed, size=LARGE).picture for seed in range(LARGE_NUMBER)]
        started = perf_counter()
        trained = learn(pictures).trained
        longest = max(longest, perf_counter() - started)
        times = []
        for seed in range(9):
            picture = draw(100 + seed, kind, LARGE).picture
            started = perf_counter()
            trained.inspect(picture, segments=True)
            times.append(perf_counter() - started)
        slowest = max(slowest, 1000 * sorted(times)[len(times) // 2])
    return slowest, longest


def main() -> None:
    """Judge models of drawn scenes and of photographs, then time large pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=Path, default=PHOTOS, metavar="DIR", help="normal, anomaly and masks")
    parser.add_argument("--seed", type=int, default=910_000, help="the first seed of drawn pictures")
    options = parser.parse_args()
    pin(cores()[0])
    print(f"detection, on one core; {setting()}\n", flush=True)
    rows, worst = drawn(options.seed)
    print(table(HEAD, rows), "\n")
    print(
        f"worst AUROC of a drawn scene: {worst:.3f} (target {DRAWN_AUROC}: {met(worst >= DRAWN_AUROC)})\n", flush=True
    )
    if (options.photos / "normal").is_dir():
        rows, mean, worst = photographed(options.photos)
        print(table(HEAD, rows), "\n")
        verdict = met(worst >= PHOTO_AUROC)
        print(
            f"AUROC of photographs: mean {mean:.3f}, worst {worst:.3f} (target {PHOTO_AUROC}: {verdict})\n", flush=True
        )
    else:
        print(f"no photographs in {options.photos}: skipped\n")
    look, training = large()
    size = f"{LARGE[0]}x{LARGE[1]}"
    print(f"a look at {size} pixels: {look:.0f} ms (target {LOOK_MS}: {met(look <= LOOK_MS)})")
    print(
        f"training on {LARGE_NUMBER} of {size}: {training:.1f} s (target {TRAINING_S}: {met(training <= TRAINING_S)})"
    )


if __name__ == "__main__":
    main()
