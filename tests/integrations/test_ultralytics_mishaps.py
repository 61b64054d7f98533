"""What goes wrong in a run of Ultralytics, and what else it can do: the rules stay in force."""

import json
import logging
import os
import warnings
from pydoc import locate
from types import SimpleNamespace

import pytest

os.environ.setdefault("YOLO_OFFLINE", "true")
torch = pytest.importorskip("torch")
ultralytics = pytest.importorskip("ultralytics")

from support.ultralytics_cases import BATCHES, as_ultralytics, same  # noqa: E402

import grouper  # noqa: E402
from grouper.integrations.ultralytics import TRAINERS, trainer, trainer_of  # noqa: E402
from grouper.integrations.ultralytics_heads import OTHER_TRAINERS  # noqa: E402
from grouper.integrations.ultralytics_results import columns_of, widen  # noqa: E402
from grouper.integrations.ultralytics_trainer import BaseTrainer  # noqa: E402

pytestmark = pytest.mark.slow


@pytest.fixture
def said(caplog):
    """What Ultralytics' logger, which hands nothing on, says."""
    logger = logging.getLogger("ultralytics")
    logger.addHandler(caplog.handler)
    yield caplog
    logger.removeHandler(caplog.handler)


def both(runs, task="classify", callbacks=None, optimizer="SGD", epochs=3, warmup=2, **more):
    """Ultralytics' own run and the one by rules that say the same."""
    native, ruled = as_ultralytics(optimizer, epochs=epochs, warmup=warmup, nbs=8)
    given = {"task": task, **more}
    made = callbacks or dict
    return runs.train(**given, callbacks=made(), **native), runs.train(
        **given, callbacks=made(), **ruled
    )


def out_of_memory(trainer):
    """Let the first batch of four be too much."""

    def once(batch):
        del trainer.preprocess_batch
        raise RuntimeError("out of memory")

    if trainer.batch_size == 4:
        trainer.preprocess_batch = once


@pytest.mark.parametrize("scale", [2.0**10, 2.0**127])
def test_a_scaler_scales_and_skips_as_without_rules(runs, scale):
    """Mixed precision needs a GPU; its scaler runs on the CPU as well. Scaled by 2 to the 127th,
    gradients are infinite, so that steps are skipped."""

    def scaling():
        def start(trainer):
            trainer.scaler = torch.amp.GradScaler("cpu", init_scale=scale, growth_interval=2)

        return {"on_pretrain_routine_end": start}

    theirs, ours = both(runs, callbacks=scaling, epochs=4)
    assert same(ours, theirs)
    assert ours.trainer.scaler.state_dict() == theirs.trainer.scaler.state_dict()
    assert (ours.trainer.scaler.get_scale() < scale) == (scale > 2.0**64)


def test_memory_that_runs_out_in_the_first_epoch(runs):
    theirs, ours = both(
        runs, callbacks=lambda: {"on_train_start": out_of_memory}, epochs=2, warmup=1
    )
    assert ours.trainer.batch_size == theirs.trainer.batch_size == 2
    assert ours.trainer.plan.steps_per_epoch == 2 * BATCHES
    assert same(ours, theirs)
    assert ours.accumulates == theirs.accumulates
    assert [[*r.values()] for r in ours.rates] == [[*r.values()] for r in theirs.rates]


def test_decay_is_the_rules_also_with_smaller_batches(runs):
    rules = "optimizer SGD lr=0.01\ntag param_group\n* -> all weight_decay=0.25 param_group=weight"

    run = runs.train(
        "classify",
        trainer=trainer(grouper.parse(rules)),
        epochs=1,
        callbacks={"on_train_start": out_of_memory},
    )
    assert run.trainer.batch_size == 2
    assert run.trainer.optimizer.param_groups[0]["weight_decay"] == 0.25


def test_an_epoch_without_a_finite_loss_is_done_again(runs):
    def failing():
        def fail(trainer):
            if trainer.epoch == 1 and not trainer.__dict__.get("failed"):
                trainer.failed = True
                trainer.loss = trainer.loss * float("nan")

        return {"on_train_epoch_end": fail}

    theirs, ours = both(runs, callbacks=failing, epochs=4)
    assert len(ours.rates) == len(theirs.rates) == 5 * BATCHES
    assert same(ours, theirs)
    assert ours.rates[1 * BATCHES : 2 * BATCHES] == ours.rates[2 * BATCHES : 3 * BATCHES]


def test_patience_ends_both_at_once(runs):
    theirs, ours = both(runs, epochs=9, patience=1)
    assert ours.trainer.epoch == theirs.trainer.epoch < 8
    assert same(ours, theirs)


