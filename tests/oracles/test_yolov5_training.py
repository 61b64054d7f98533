"""YOLOv5's own train.py, as it is and patched: what train_yolov5.py recorded, and the plan.

The recording needs an environment of its own; `--nightly` builds it and trains again.
"""

import gzip
import importlib.util
import json
import os
import subprocess
import venv
from functools import cache
from pathlib import Path

import pytest

import grouper

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
OUTCOMES, TRACES = HERE / "yolov5_training.json", HERE / "yolov5_traces.json.gz"
SAME = [
    "sgd-linear-short",
    "sgd-cosine-short",
    "sgd-linear-long",
    "sgd-cosine-long",
    "adamw-linear-short",
    "adamw-cosine-short",
    "adamw-linear-long",
    "adamw-cosine-long",
    "adam-cosine-short",
    "sgd-accumulating",
    "sgd-frozen-backbone",
    "sgd-resumed-in-warmup",
    "sgd-resumed-after-warmup",
    "adamw-resumed-in-warmup",
    "sgd-begun-without-grouper",
]


@cache
def outcomes():
    return json.loads(OUTCOMES.read_text("utf-8"))


@cache
def traces():
    return json.loads(gzip.decompress(TRACES.read_bytes()))


def test_every_run_is_recorded():
    assert set(outcomes()["runs"]) == set(traces()) == {*SAME, "sgd-another-rate", "finetuning"}


@pytest.mark.parametrize("name", SAME)
def test_weights_average_and_moments_are_native_to_the_last_bit(name):
    native, ours = outcomes()["runs"][name].values()
    assert native == ours
    assert len({native[key] for key in ("model", "ema", "moments", "trace")}) == 4


def test_the_runs_are_long_enough():
    for name in SAME:
        run, trace = outcomes()["runs"][name]["native"], traces()[name]
        assert run["batches"] == len(trace["trace"])
        if "resumed" in name or "begun" in name:
            assert 0 < trace["trace"][0][0] < trace["epochs"] * trace["batches"]
        elif name != "sgd-accumulating":
            assert run["optimizer_steps"] >= 50
            assert ("long" in name) == (run["batches"] > 100)
    accumulating = outcomes()["runs"]["sgd-accumulating"]["native"]
    assert 10 * accumulating["optimizer_steps"] < 5 * accumulating["batches"]


def test_another_rate_would_have_shown():
    native, ours = outcomes()["runs"]["sgd-another-rate"].values()
    for key in ("model", "ema", "moments", "trace", "losses"):
        assert native[key] != ours[key]
    assert native["batches"] == ours["batches"]


def rules_of(trace):
    text = (ROOT / "rules" / trace["rules"]).read_text("utf-8")
    text = text.replace("optimizer AdamW ", f"optimizer {trace['optimizer']} ")
    return grouper.parse(text, **({"curve": "cosine"} if trace["cosine"] else {}))


@pytest.mark.parametrize("name", [*SAME, "finetuning"])
def test_the_plan_is_what_yolov5_did_at_every_batch_to_the_last_bit(name):
    trace = traces()[name]
    plan = grouper.plan(
        "examples/yolov5s.pt",
        rules_of(trace),
        steps_per_epoch=trace["batches"],
        epochs=trace["epochs"],
    )
    assert sorted(group.name for group in plan.groups) == trace["groups"]
    for step, *recorded in trace["trace"]:
        values = plan.at(step)
        for group, (lr, momentum) in zip(trace["groups"], recorded, strict=True):
            assert values[group] == {
                "lr": float.fromhex(lr),
                "momentum": float.fromhex(momentum),
            }, f"{group} at batch {step}"
    assert step == plan.steps - 1


def test_the_repeated_formulas_are_what_yolov5_does():
    """The longer traces of record_yolov5.py repeat YOLOv5's lines; here they meet its loop."""
    recorded = json.loads(gzip.decompress((HERE / "yolov5.json.gz").read_bytes()))["traces"]
    repeated = {(t["epochs"], t["nb"], t["cosine"]): t for t in recorded}
    met = 0
    for name in SAME:
        trace = traces()[name]
        formula = repeated.get((trace["epochs"], trace["batches"], trace["cosine"]))
        if formula is None or trace["optimizer"] != "SGD":
            continue
        met += 1
        assert trace["groups"] == ["bias", "norm", "weight"]
        for step, bias, norm, weight in trace["trace"]:
            (bias_lr, other_lr), momentum = formula["lr"][step], formula["momentum"][step]
            assert bias == [bias_lr, momentum]
            assert norm == weight == [other_lr, momentum]
    assert met >= 7


def proven():
    """The script's own account of the files that it proves."""
    spec = importlib.util.spec_from_file_location("yolov5_files", HERE / "yolov5_files.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_recording_is_of_these_files():
    assert outcomes()["files"] == proven().files(), "run tests/oracles/train_yolov5.py again"


def test_the_page_shows_the_patch_and_the_versions():
    page = (ROOT / "docs" / "yolov5.md").read_text("utf-8")
    shown = page.partition("```diff\n")[2].partition("```")[0]
    assert shown == (ROOT / "examples" / "yolov5_train.patch").read_text("utf-8")
    versions = outcomes()["versions"]
    for package in ("yolov5", "torch", "numpy"):
        assert f"{package} {versions[package].partition('+')[0]}" in page
    assert f"Python {versions['python'].rpartition('.')[0]}" in page


@pytest.mark.nightly
def test_training_again_in_an_environment_of_its_own(tmp_path):
    builder = venv.EnvBuilder(with_pip=True)
    builder.create(tmp_path / "venv")
    python = tmp_path / "venv" / ("Scripts" if os.name == "nt" else "bin") / "python"

    def pip(*arguments):
        command = [python, "-m", "pip", "install", "-q", *arguments]
        subprocess.run(command, check=True)

    pip("-r", HERE / "yolov5_requirements.txt")
    pip("--no-deps", "-r", HERE / "yolov5_packages.txt")
    subprocess.run(
        [python, HERE / "train_yolov5.py", "--into", tmp_path],
        check=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    again = json.loads((tmp_path / OUTCOMES.name).read_text("utf-8"))["runs"]
    for name in SAME:
        native, ours = again[name].values()
        assert native == ours, name
        assert native["trace"] == outcomes()["runs"][name]["native"]["trace"], name
    assert again["finetuning"]["ours"]["trace"] == outcomes()["runs"]["finetuning"]["ours"]["trace"]
