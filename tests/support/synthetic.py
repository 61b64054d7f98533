"""Small data sets for Ultralytics' five tasks: squares and triangles in noise, made on the spot."""

from __future__ import annotations

import math
import random
from pathlib import Path

SIZE = 64
NAMES = ("square", "triangle")


def data_for(task: str, folder: Path, images: int = 8) -> str:
    """Make a data set, and return what `train(data=...)` takes."""
    rng = random.Random(0)
    for split in ("train", "val"):
        for index in range(images):
            kind = index % len(NAMES)
            _draw(task, folder, split, index, kind, rng)
    if task == "classify":
        return str(folder)
    lines = [f"path: {folder}", "train: images/train", "val: images/val", "names:"]
    lines += [f"  {index}: {name}" for index, name in enumerate(NAMES)]
    if task == "pose":
        lines += ["kpt_shape: [3, 3]", "flip_idx: [0, 2, 1]"]
    (folder / "data.yaml").write_text("\n".join(lines) + "\n", "utf-8")
    return str(folder / "data.yaml")


def _draw(task, folder, split, index, kind, rng):
    import cv2
    import numpy as np

    noise = np.random.default_rng(rng.randrange(1 << 30))
    image = noise.integers(0, 90, (SIZE, SIZE, 3), dtype=np.uint8)
    corners = _corners(kind, rng)
    color = (40, 220, 240) if kind else (230, 120, 40)
    cv2.fillPoly(image, [np.int32(corners)], color)
    if task == "classify":
        path = folder / split / NAMES[kind] / f"{index}.png"
    else:
        path = folder / "images" / split / f"{index}.png"
        label = folder / "labels" / split / f"{index}.txt"
        label.parent.mkdir(parents=True, exist_ok=True)
        row = (kind, *_label(task, [(x / SIZE, y / SIZE) for x, y in corners]))
        label.write_text(" ".join(f"{value:.6g}" for value in row) + "\n", "utf-8")
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), image)


def _corners(kind, rng):
    count = 3 if kind else 4
    radius, turn = rng.uniform(10, 18), rng.uniform(0, 1)
    x, y = (rng.uniform(20, SIZE - 20) for _ in range(2))
    angles = [turn + 2 * math.pi * i / count for i in range(count)]
    return [(x + radius * math.cos(a), y + radius * math.sin(a)) for a in angles]


def _label(task, corners):
    xs, ys = zip(*corners, strict=True)
    left, right, top, bottom = min(xs), max(xs), min(ys), max(ys)
    box = ((left + right) / 2, (top + bottom) / 2, right - left, bottom - top)
    if task == "segment":
        return [value for corner in corners for value in corner]
    if task == "obb":
        return [left, top, right, top, right, bottom, left, bottom]
    if task == "pose":
        return [*box, *(value for x, y in corners[:3] for value in (x, y, 2))]
    return box
