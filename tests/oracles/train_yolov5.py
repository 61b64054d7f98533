"""Trains YOLOv5n with YOLOv5's own train.py, as it is and with examples/yolov5_train.patch.

    python tests/oracles/train_yolov5.py

Both train on the same data from the same seed, and must end with the same weights, running
average and moments, after the same lr and momentum at every batch. What came of it is written to
tests/oracles/yolov5_training.json, and lr and momentum to yolov5_traces.json.gz, which the tests
hold against the plan. Run it in the environment that yolov5_code.py describes, or leave that to
`pytest --nightly tests/oracles`. It takes some ten minutes.
"""

from __future__ import annotations

import argparse
import gzip
import importlib.metadata
import importlib.util
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import matplotlib
import torch
import yaml
from yolov5_files import ADAMW, FINETUNE, PATCH, ROOT, SGD, digest, files, naming
from yolov5_images import data_set, draw

HERE = Path(__file__).parent
OUTCOMES, TRACES = "yolov5_training.json", "yolov5_traces.json.gz"
PACKAGES = ("yolov5", "torch", "torchvision", "ultralytics", "numpy", "opencv-python-headless")
OURS, NATIVE, BEGUN_NATIVE = "ours", "native", "begun native"
COMPARED = ("model", "ema", "moments", "losses", "trace", "batches", "optimizer_steps")


@dataclass(frozen=True)
class Run:
    """One training run by each of `who`. `stop` is the epoch at whose start it is interrupted,
    `edits` the `let` variables that its rules file has otherwise, `weights` the run whose weights
    it begins with."""

    optimizer: str = "SGD"
    rules: str = SGD
    cosine: bool = False
    epochs: int = 6
    batch: int = 32
    batches: int = 12  # in an epoch
    stop: int | None = None
    freeze: int = 0
    who: tuple[str, ...] = (NATIVE, OURS)
    edits: dict[str, str] = field(default_factory=dict)
    weights: str | None = None


RUNS = {
    "sgd-linear-short": Run(),
    "sgd-cosine-short": Run(cosine=True),
    "sgd-linear-long": Run(epochs=12),
    "sgd-cosine-long": Run(cosine=True, epochs=12),
    "adamw-linear-short": Run("AdamW", ADAMW),
    "adamw-cosine-short": Run("AdamW", ADAMW, cosine=True),
    "adamw-linear-long": Run("AdamW", ADAMW, epochs=12),
    "adamw-cosine-long": Run("AdamW", ADAMW, cosine=True, epochs=12),
    "adam-cosine-short": Run("Adam", ADAMW, cosine=True),
    "sgd-accumulating": Run(epochs=5, batch=4, batches=40),
    "sgd-frozen-backbone": Run(freeze=10),
    "sgd-resumed-in-warmup": Run(epochs=6, stop=3),
    "sgd-resumed-after-warmup": Run(cosine=True, epochs=12, stop=10),
    "adamw-resumed-in-warmup": Run("AdamW", ADAMW, epochs=6, stop=3),
    "sgd-begun-without-grouper": Run(epochs=6, stop=3, who=(NATIVE, BEGUN_NATIVE)),
    "sgd-another-rate": Run(edits={"base": "0.0101"}),
    "finetuning": Run(rules=FINETUNE, epochs=3, weights="sgd-linear-short", who=(OURS,)),
}


