"""lr, momentum and options at every batch of Ultralytics' own trainer, bit for bit."""

import pytest

pytest.importorskip("torch")
pytest.importorskip("ultralytics")

from support.ultralytics_train import BATCH, BATCHES, run

import grouper

FILES = {
    "SGD": "ultralytics.rules",
    "AdamW": "ultralytics-adamw.rules",
    "MuSGD": "ultralytics-musgd.rules",
}
NUMBERS = {"lr0": 0.0137, "lrf": 0.07, "momentum": 0.91, "warmup_bias_lr": 0.083}
WARMUP_MOMENTUM = 0.77
DECAY = 0.00041
SCALED = DECAY * BATCH * max(round(64 / BATCH), 1) / 64


def check_run(recorded, rules, epochs):
    """Each batch's options are those of the groups, but lr and momentum those of the plan."""
    model = recorded.trainer.model
    plan = grouper.plan(model, rules, steps_per_epoch=BATCHES, epochs=epochs)
    groups = grouper.build_optimizer(model, rules).param_groups
    assert len(recorded.steps) == plan.steps
    for step, found in enumerate(recorded.steps):
        expected = [due(group, plan.at(step)[group["name"]]) for group in groups]
        assert [without(group, "initial_lr") for group in found] == expected, step


def due(group, values):
    made = {**without(group, "params", "name", "param_names"), "lr": values["lr"]}
    if "momentum" in made:
        made["momentum"] = values["momentum"]
    else:
        assert values["momentum"] == made["betas"][0]
    return made


def without(group, *keys):
    return {key: value for key, value in group.items() if key not in keys}


def check_case(folder, name, epochs, warmup_epochs, curve):
    given = {**NUMBERS, "epochs": epochs, "warmup_epochs": warmup_epochs}
    recorded = run(
        folder,
        optimizer=name,
        weight_decay=DECAY,
        warmup_momentum=WARMUP_MOMENTUM,
        cos_lr=curve == "cosine",
        **given,
    )
    momentum = {} if name == "AdamW" else {"warmup_momentum": WARMUP_MOMENTUM}
    rules = grouper.load(FILES[name], decay=SCALED, curve=curve, **given, **momentum)
    check_run(recorded, rules, epochs)


@pytest.mark.parametrize(
    "case", [("SGD", 3, 1.4, "linear"), ("AdamW", 2, 3.0, "cosine"), ("MuSGD", 3, 0.5, "cosine")]
)
def test_a_run(case, tmp_path):
    check_case(tmp_path, *case)


@pytest.mark.nightly
@pytest.mark.parametrize("curve", ["linear", "cosine"])
@pytest.mark.parametrize("warmup_epochs", [-1.0, 0.0, 0.5, 2, 3.0])
@pytest.mark.parametrize("epochs", [1, 2, 3, 7])
@pytest.mark.parametrize("name", FILES)
def test_runs_shorter_and_longer_than_their_warm_up(name, epochs, warmup_epochs, curve, tmp_path):
    check_case(tmp_path, name, epochs, warmup_epochs, curve)


@pytest.mark.parametrize(("iterations", "name"), [(10_000, "AdamW"), (10_001, "MuSGD")])
def test_auto_is_the_defaults(iterations, name, tmp_path):
    """But for AdamW's lr0, which is made from the number of classes: here there is one."""
    recorded = run(tmp_path, iterations, epochs=3)
    lr0 = {"lr0": 0.002} if name == "AdamW" else {}
    decay = 5e-4 * BATCH * max(round(64 / BATCH), 1) / 64
    check_run(recorded, grouper.load(FILES[name], epochs=3, decay=decay, **lr0), 3)
