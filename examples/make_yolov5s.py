"""Makes `yolov5s.pt`, a checkpoint as YOLOv5's train.py writes it, with its weights zeroed.

Run it in the environment that tests/oracles/yolov5_code.py describes:

    python examples/make_yolov5s.py

The model is built and pickled by YOLOv5's own code; zeroed weights in compressed entries keep it
small. torch loads it wherever YOLOv5's code can be imported.
"""

from __future__ import annotations

import io
import sys
import zipfile
from copy import deepcopy
from pathlib import Path

import torch

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "tests" / "oracles"))

from yolov5_code import prepare  # noqa: E402


def main() -> None:
    folder = prepare()
    from models.yolo import DetectionModel
    from utils.torch_utils import ModelEMA, de_parallel, smart_optimizer

    model = DetectionModel(str(folder / "models" / "yolov5s.yaml"), ch=3, nc=80)
    for tensor in model.state_dict().values():
        tensor.zero_()
    ema = ModelEMA(model)
    optimizer = smart_optimizer(model, "SGD", 0.01, 0.937, 5e-4)
    checkpoint = {
        "epoch": 0,
        "best_fitness": 0.0,
        "model": deepcopy(de_parallel(model)).half(),
        "ema": deepcopy(ema.ema).half(),
        "updates": ema.updates,
        "optimizer": optimizer.state_dict(),
        "opt": {"weights": "", "cfg": "yolov5s.yaml", "epochs": 300, "batch_size": 16},
        "git": {"remote": None, "branch": None, "commit": None},
        "date": "2026-11-23T00:00:00",
    }
    saved = io.BytesIO()
    torch.save(checkpoint, saved)
    compress(saved, HERE / "yolov5s.pt")
    torch.load(HERE / "yolov5s.pt", map_location="cpu", weights_only=False)["model"].float()


def compress(saved: io.BytesIO, path: Path) -> None:
    """The same archive with deflated entries and a fixed date."""
    with zipfile.ZipFile(saved) as archive, zipfile.ZipFile(path, "w") as packed:
        for entry in archive.infolist():
            info = zipfile.ZipInfo(entry.filename)
            info.compress_type = zipfile.ZIP_DEFLATED
            packed.writestr(info, archive.read(entry), compresslevel=9)


if __name__ == "__main__":
    main()
