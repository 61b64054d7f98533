"""Ultralytics' own trainer, watched: the run is the one that it would have been."""

import os
from types import SimpleNamespace

import pytest

os.environ.setdefault("YOLO_OFFLINE", "true")
torch = pytest.importorskip("torch")
ultralytics = pytest.importorskip("ultralytics")

from support.monitor_models import small, step  # noqa: E402
from support.monitor_runs import read_run  # noqa: E402
from support.ultralytics_cases import BATCHES  # noqa: E402

from grouper.integrations.ultralytics_monitor import watch  # noqa: E402


def test_a_run_is_watched_and_is_the_same(runs):
    options = {"optimizer": "SGD", "epochs": 1, "nbs": 4}
    finals = []
    for watched in (False, True):
        yolo = ultralytics.YOLO(runs.config("classify"), task="classify", verbose=False)
        if watched:
            assert watch(yolo, every=1) is yolo
        yolo.train(**runs.arguments("classify", options))
        finals.append([p.detach().cpu() for p in yolo.trainer.model.parameters()])
    assert all(map(torch.equal, *finals))
    run = read_run(yolo.trainer.save_dir / "monitor.jsonl")
    assert list(run.groups) == ["weight", "bn", "bias"]
    assert [record.step for record in run.records] == list(range(BATCHES))
    assert run.records[-1].untouched == ()
    assert all(m.update_ratio > 0 for m in run.records[-1].groups.values())


def test_a_run_that_is_resumed_goes_on_in_its_file(tmp_path):
    callbacks = {}
    watch(SimpleNamespace(add_callback=callbacks.__setitem__), every=1)

    def epochs(count, start, resume):
        model = small()
        groups = [{"params": list(model.parameters()), "param_group": "weight"}]
        trainer = SimpleNamespace(
            model=model,
            optimizer=torch.optim.SGD(groups, lr=0.1),
            save_dir=tmp_path,
            wdir=tmp_path,
            resume=resume,
            start_epoch=start,
        )
        callbacks["on_train_start"](trainer)
        for trainer.epoch in range(start, start + count):
            for _ in range(3):
                step(model, trainer.optimizer)
            if trainer.epoch < 2:  # what is behind it is lost
                callbacks["on_model_save"](trainer)
        callbacks["teardown"](trainer)

    epochs(3, 0, False)
    epochs(1, 2, True)
    run = read_run(tmp_path / "monitor.jsonl")
    assert [record.step for record in run.records] == list(range(9))
    assert run.header.start == 6
    assert run.records[-1].untouched == ()
