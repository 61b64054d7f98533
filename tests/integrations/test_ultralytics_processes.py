"""Two processes, launched as Ultralytics launches them, find the trainer and its rules."""

import os
import subprocess
from pathlib import Path

import pytest

os.environ.setdefault("YOLO_OFFLINE", "true")
torch = pytest.importorskip("torch")
pytest.importorskip("ultralytics")
pytest.importorskip("cloudpickle")

from support.ultralytics_cases import as_ultralytics  # noqa: E402

import grouper  # noqa: E402
from grouper.integrations.ultralytics import trainer  # noqa: E402

ROOT = Path(__file__).parents[2]
REST = grouper.parse("optimizer SGD lr=0.1\nmodel.{2..9}.* -> rest", "mine.rules")


def made(runs, start, **arguments):
    """A trainer as `Model.train` makes it in the launching process."""
    given = runs.arguments("classify", arguments)
    given = {**given, "model": runs.config("classify"), "task": "classify", "mode": "train"}
    return start(overrides=given, _callbacks=None)


def launch(launcher, folder, monkeypatch):
    """What two processes came to that run what Ultralytics hands to them."""
    from ultralytics.utils import dist

    folder.mkdir(exist_ok=True)
    monkeypatch.setattr(dist, "USER_CONFIG_DIR", folder)
    launcher.world_size = 2
    command, file = dist.generate_ddp_command(launcher)
    at = command.index(file)
    command[at:] = [str(ROOT / "tests" / "support" / "ultralytics_ddp.py"), file, str(folder)]
    paths = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
    done = subprocess.run(
        command,
        env={**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1"},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return [torch.load(folder / f"{rank}.pt") for rank in range(2)]


def equal(left, right):
    return all(left[name].equal(right[name]) for name in left) and left.keys() == right.keys()


def trained(weights):
    """A model's weights, without the statistics that each process has of its own images."""
    return {name: value for name, value in weights.items() if "running_" not in name}


@pytest.mark.slow
def test_two_processes_follow_one_plan(runs, tmp_path, monkeypatch):
    rules = tmp_path / "mine.rules"
    text = "*.bias -> bias lr=base warmup_start=0.1\nelse -> rest lr=0.02"
    head = "let base = 0.5\noptimizer SGD momentum=0.9\nwarmup epochs=1\nschedule linear final=0.1"
    rules.write_text(f"{head}\n{text}\n", "utf-8")
    launcher = made(runs, trainer(rules, base=0.01), epochs=2, nbs=4)
    plan = grouper.plan(
        runs.model("classify"), grouper.load(rules, base=0.01), steps_per_epoch=2, epochs=2
    )
    rules.write_text("changed since, and not to be read again", "utf-8")
    first, second = launch(launcher, tmp_path / "new", monkeypatch)
    assert first["trainer"] == "RulesClassificationTrainer"
    assert first["groups"] == second["groups"] == ["bias", "rest"]
    rates = [[values["lr"] for values in plan.at(step).values()] for step in range(plan.steps)]
    assert first["rates"] == second["rates"] == rates
    assert equal(trained(first["weights"]), trained(second["weights"]))


@pytest.mark.nightly
@pytest.mark.parametrize("optimizer", ["SGD", "AdamW"])
def test_two_processes_come_to_what_ultralytics_own_come_to(runs, tmp_path, monkeypatch, optimizer):
    from ultralytics.models.yolo.classify import ClassificationTrainer

    native, ruled = as_ultralytics(optimizer, epochs=3, warmup=1)
    theirs = launch(made(runs, ClassificationTrainer, **native), tmp_path / "a", monkeypatch)
    ours = launch(made(runs, ruled.pop("trainer"), **ruled), tmp_path / "b", monkeypatch)
    for left, right in zip(ours, theirs, strict=True):
        assert left["rates"] == right["rates"]
        assert equal(left["weights"], right["weights"])


def test_wrong_rules_launch_no_processes(runs, monkeypatch):
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: pytest.fail("launched"))
    launcher = made(runs, trainer(REST), epochs=1)
    launcher.ddp = True
    with pytest.raises(grouper.GroupingError, match="GR101"):
        launcher.train()
    assert not launcher.save_dir.exists()


@pytest.mark.parametrize("freeze", [2, [0, 1]])
def test_right_rules_do_launch(runs, monkeypatch, freeze):
    launched = []
    monkeypatch.setattr(subprocess, "run", lambda command, **_: launched.append(command))
    launcher = made(runs, trainer(REST), epochs=1, freeze=freeze)
    launcher.ddp, launcher.world_size = True, 2
    launcher.train()
    assert isinstance(launcher.model, str)
    assert len(launched) == 1
