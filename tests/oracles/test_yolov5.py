"""rules/yolov5.rules against what YOLOv5's own code built (recorded by record_yolov5.py)."""

import gzip
import json
from functools import cache
from pathlib import Path

import pytest

import grouper
from grouper.model.class_bases import bases_of
from grouper.model.inventory import Inventory, Module, Parameter

SIZES = [*"nsmlx", "n6", "s6", "m6", "l6", "x6"]


@cache
def recording():
    path = Path(__file__).with_name("yolov5.json.gz")
    return json.loads(gzip.decompress(path.read_bytes()))


def inventory(size):
    recorded = recording()["models"][f"yolov5{size}"]["inventory"]
    parameters = tuple(
        Parameter((name,), tuple(shape), dtype, True, name)
        for name, shape, dtype in recorded["parameters"]
    )
    modules = {path: Module(path, cls, bases_of(cls)) for path, cls in recorded["modules"].items()}
    return Inventory(parameters, modules)


@pytest.mark.parametrize("size", SIZES)
def test_groups_are_smart_optimizers(size):
    report = grouper.check(inventory(size), "yolov5.rules")
    assert report.ok
    assert not report.findings
    native = recording()["models"][f"yolov5{size}"]["SGD"]
    names = [
        name for name, _, _ in recording()["models"][f"yolov5{size}"]["inventory"]["parameters"]
    ]
    ours = {group.name: group for group in report.grouping.groups}
    # smart_optimizer builds biases first, then decayed weights, then norms.
    for native_group, name in zip(native, ("bias", "weight", "norm"), strict=True):
        group = ours[name]
        assert {p.name for p in group.parameters} == {names[i] for i in native_group["parameters"]}
        assert [p.name for p in group.parameters] == sorted(
            (names[i] for i in native_group["parameters"]), key=names.index
        )
        assert dict(group.options) == native_group["options"]
    assert list(ours) == ["bias", "norm", "weight"]
    assert ours["bias"].plan == {"warmup_start": 0.1}


@pytest.mark.parametrize("size", SIZES)
def test_fine_tuning_rules_fit_every_yolov5(size):
    report = grouper.check(inventory(size), "yolo-finetune.rules")
    assert report.ok
    assert not report.findings
    head = 24 if not size.endswith("6") else 33
    for group in report.grouping.groups:
        inside = [p.name.startswith(f"model.{head}.") for p in group.parameters]
        assert all(inside) == any(inside) == ("head" in group.labels)


def test_the_shipped_checkpoint_is_a_yolov5s():
    from grouper.model.read import read

    shipped, recorded = read("examples/yolov5s.pt"), inventory("s")
    assert [(p.name, p.shape) for p in shipped.parameters] == [
        (p.name, p.shape) for p in recorded.parameters
    ]
    # The recording has each shared module once, an inventory under each of its paths.
    assert {path: shipped.modules[path].cls for path in recorded.modules} == {
        path: m.cls for path, m in recorded.modules.items()
    }
    report = grouper.check("examples/yolov5s.pt", "yolov5.rules")
    assert report.ok
    assert [len(g.parameters) for g in report.grouping.groups] == [60, 57, 60]


def test_the_package_has_the_repositorys_classes_under_its_own_name():
    assert bases_of("yolov5.models.yolo.Segment") == (
        "yolov5.models.yolo.Detect",
        "torch.nn.modules.module.Module",
    )
    assert bases_of("yolov5.models.yolo.Nothing") is None


def test_adamw_has_the_groups_of_smart_optimizer():
    native = recording()["models"]["yolov5s"]["AdamW"]
    report = grouper.check("examples/yolov5s.pt", grouper.load("yolov5-adamw.rules", base=0.01))
    assert report.ok
    ours = {group.name: group for group in report.grouping.groups}
    for native_group, name in zip(native, ("bias", "weight", "norm"), strict=True):
        options = {k: tuple(v) if k == "betas" else v for k, v in native_group["options"].items()}
        assert dict(ours[name].options) == options
        assert len(ours[name].parameters) == len(native_group["parameters"])
    sgd = grouper.check("examples/yolov5s.pt", "yolov5.rules").grouping
    assert [(g.name, g.parameters, g.plan) for g in ours.values()] == [
        (g.name, g.parameters, g.plan) for g in sgd.groups
    ]


def test_the_first_file_of_the_language():
    rules = grouper.parse(
        "model.24.* -> head lr=0.01; *.bias -> bias warmup_start=0.1", "first.rules"
    )
    report = grouper.check("examples/yolov5s.pt", rules)
    assert not report.ok
    groups = {g.name: g for g in report.grouping.groups}
    assert list(groups) == ["head", "head/bias", "bias"]
    both = groups["head/bias"]
    assert [p.name for p in both.parameters] == [f"model.24.m.{i}.bias" for i in range(3)]
    assert {**both.options, **both.plan} == {"lr": 0.01, "warmup_start": 0.1}
    unmatched = next(f for f in report.findings if f.code.id == "GR101")
    assert len(unmatched.parameters) == 114
    assert not any(name.endswith(".bias") for name in unmatched.parameters)
    double = next(f for f in report.findings if f.code.id == "GR104")
    assert double.parameters == tuple(f"model.24.m.{i}.bias" for i in range(3))
