"""Records what YOLOv5 itself does: its groups, its models' parameters, its warm-up.

    python tests/oracles/record_yolov5.py

writes tests/oracles/yolov5.json.gz; run it in the environment that yolov5_code.py describes.
Numbers are hexadecimal floats, so that they can be compared to the last bit.
"""

from __future__ import annotations

import gzip
import json
import math
from pathlib import Path

import numpy as np
import torch
from torch.optim.lr_scheduler import LambdaLR
from yolov5_code import prepare

FOLDER = prepare()

from models.yolo import DetectionModel  # noqa: E402
from utils.general import one_cycle  # noqa: E402
from utils.torch_utils import smart_optimizer  # noqa: E402

MODELS = [*"nsmlx", *(f"{size}6" for size in "nsmlx")]
# Epochs, and batches in each. The first three are also run by train_yolov5.py, with YOLOv5's own
# loop, and the tests hold these traces against those.
RUNS = [(6, 12), (12, 12), (5, 40), (5, 7), (10, 40), (3, 200)]
HYP = {
    "lr0": 0.01,
    "lrf": 0.01,
    "momentum": 0.937,
    "weight_decay": 0.0005,
    "warmup_epochs": 3.0,
    "warmup_momentum": 0.8,
    "warmup_bias_lr": 0.1,
}


def model(size: str) -> DetectionModel:
    folder = FOLDER / "models" / ("hub" if size.endswith("6") else "")
    with torch.device("cpu"):
        return DetectionModel(str(folder / f"yolov5{size}.yaml"), ch=3, nc=80)


def groups(made: DetectionModel, optimizer: str) -> list[dict[str, object]]:
    """smart_optimizer's groups: options, and parameters by their place in named_parameters."""
    places = {id(p): i for i, p in enumerate(made.parameters())}
    built = smart_optimizer(made, optimizer, HYP["lr0"], HYP["momentum"], HYP["weight_decay"])
    keys = ("lr", "momentum", "weight_decay", "nesterov", "betas")
    return [
        {
            "options": {key: group[key] for key in keys if key in group},
            "parameters": [places[id(p)] for p in group["params"]],
        }
        for group in built.param_groups
    ]


def inventory(made: DetectionModel) -> dict[str, object]:
    def name(cls: type) -> str:
        return f"{cls.__module__}.{cls.__qualname__}"

    return {
        "parameters": [
            [n, list(p.shape), str(p.dtype).removeprefix("torch.")]
            for n, p in made.named_parameters()
        ],
        "modules": {path: name(type(m)) for path, m in made.named_modules()},
    }


def trace(epochs: int, nb: int, cosine: bool) -> dict[str, object]:
    """lr and momentum of every group at every step, by YOLOv5's formulas and torch's LambdaLR.

    This repeats the lines of YOLOv5's train.py; train_yolov5.py runs them.
    """
    weights = [torch.nn.Parameter(torch.zeros(1)) for _ in range(3)]
    optimizer = torch.optim.SGD([weights[0]], lr=HYP["lr0"], momentum=HYP["momentum"])
    for weight in weights[1:]:
        optimizer.add_param_group({"params": [weight]})
    if cosine:
        lf = one_cycle(1, HYP["lrf"], epochs)
    else:
        lf = lambda x: (1 - x / epochs) * (1.0 - HYP["lrf"]) + HYP["lrf"]  # noqa: E731
    scheduler = LambdaLR(optimizer, lr_lambda=lf)
    scheduler.last_epoch = -1  # as train.py does: do not move
    nw = max(round(HYP["warmup_epochs"] * nb), 100)
    lrs, momenta = [], []
    for epoch in range(epochs):
        for i in range(nb):
            ni = i + nb * epoch
            if ni <= nw:
                for j, group in enumerate(optimizer.param_groups):
                    start = HYP["warmup_bias_lr"] if j == 0 else 0.0
                    target = group["initial_lr"] * lf(epoch)
                    group["lr"] = np.interp(ni, [0, nw], [start, target])
                    momentum = [HYP["warmup_momentum"], HYP["momentum"]]
                    group["momentum"] = np.interp(ni, [0, nw], momentum)
            optimizer.step()
            lrs.append([float(group["lr"]).hex() for group in optimizer.param_groups[:2]])
            momenta.append(float(optimizer.param_groups[0]["momentum"]).hex())
        scheduler.step()
    return {"epochs": epochs, "nb": nb, "cosine": cosine, "lr": lrs, "momentum": momenta}


def main() -> None:
    assert math.isclose(one_cycle(1, 0.01, 10)(10), 0.01)
    recorded: dict[str, object] = {"hyp": HYP, "models": {}, "traces": []}
    for size in MODELS:
        made = model(size)
        recorded["models"][f"yolov5{size}"] = {
            "inventory": inventory(made),
            "SGD": groups(made, "SGD"),
            "AdamW": groups(made, "AdamW"),
        }
    recorded["traces"] = [trace(*run, cosine) for run in RUNS for cosine in (False, True)]
    text = json.dumps(recorded, separators=(",", ":")).encode()
    path = Path(__file__).with_name("yolov5.json.gz")
    path.write_bytes(gzip.compress(text, 9, mtime=0))


if __name__ == "__main__":
    main()