class Workplace:
    """A folder with the data, the patched package and the runs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "data").mkdir()
        draw(folder / "data", max(run.batch * run.batches for run in RUNS.values()))
        found = importlib.util.find_spec("yolov5")
        assert found is not None
        assert found.submodule_search_locations
        self.package = Path(found.submodule_search_locations[0])
        self._patched(OURS, "")
        self._patched(BEGUN_NATIVE, naming())
        (folder / "settings").mkdir()
        font = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"
        shutil.copy(font, folder / "settings" / "Arial.ttf")  # YOLOv5 would fetch it

    def _patched(self, who: str, before_resume: str) -> None:
        copy = self.folder / who / "yolov5"
        shutil.copytree(self.package, copy, ignore=shutil.ignore_patterns("__pycache__"))
        subprocess.run(["git", "apply", "-p1", str(PATCH)], cwd=copy, check=True)
        train = copy / "train.py"
        text = train.read_text("utf-8")
        mark = "            if ckpt['optimizer']:  # by name"
        assert text.count(mark) == 1
        train.write_text(text.replace(mark, before_resume + mark), "utf-8")

    def outcome(self, name: str, who: str) -> dict[str, Any]:
        """What became of a run."""
        run, project = RUNS[name], self.folder / "runs" / name / who
        options = self._options(name, who) | {"project": str(project), "name": "run"}
        if run.stop is None:
            return self._start(who, {"options": options})
        first = NATIVE if who == BEGUN_NATIVE else who
        interrupted = self._start(first, {"options": options, "stop": run.stop})
        assert interrupted == {"interrupted": run.stop}
        if who == BEGUN_NATIVE:
            described = project / "run" / "opt.yaml"
            described.write_text(described.read_text() + f"rules: {run.rules}\n")
        last = project / "run" / "weights" / "last.pt"
        return self._start(who, {"options": {"resume": str(last)}})

    def _options(self, name: str, who: str) -> dict[str, Any]:
        run = RUNS[name]
        hyp = yaml.safe_load((self.package / "data" / "hyps" / "hyp.scratch-low.yaml").read_text())
        hyp["lr0"] = 0.01 if run.optimizer == "SGD" else 0.001
        file = self.folder / f"{name}.yaml"
        file.write_text(yaml.safe_dump(hyp))
        weights = self.folder / "runs" / str(run.weights) / OURS / "run" / "weights" / "last.pt"
        common = {
            "weights": str(weights) if run.weights else "",
            "cfg": "yolov5n.yaml",
            "hyp": str(file),
            "data": str(data_set(self.folder / "data", run.batch * run.batches)),
            "imgsz": 64,
            "workers": 0,
            "device": "cpu",
            "noplots": True,
            "noautoanchor": True,
            "epochs": run.epochs,
            "batch_size": run.batch,
            "freeze": [run.freeze],
        }
        if who == OURS:
            return common | {"rules": str(self._rules(name))}
        return common | {"optimizer": run.optimizer, "cos_lr": run.cosine}

    def _rules(self, name: str) -> Path:
        """The shipped file, edited as a user edits it."""
        run = RUNS[name]
        text = (ROOT / "rules" / run.rules).read_text("utf-8")
        text = text.replace("optimizer AdamW ", f"optimizer {run.optimizer} ")
        chosen = run.edits | ({"curve": "cosine"} if run.cosine else {})
        for variable, value in chosen.items():
            text, count = re.subn(rf"(?m)^(let {variable} *=) \S+", rf"\1 {value}", text)
            assert count == 1
        file = self.folder / f"{name}.rules"
        file.write_text(text, "utf-8")
        return file

    def _start(self, who: str, run: dict[str, Any]) -> dict[str, Any]:
        path = [str(ROOT)] if who == NATIVE else [str(self.folder / who), str(ROOT)]
        done = subprocess.run(
            [sys.executable, str(HERE / "yolov5_run.py")],
            input=json.dumps(run),
            capture_output=True,
            text=True,
            cwd=self.folder,
            env=os.environ
            | {
                "PYTHONPATH": os.pathsep.join(path),
                "YOLOV5_CONFIG_DIR": str(self.folder / "settings"),
                "PYTHONWARNINGS": "ignore",
            },
        )
        if done.returncode:
            raise SystemExit(done.stderr[-4000:])
        result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return result


def versions() -> dict[str, str]:
    return {
        "python": platform.python_version(),
        **{package: importlib.metadata.version(package) for package in PACKAGES},
        "machine": f"{platform.machine()} {torch.backends.cpu.get_cpu_capability()}",
    }


def compared(place: Workplace, name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """A run's outcomes side by side, and the trace of the first of them."""
    run, outcomes, traced = RUNS[name], {}, {}
    for who in run.who:
        outcome = place.outcome(name, who)
        if not traced:
            keys = ("rules", "optimizer", "cosine", "epochs", "batches")
            traced = {key: getattr(run, key) for key in keys}
            traced |= {"groups": outcome["groups"], "trace": outcome["trace"]}
        outcome["trace"] = digest(json.dumps(outcome["trace"]))
        outcomes[who] = {key: outcome[key] for key in COMPARED}
    same = outcomes[run.who[0]] == outcomes[run.who[-1]]
    print(f"{name}: {'the same' if same else 'NOT the same'}", flush=True)
    return outcomes, traced


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--into", type=Path, default=HERE, help="the folder to write to")
    parser.add_argument("--only", nargs="+", choices=RUNS, help="leave the other runs as they are")
    arguments = parser.parse_args()
    outcomes, traces = arguments.into / OUTCOMES, arguments.into / TRACES
    recorded: dict[str, Any] = {"versions": versions(), "files": files(), "runs": {}}
    traced: dict[str, Any] = {}
    if arguments.only and outcomes.exists():
        before = json.loads(outcomes.read_text("utf-8"))
        if (before["versions"], before["files"]) != (recorded["versions"], recorded["files"]):
            raise SystemExit(f"{outcomes} was recorded with other versions or files: run all again")
        recorded, traced = before, json.loads(gzip.decompress(traces.read_bytes()))
    with tempfile.TemporaryDirectory() as folder:
        place = Workplace(Path(folder))
        for name in arguments.only or RUNS:
            recorded["runs"][name], traced[name] = compared(place, name)
            outcomes.write_text(json.dumps(recorded, indent=1) + "\n", "utf-8")
            packed = json.dumps(traced, separators=(",", ":")).encode()
            traces.write_bytes(gzip.compress(packed, 9, mtime=0))


if __name__ == "__main__":
    main()
