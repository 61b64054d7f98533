"""rules/yolo-finetune.rules on Ultralytics' own models: the head is found by its class."""

import pytest

pytest.importorskip("torch")
ultralytics = pytest.importorskip("ultralytics")

from pathlib import Path  # noqa: E402

from torchvision_mended import define_operators  # noqa: E402

import grouper  # noqa: E402

CONFIGS = Path(ultralytics.__file__).parent / "cfg" / "models"
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
]


def model(config):
    from ultralytics import YOLO

    path = CONFIGS / config
    scaled = "tiny" not in path.stem and path.stem.partition("-")[0][-1].isdigit()
    head, dash, tail = path.stem.partition("-")
    name = f"{head}n{dash}{tail}.yaml" if scaled else path.name
    return YOLO(str(path.with_name(name)), verbose=False).model


def check_heads(made):
    report = grouper.check(made, "yolo-finetune.rules")
    assert report.ok, [finding.message for finding in report.findings]
    assert {f.code.id for f in report.findings} <= {"GR108"}
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
    check_heads(model(config))


@pytest.mark.nightly
@pytest.mark.parametrize(
    "config", sorted(str(p.relative_to(CONFIGS)) for p in CONFIGS.glob("*/yolo*.yaml"))
)
def test_the_head_is_the_last_module_of_every_model(config):
    define_operators()
    try:
        made = model(config)
    except (KeyError, NotImplementedError, OSError) as error:
        pytest.skip(f"Ultralytics does not build it under its own name: {error}")
    if not any("Detect" in cls.__name__ for cls in type(made.model[-1]).__mro__):
        pytest.skip("no detection head: the rules are for detectors")
    check_heads(made)
