"""What is written beside the JSON Lines, and how a run goes on in its files."""

import csv
import json
import sys
import types
from pathlib import Path

import jsonschema
import pytest

torch = pytest.importorskip("torch")

from support.monitor_models import groups_of, small, step  # noqa: E402
from support.monitor_runs import read_run  # noqa: E402

import grouper  # noqa: E402

ROOT = Path(__file__).parents[2]


def train(folder, steps, state=None, **options):
    """Some steps of a run in `folder`, from a saved state of the monitor; its state then."""
    model = small()
    optimizer = torch.optim.SGD(groups_of(model), lr=0.1)
    with grouper.Monitor(
        optimizer, path=folder / "run.jsonl", **{"every": 2, **options}
    ) as monitor:
        if state is not None:
            monitor.load_state_dict(json.loads(json.dumps(state)))
        for _ in range(steps):
            step(model, optimizer)
        return monitor.state_dict()


def rows(path):
    with open(path, newline="", encoding="utf-8") as file:
        return [(int(row["step"]), row["group"]) for row in csv.DictReader(file)]


def recorded(folder):
    return [record.step for record in read_run(folder / "run.jsonl").records]


def test_a_resumed_run_goes_on_in_its_files(tmp_path):
    state = train(tmp_path, 5, csv=tmp_path / "run.csv")
    assert state == {"step": 5, "touched": ["0.bias", "0.weight", "2.bias", "2.weight"]}
    train(tmp_path, 4, state, csv=tmp_path / "run.csv")
    assert recorded(tmp_path) == [0, 2, 4, 6, 8]


def test_what_a_resumed_run_does_again_counts_once(tmp_path):
    state = train(tmp_path, 3, csv=tmp_path / "run.csv")
    later = train(tmp_path, 5, state, csv=tmp_path / "run.csv")
    assert later["step"] == 8
    assert recorded(tmp_path) == [0, 2, 4, 6]
    train(tmp_path, 2, state, csv=tmp_path / "run.csv")  # again from step 3 on
    assert recorded(tmp_path) == [0, 2, 4]
    assert rows(tmp_path / "run.csv") == [(s, g) for s in (0, 2, 4) for g in ("weight", "bias")]


def test_what_was_done_in_vain_counts_no_more(tmp_path):
    train(tmp_path, 9, every=1, csv=tmp_path / "run.csv")
    train(tmp_path, 6, {"step": 5, "touched": []}, every=10, csv=tmp_path / "run.csv")
    assert recorded(tmp_path) == [0, 1, 2, 3, 4, 10]
    assert [step for step, group in rows(tmp_path / "run.csv") if group == "bias"] == [
        0, 1, 2, 3, 4, 10,
    ]  # fmt: skip


def test_a_run_that_starts_anew_counts_alone(tmp_path):
    train(tmp_path, 9, csv=tmp_path / "run.csv")
    train(tmp_path, 3, csv=tmp_path / "run.csv")
    assert recorded(tmp_path) == [0, 2]
    assert [step for step, _ in rows(tmp_path / "run.csv")] == [0, 0, 2, 2]
    assert len((tmp_path / "run.jsonl").read_text().splitlines()) == 1 + 5 + 1 + 2


def test_what_had_a_gradient_is_remembered_and_what_is_new_is_not(tmp_path):
    model = small()
    optimizer = torch.optim.SGD(groups_of(model), lr=0.1)
    monitor = grouper.Monitor(optimizer, path=tmp_path / "run.jsonl")
    monitor.load_state_dict({"step": 3, "touched": ["0.weight", "gone"]})
    assert monitor.untouched == ("2.weight", "0.bias", "2.bias")
    monitor.close()


def test_csv_has_every_number(tmp_path):
    train(tmp_path, 1, csv=tmp_path / "new" / "run.csv")
    with open(tmp_path / "new" / "run.csv", newline="", encoding="utf-8") as file:
        found = list(csv.DictReader(file))
    measured = read_run(tmp_path / "run.jsonl").records[0].groups
    for row in found:
        for key in ("lr", "momentum", "gradient_norm", "weight_norm", "update_ratio"):
            assert float(row[key]) == getattr(measured[row["group"]], key)


def test_tensorboard_gets_every_number_and_forgets_what_is_done_again(tmp_path, monkeypatch):
    said = []

    class SummaryWriter:
        def __init__(self, folder, purge_step):
            said.append(("made", folder, purge_step))

        def add_scalar(self, *scalar):
            said.append(scalar)

        def close(self):
            said.append("closed")

    module = types.ModuleType("torch.utils.tensorboard")
    module.SummaryWriter = SummaryWriter
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", module)
    train(tmp_path, 1, {"step": 4, "touched": []}, tensorboard=tmp_path / "events")
    measured = read_run(tmp_path / "run.jsonl").records[0].groups["bias"]
    assert said[0] == ("made", str(tmp_path / "events"), 4)
    assert ("bias/lr", 0.2, 4) in said
    assert ("bias/update_ratio", measured.update_ratio, 4) in said
    assert said[-1] == "closed"


def test_every_line_is_as_the_schema_says(tmp_path):
    schema = json.loads((ROOT / "docs" / "monitor.schema.json").read_text("utf-8"))
    train(tmp_path, 5)
    lines = [json.loads(line) for line in (tmp_path / "run.jsonl").read_text().splitlines()]
    jsonschema.Draft202012Validator.check_schema(schema)
    for line in lines:
        jsonschema.validate(line, schema)
    for wrong in ({}, {**lines[0], "start": -1}, {**lines[1], "step": "1"}, {"step": 1}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(wrong, schema)