def test_a_run_of_so_many_hours_follows_the_plan_of_its_epochs(runs):
    plans = []
    run = runs.train(
        "classify",
        trainer=trainer("yolo-finetune.rules"),
        time=0.0003,
        callbacks={"on_train_epoch_start": lambda trainer: plans.append(trainer.plan)},
    )
    for step, rates in enumerate(run.rates):
        plan = plans[step // BATCHES]
        assert rates == {name: values["lr"] for name, values in plan.at(step).items()}
    assert run.trainer.plan.epochs == run.trainer.epochs < 100


def test_a_callback_that_sets_lr_is_refused(runs):
    def meddle(trainer):
        trainer.optimizer.param_groups[0]["lr"] = 0.5

    with pytest.raises(ValueError, match="something else changed the lr of the group `head/bias`"):
        runs.train(
            "classify",
            trainer=trainer("yolo-finetune.rules"),
            epochs=1,
            callbacks={"on_train_batch_end": meddle},
        )


def test_arguments_that_the_rules_overrule_are_named(runs, said):
    runs.train(
        "classify",
        trainer=trainer("ultralytics.rules", epochs=100),
        epochs=1,
        lr0=0.5,
        cos_lr=True,
        patience=7,
        val=False,
    )
    assert "ignored, because the rules decide on it: lr0, cos_lr\n" in said.text
    assert "the rules count on epochs=100, and the run has 1: trainer(..., epochs=1)" in said.text
    assert "optimizer: SGD by" in said.text


def test_the_monitor_writes_into_the_runs_folder_and_goes_on(runs):
    watched = trainer("yolo-finetune.rules", monitor={"every": 1})
    options = {"epochs": 3, "nbs": 4}
    first = runs.interrupt("classify", at=BATCHES + 1, trainer=watched, **options)
    file = first.trainer.save_dir / "monitor.jsonl"
    head, *rows = map(json.loads, file.read_text("utf-8").splitlines())
    assert "yolo-finetune.rules:" in head["groups"]["head/bias"]["rule"]
    assert [row["step"] for row in rows] == list(range(BATCHES + 1))
    runs.resume(first, trainer=watched)
    _, *rows = map(json.loads, file.read_text("utf-8").splitlines())
    steps = [row["step"] for row in rows if "step" in row]
    assert steps[-2 * BATCHES :] == list(range(BATCHES, 3 * BATCHES))


def test_the_monitor_writes_where_it_is_told(runs, tmp_path):
    path = tmp_path / "watch.jsonl"
    runs.train("classify", trainer=trainer("yolo-finetune.rules", monitor=path), epochs=1)
    assert json.loads(path.read_text("utf-8").splitlines()[1])["step"] == 0


def test_the_trainers_that_it_names_are_there():
    assert all(issubclass(locate(path), BaseTrainer) for path in OTHER_TRAINERS.values())
    for task in TRAINERS:
        assert issubclass(trainer_of(task), BaseTrainer)


def test_a_task_without_a_trainer_is_named():
    with pytest.raises(ValueError, match="no trainer for the task `paint`"):
        trainer("yolo-finetune.rules")(overrides={"task": "paint"})


def test_a_rule_set_has_its_variables(runs):
    with pytest.raises(TypeError, match=r"pass them to grouper.load"):
        trainer(grouper.load("yolo-finetune.rules"), base=0.1)


def test_old_versions_are_refused(monkeypatch):
    module = "grouper.integrations.ultralytics"
    monkeypatch.setattr(f"{module}.BaseTrainer", SimpleNamespace())
    with pytest.raises(ImportError, match=r"8\.4\.103"):
        trainer("yolo-finetune.rules")


def test_columns_are_unique_and_without_commas():
    assert columns_of(["a", "b/c", 'x,"y', "x__y"]) == ["lr/a", "lr/b/c", "lr/x__y", "lr/x__y#2"]


def test_a_file_of_results_gets_more_columns(tmp_path):
    path = tmp_path / "results.csv"
    assert widen(path, {"a": 1}) == {"a": 1}
    path.write_text("epoch,time,a,lr/x\n1,2,3,4\n", "utf-8")
    wide = widen(path, {"a": 5, "lr/y": 6})
    assert list(wide) == ["a", "lr/x", "lr/y"]
    assert wide["lr/x"] != wide["lr/x"]
    assert path.read_text("utf-8") == "epoch,time,a,lr/x,lr/y\n1,2,3,4,nan\n"
    assert list(widen(path, wide)) == ["a", "lr/x", "lr/y"]


def test_rules_are_told_how_long_the_run_is(runs, said):
    run = runs.train("classify", trainer=trainer("yolo-finetune.rules"), epochs=2)
    assert run.trainer.plan.warmup_steps == BATCHES  # the last epoch has no warm-up
    assert "the rules count on" not in said.text
    assert not run.trainer.plan.findings


def test_a_run_that_never_leaves_its_warmup_is_a_warning(runs, tmp_path):
    rules = tmp_path / "long.rules"
    rules.write_text("optimizer SGD lr=0.01; warmup steps=100; * -> all")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        runs.train("classify", trainer=trainer(rules), epochs=1)
    (warning,) = [w for w in caught if w.category is grouper.GroupingWarning]
    assert "inside a warm-up of 100 steps, so the lr of `all` ends at" in str(warning.message)
