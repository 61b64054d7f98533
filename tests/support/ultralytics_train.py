"""A run of Ultralytics' own trainer on eight small images, recorded batch by batch."""

from dataclasses import dataclass, field

import numpy as np
from support.torchvision_stub import define_operators

IMAGES, BATCH = 8, 3
BATCHES = 3  # in an epoch, the last of two images
YAML = """
nc: 1
backbone:
  - [-1, 1, Conv, [8, 3, 2]]
  - [-1, 1, Conv, [8, 3, 2]]
  - [-1, 1, Conv, [8, 3, 2]]
head:
  - [[1, 2], 1, Detect, [nc]]
"""


@dataclass
class Run:
    """`steps` holds, for each batch, what each group that is trained had after it."""

    trainer: object
    steps: list[list[dict]] = field(default_factory=list)

    def record(self, trainer):
        groups = (g for g in trainer.optimizer.param_groups if g["params"])
        self.steps.append([{k: v for k, v in g.items() if k != "params"} for g in groups])


def run(folder, iterations=None, **arguments):
    """Train, and return the record. `iterations` is what `optimizer=auto` shall believe."""
    define_operators()
    from ultralytics.models.yolo.detect import DetectionTrainer

    class Trainer(DetectionTrainer):
        """Without what comes after the last batch of an epoch: validation and files."""

        def validate(self):
            return {}, 0.0

        def final_eval(self):
            pass

        def save_model(self):
            pass

        def build_optimizer(self, **given):
            return super().build_optimizer(
                **given if iterations is None else {**given, "iterations": iterations}
            )

    trainer = Trainer(overrides={**settings(folder), **arguments})
    recorded = Run(trainer)
    trainer.add_callback("on_train_batch_end", recorded.record)
    trainer.train()
    return recorded


def settings(folder):
    """Everything that is of no interest here switched off."""
    return {
        "model": str(written(folder / "tiny.yaml", YAML)),
        "data": str(dataset(folder)),
        "project": str(folder),
        "batch": BATCH,
        "imgsz": 64,
        "workers": 0,
        "device": "cpu",
        **dict.fromkeys(("val", "plots", "save", "amp", "pretrained", "verbose"), False),
    }


def dataset(folder):
    import cv2

    chance = np.random.default_rng(0)
    for kind in ("images", "labels"):
        (folder / kind).mkdir(exist_ok=True)
    for index in range(IMAGES):
        image = chance.integers(0, 255, (64, 64, 3), dtype=np.uint8)
        cv2.imwrite(str(folder / "images" / f"{index}.png"), image)
        written(folder / "labels" / f"{index}.txt", "0 0.5 0.5 0.4 0.4\n")
    text = f"path: {folder}\ntrain: images\nval: images\nnames: [thing]\n"
    return written(folder / "data.yaml", text)


def written(path, text):
    path.write_text(text, "utf-8")
    return path
