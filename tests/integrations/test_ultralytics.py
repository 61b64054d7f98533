"""Training with Ultralytics by rules, against Ultralytics' own training of the same model."""

import csv
import os
from itertools import product

import pytest

os.environ.setdefault("YOLO_OFFLINE", "true")
torch = pytest.importorskip("torch")
ultralytics = pytest.importorskip("ultralytics")

from support.ultralytics_cases import BATCHES, as_ultralytics, same  # noqa: E402

import grouper  # noqa: E402
from grouper.integrations.ultralytics import trainer  # noqa: E402

LONG, SHORT = {"epochs": 4, "warmup": 1}, {"epochs": 2, "warmup": 5}
PAIRS = [
    ("detect", "SGD", LONG),
    ("detect", "AdamW", SHORT),
    ("classify", "SGD", SHORT),
    ("classify", "AdamW", LONG),
]
ALL_PAIRS = [
    (task, optimizer, {**length, **curve})
    for task, optimizer, length, curve in product(
        ("detect", "classify", "segment", "pose", "obb"),
        ("SGD", "AdamW"),
        (LONG, SHORT),
        ({}, {"cos_lr": True}),
    )
]


@pytest.mark.parametrize(
    ("task", "optimizer", "length"),
    [*PAIRS, *(pytest.param(*pair, marks=pytest.mark.nightly) for pair in ALL_PAIRS)],
)
@pytest.mark.slow
def test_its_own_rules_give_its_own_weights(runs, task, optimizer, length):
    native, ruled = as_ultralytics(optimizer, **length)
    theirs, ours = runs.train(task, **native), runs.train(task, **ruled)
    assert same(ours, theirs)
    assert ours.accumulates == theirs.accumulates
    rates = [[*step.values()] for step in theirs.rates]
    assert [[*step.values()] for step in ours.rates] == rates
    assert len(set(map(str, rates))) > 2


@pytest.mark.nightly
@pytest.mark.parametrize("task", ["detect", "classify", "segment"])
@pytest.mark.parametrize("length", [LONG, SHORT])
def test_its_rules_for_musgd_give_its_own_weights(runs, task, length):
    """The rules have no empty groups, and Ultralytics does."""
    native, ruled = as_ultralytics("MuSGD", **length)
    theirs, ours = runs.train(task, **native), runs.train(task, **ruled)
    assert same(ours, theirs)
    for mine, its in zip(ours.rates, theirs.rates, strict=True):
        assert set(mine.values()) <= set(its.values())


@pytest.mark.parametrize(
    "task", ["detect", "classify", *(pytest.param(t, marks=pytest.mark.nightly) for t in "sp")]
)
def test_every_rate_at_every_batch_is_the_plans(runs, task):
    task = {"s": "segment", "p": "pose"}.get(task, task)
    rules = grouper.load("yolo-finetune.rules", base=0.02)
    run = runs.train(task, trainer=trainer(rules), epochs=3)
    plan = grouper.plan(runs.model(task), rules, steps_per_epoch=BATCHES, epochs=3)
    assert {"head/bias", "body/weight"} <= set(plan.at(0))
    assert [*run.rates] == [
        {name: values["lr"] for name, values in plan.at(step).items()} for step in range(plan.steps)
    ]
    assert [*run.momenta] == [
        {name: values["momentum"] for name, values in plan.at(step).items()}
        for step in range(plan.steps)
    ]
    with run.csv.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert {column.removeprefix("lr/") for column in rows[0] if "lr/" in column} == set(plan.at(0))
    for epoch, row in enumerate(rows):
        last = plan.at((epoch + 1) * BATCHES - 1)
        for name, values in last.items():
            assert float(row[f"lr/{name}"]) == pytest.approx(values["lr"], rel=1e-5)


@pytest.mark.parametrize(
    "task", ["segment", *(pytest.param(t, marks=pytest.mark.nightly) for t in ("pose", "obb"))]
)
def test_other_tasks_train(runs, task):
    run = runs.train(task, trainer=trainer("yolo-finetune.rules"), epochs=1)
    assert run.moved
    assert run.trainer.args.task == task


