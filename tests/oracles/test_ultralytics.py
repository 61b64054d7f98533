"""rules/yolo-finetune.rules on Ultralytics' own models: the head is found by its class."""

import re

import pytest

pytest.importorskip("torch")
pytest.importorskip("ultralytics")

from support.ultralytics_models import ALL, built

import grouper

SPREAD = [
    "v3/yolov3-tiny.yaml",
    "v5/yolov5.yaml",
    "v6/yolov6.yaml",
    "v8/yolov8.yaml",
    "v8/yolov8-seg.yaml",
    "v8/yolov8-pose.yaml",
    "v8/yolov8-obb.yaml",
    "v9/yolov9t.yaml",
    "v10/yolov10n.yaml",
    "11/yolo11.yaml",
    "12/yolo12.yaml",
    "26/yolo26.yaml",
    "26/yolo26-seg.yaml",
    "26/yolo26-sem.yaml",
    "26/yolo26-depth.yaml",
]


def check_heads(made, report):
    assert not report.findings, [finding.message for finding in report.findings]
    last = f"model.{len(made.model) - 1}."
    trained = {n for n, p in made.named_parameters() if p.requires_grad}
    grouped = {p.name: g.labels for g in report.grouping.groups for p in g.parameters}
    assert set(grouped) == trained
    for name, labels in grouped.items():
        assert labels[0] == ("head" if name.startswith(last) else "body")
        assert labels[1] == "bias" if name.endswith(".bias") else labels[1] in ("norm", "weight")
    decayed = {
        p for g in report.grouping.groups if "weight_decay" in g.options for p in g.parameters
    }
    assert all(p.ndim != 1 or not p.name.endswith("bn.weight") for p in decayed)


@pytest.mark.parametrize("config", SPREAD)
def test_the_head_is_the_last_module(config):
    made = built(config)
    check_heads(made, grouper.check(made, "yolo-finetune.rules"))


@pytest.mark.nightly
@pytest.mark.parametrize("config", ALL)
def test_the_head_is_the_last_module_of_every_detector(config):
    made = built(config)
    report = grouper.check(made, "yolo-finetune.rules")
    if any(
        re.search("Detect|Classify|Depth|SemanticSegment", cls.__name__)
        for cls in type(made.model[-1]).__mro__
    ):
        check_heads(made, report)
    else:
        head = "in @{Detect,Classify,Depth,*Segment}"
        assert [f.message for f in report.findings if f.code.id == "GR105"] == [
            f"`{head}` matches no parameter",
            f"`{head} and *.bias` matches no parameter",
        ]
