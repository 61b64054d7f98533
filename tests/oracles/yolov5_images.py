"""A detection data set small enough to train on in seconds, drawn from a seed."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

SIDE = 64  # pixels
COLOURS = {"red": (0, 0, 255), "green": (0, 255, 0), "blue": (255, 0, 0)}
VALIDATED = 4


def draw(folder: Path, images: int) -> None:
    """Images of coloured boxes on noise, with their labels, in YOLO's layout."""
    random = np.random.default_rng(0)
    for part in ("images", "labels"):
        (folder / part).mkdir()
    for number in range(images + VALIDATED):
        image = random.integers(0, 255, (SIDE, SIDE, 3), np.uint8)
        lines = []
        for _ in range(2):
            colour = int(random.integers(0, len(COLOURS)))
            x, y = random.uniform(0.3, 0.7, 2)
            width, height = random.uniform(0.2, 0.5, 2)
            corners = np.array([x - width / 2, y - height / 2, x + width / 2, y + height / 2])
            left, top, right, bottom = (corners * SIDE).astype(int).tolist()
            cv2.rectangle(image, (left, top), (right, bottom), list(COLOURS.values())[colour], -1)
            lines.append(f"{colour} {x:.4f} {y:.4f} {width:.4f} {height:.4f}\n")
        cv2.imwrite(str(folder / "images" / f"{number:04}.png"), image)
        (folder / "labels" / f"{number:04}.txt").write_text("".join(lines))


def data_set(folder: Path, images: int) -> Path:
    """The description of a data set of the first so many images, and the last few to validate."""
    drawn = sorted((folder / "images").iterdir())
    assert images <= len(drawn) - VALIDATED
    for part, chosen in (("train", drawn[:images]), ("val", drawn[-VALIDATED:])):
        lines = "".join(f"./images/{path.name}\n" for path in chosen)
        (folder / f"{part}{images}.txt").write_text(lines)
    description = folder / f"data{images}.yaml"
    description.write_text(
        f"path: {folder}\ntrain: train{images}.txt\nval: val{images}.txt\nnames: {[*COLOURS]}\n"
    )
    return description