@pytest.mark.parametrize("optimizer", ["SGD", pytest.param("AdamW", marks=pytest.mark.nightly)])
@pytest.mark.slow
def test_interrupted_in_the_warmup_and_resumed_as_ultralytics_is(runs, optimizer):
    native, ruled = as_ultralytics(optimizer, epochs=4, warmup=3)
    theirs = runs.interrupt("detect", at=BATCHES + 1, **native)
    ours = runs.interrupt("detect", at=BATCHES + 1, **ruled)
    assert len(ours.rates) == len(theirs.rates) == BATCHES + 1
    theirs = runs.resume(theirs)
    ours = runs.resume(ours, trainer=ruled["trainer"])
    assert same(ours, theirs)
    assert ours.accumulates == theirs.accumulates
    assert [[*r.values()] for r in ours.rates] == [[*r.values()] for r in theirs.rates]
    assert len(ours.rates) == 3 * BATCHES


def test_rules_may_change_before_a_run_is_resumed(runs):
    first = runs.interrupt(
        "classify", at=BATCHES + 1, trainer=trainer("yolo-finetune.rules"), epochs=3
    )
    text = (
        "optimizer SGD lr=0.01 momentum=0.9\nschedule linear final=0.5\n"
        "model.0.* -> stem freeze\nelse *.bias -> bias\nelse -> rest lr*=0.5\n"
    )
    rules = grouper.parse(text, "other.rules")
    run = runs.resume(first, trainer=trainer(rules))
    plan = grouper.plan(runs.model("classify"), rules, steps_per_epoch=BATCHES, epochs=3)
    assert [*run.rates] == [
        {name: values["lr"] for name, values in plan.at(step).items()}
        for step in range(BATCHES, 3 * BATCHES)
    ]
    moments = run.trainer.optimizer.state
    assert len(moments) == sum(p.requires_grad for p in run.trainer.model.parameters())
    with run.csv.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert rows[0]["lr/rest"] == "nan" == rows[-1]["lr/head/bias"]
    assert float(rows[-1]["lr/rest"]) == pytest.approx(run.rates[-1]["rest"], rel=1e-5)
    assert len(rows) == 3


def test_a_run_without_names_is_not_resumed(runs):
    first = runs.interrupt("classify", at=BATCHES + 1, epochs=3, optimizer="SGD")
    with pytest.raises(ValueError, match="was not trained with grouper"):
        runs.resume(first, trainer=trainer("ultralytics.rules"))


def test_rules_that_do_not_fit_stop_the_run_before_it_begins(runs):
    rules = grouper.parse("optimizer SGD lr=0.1\n*.bias -> bias\nmodel.99.* -> gone", "mine.rules")
    with pytest.raises(grouper.GroupingError) as caught:
        runs.train("detect", trainer=trainer(rules), epochs=1)
    assert {"GR101", "GR105"} <= {finding.code.id for finding in caught.value.findings}
    text = str(caught.value)
    assert "mine.rules:3:1" in text
    assert "failed: 2 errors" in text
    assert runs.seen == []
    assert not runs.folder_of_last.exists()


def test_faulty_rules_make_no_trainer():
    with pytest.raises(grouper.GroupingError, match="GR011"):
        trainer(grouper.parse("optimzer SGD lr=0.1", "mine.rules"))
    with pytest.raises(FileNotFoundError, match="no rules file `nowhere`"):
        trainer("nowhere")


@pytest.mark.parametrize("line", ["", "* -> all lr=none"])
def test_rules_without_an_optimizer_leave_no_folder(runs, line):
    rules = grouper.parse(f"* -> all lr=0.1\n{line}", "mine.rules")
    with pytest.raises((ValueError, grouper.GroupingError)):
        runs.train("classify", trainer=trainer(rules), epochs=1)
    assert runs.seen == []
    assert not runs.folder_of_last.exists()


@pytest.mark.slow
def test_layers_are_frozen_by_argument_and_by_rule(runs):
    native, ruled = as_ultralytics("SGD", **SHORT)
    theirs = runs.train("classify", **native, freeze=3)
    assert same(runs.train("classify", **ruled, freeze=3), theirs)
    values = {"epochs": 2, "warmup_epochs": 5, "decay": 0.0005 * 4 * 2 / 10}
    text = 'include "ultralytics.rules"\nmodel.{0..2}.* -> freeze'
    rules = grouper.parse(text, "mine.rules", **values)
    by_rule = runs.train("classify", **{**ruled, "trainer": trainer(rules)})
    assert same(by_rule, theirs)
    assert not any(p.requires_grad for p in by_rule.trainer.model.model[:3].parameters())


def test_the_head_alone_is_trained(runs):
    run = runs.train("classify", trainer=trainer("yolo-finetune.rules"), epochs=1, freeze=9)
    assert set(run.rates[0]) == {"head/bias", "head/norm", "head/weight"}
