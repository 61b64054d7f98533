"""Fine-tune a YOLO by a rules file, on images made here: less than a minute on a CPU, no downloads.

    pip install . ultralytics          # in a clone of grouper
    python examples/ultralytics_finetune.py

A classifier learns squares and discs. Then it is fine-tuned to tell four shapes apart: the head at
the full rate, the body at a tenth of it, the head's biases with a warm-up of their own. A detector,
or a model for segments, poses or oriented boxes, is trained by the same line. In half a minute it
gets about four of five images right; more images and epochs do the rest.
"""

import tempfile
from pathlib import Path

import cv2
import numpy as np
from ultralytics import YOLO

from grouper.integrations.ultralytics import trainer

SIZE = 64
CORNERS = {"square": 4, "disc": 40, "triangle": 3, "star": 5}


def draw(name, rng):
    """A shape in a colour, somewhere in the dark."""
    steps = 2 * CORNERS[name] if name == "star" else CORNERS[name]
    angles = rng.uniform(0, 6.3) + 2 * np.pi * np.arange(steps) / steps
    radii = np.full(steps, rng.uniform(12, 18))
    radii[1::2] *= 0.4 if name == "star" else 1
    around = radii * np.stack([np.cos(angles), np.sin(angles)])
    corners = rng.uniform(20, 44, 2) + around.T
    image = rng.integers(0, 60, (SIZE, SIZE, 3), np.uint8)
    return cv2.fillPoly(image, [corners.astype(np.int32)], rng.integers(150, 255, 3).tolist())


def make_data(folder, names, images):
    """A folder for each class in `train` and in `val`, as Ultralytics wants classifiers' data."""
    rng = np.random.default_rng(0)
    for split in ("train", "val"):
        for name in names:
            (folder / split / name).mkdir(parents=True)
            for index in range(images // len(names)):
                cv2.imwrite(str(folder / split / name / f"{index}.png"), draw(name, rng))
    return str(folder)


def main():
    folder = Path(tempfile.mkdtemp(prefix="grouper-"))
    arguments = {"imgsz": SIZE, "batch": 16, "nbs": 16, "device": "cpu", "workers": 0}
    arguments |= {"project": str(folder), "scale": 0.2, "erasing": 0.0, "auto_augment": None}
    arguments |= {"plots": False}

    model = YOLO("yolov8n-cls.yaml")
    two = make_data(folder / "two", ["square", "disc"], images=256)
    model.train(data=two, name="learn", epochs=8, optimizer="AdamW", lr0=0.002, **arguments)
    learned = model.metrics.top1

    four = make_data(folder / "four", list(CORNERS), images=256)
    rules = trainer("yolo-finetune.rules", base=0.02, monitor=True)
    model.train(data=four, name="finetune", epochs=12, trainer=rules, **arguments)

    run = model.trainer.save_dir
    print(f"squares from discs: {learned:.0%} of 256 new images are right, guessing gets 50%")
    print(f"four shapes: {model.metrics.top1:.0%} of 256 new images are right, guessing gets 25%")
    print(f"what each group did: grouper monitor {run / 'monitor.jsonl'}")
    print(f"its rates by epoch, in the columns lr/...: {run / 'results.csv'}")


if __name__ == "__main__":
    main()
