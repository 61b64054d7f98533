"""The shipped rules against Ultralytics' own `BaseTrainer.build_optimizer`, model by model.

Compared are the class of the optimizer and, in order, its groups: the same tensors in the same
order, and all options, those of torch's defaults included. Two differences are Ultralytics' own:
it also hands over parameters that are frozen, which no step moves, and groups without parameters.
"""

import copy
from types import SimpleNamespace

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("ultralytics")

from support.ultralytics_models import ALL, built  # noqa: E402

import grouper  # noqa: E402

FILES = {
    "SGD": "ultralytics.rules",
    "AdamW": "ultralytics-adamw.rules",
    "MuSGD": "ultralytics-musgd.rules",
}
SPREAD = [
    "v3/yolov3-tiny.yaml",
    "v5/yolov5.yaml",
    "v8/yolov8.yaml",
    "v8/yolov8-pose.yaml",
    "v8/yolov8-worldv2.yaml",
    "v8/yoloe-v8-seg.yaml",
    "v9/yolov9t.yaml",
    "v10/yolov10n.yaml",
    "11/yolo11-seg.yaml",
    "12/yolo12-obb.yaml",
    "26/yolo26.yaml",
    "26/yolo26-seg.yaml",
    "26/yolo26-cls.yaml",
    "rt-detr/rtdetr-resnet50.yaml",
]
NUMBERS = {"lr0": 0.0123, "momentum": 0.91, "decay": 0.00041}


def theirs(model, name, data=None, args=None, iterations=1e5, lr=NUMBERS["lr0"]):
    from ultralytics.engine.trainer import BaseTrainer

    trainer = SimpleNamespace(data=data, args=args)
    return BaseTrainer.build_optimizer(
        trainer, model, name, lr, NUMBERS["momentum"], NUMBERS["decay"], iterations
    )


def options(group):
    return {k: v for k, v in group.items() if k not in ("params", "name", "param_names")}


def trained(group):
    return [tensor for tensor in group["params"] if tensor.requires_grad]


def check_groups(ours, native):
    assert type(ours) is type(native)
    expected = [group for group in native.param_groups if trained(group)]
    assert list(map(options, ours.param_groups)) == list(map(options, expected))
    for mine, other in zip(ours.param_groups, expected, strict=True):
        assert list(map(id, mine["params"])) == list(map(id, trained(other)))


def check_model(model, path):
    """For each optimizer: groups as theirs, no finding, and a checkpoint with the same report."""
    save_as_ultralytics_does(model, path)
    for name, file in FILES.items():
        rules = grouper.load(file, **NUMBERS)
        ours, native = grouper.build_optimizer(model, rules), theirs(model, name)
        check_groups(ours, native)
        if name == "MuSGD":
            assert (ours.muon, ours.sgd) == (native.muon, native.sgd)
        live, saved = grouper.check(model, rules), grouper.check(path, rules)
        assert live.findings == saved.findings == ()
        assert summary(live) == summary(saved)
        assert not any(".dfl" in p.name for g in live.grouping.groups for p in g.parameters)
    path.unlink()


def save_as_ultralytics_does(model, path):
    """As `BaseTrainer.save_model` does: half of the running average, all of it frozen."""
    from ultralytics.utils.torch_utils import ModelEMA

    average = ModelEMA(model).ema.half()
    torch.save({"epoch": 0, "model": None, "ema": average, "train_args": {}}, path)


def summary(report):
    frozen = {p.name for p in report.grouping.frozen}
    return frozen, [
        (g.name, g.options, g.plan, [p.name for p in g.parameters]) for g in report.grouping.groups
    ]


@pytest.mark.parametrize("config", SPREAD)
def test_groups_and_findings(config, tmp_path):
    check_model(built(config), tmp_path / "last.pt")


@pytest.mark.nightly
@pytest.mark.parametrize("config", ALL)
def test_groups_and_findings_of_every_model(config, tmp_path):
    check_model(built(config), tmp_path / "last.pt")


@pytest.fixture(scope="module")
def yolo():
    return built("26/yolo26-seg.yaml")


def test_both_kinds_of_boosted_branches_are_found(yolo):
    rules = grouper.load("ultralytics-musgd.rules")
    groups = grouper.check(yolo, rules).grouping.groups
    boosted = {p.name for g in groups if "boosted" in g.labels for p in g.parameters}
    branches = {name.split(".")[2] for name in boosted}
    assert branches == {"cv3", "one2one_cv3", "proto"}
    assert any(".cv3." in p.name for g in groups if "rest" in g.labels for p in g.parameters)


def test_layers_that_the_trainer_freezes_leave_the_groups(yolo):
    """`freeze=10` clears requires_grad and nothing else: native groups keep the parameters."""
    model = copy.deepcopy(yolo)
    for name, parameter in model.named_parameters():
        if name.startswith(tuple(f"model.{i}." for i in range(10))):
            parameter.requires_grad_(False)
    for name, file in FILES.items():
        ours = grouper.build_optimizer(model, grouper.load(file, **NUMBERS))
        check_groups(ours, theirs(model, name))


def test_adamw_is_fused_on_cuda(yolo):
    """Ultralytics asks the first parameter where it is; torch fuses the step on a CPU as well."""
    first = SimpleNamespace(is_cuda=True)
    claiming = SimpleNamespace(named_modules=yolo.named_modules, parameters=lambda: iter([first]))
    rules = grouper.load(FILES["AdamW"], **NUMBERS, fused=True)
    native = theirs(claiming, "AdamW")
    assert native.param_groups[0]["fused"] is True
    check_groups(grouper.build_optimizer(yolo, rules), native)


@pytest.mark.parametrize(("iterations", "name"), [(10_000, "AdamW"), (10_001, "MuSGD")])
def test_what_auto_takes(yolo, iterations, name):
    """`optimizer=auto` is the defaults of two of the files, for the 80 classes of COCO."""
    args = SimpleNamespace(lr0=0.5, warmup_bias_lr=0.5, optimizer="auto")
    native = theirs(yolo, "auto", {"nc": 80}, args, iterations)
    rules = grouper.load(FILES[name], decay=NUMBERS["decay"])
    assert args.optimizer == name
    assert args.lr0 == rules.variables["lr0"]
    assert args.warmup_bias_lr == rules.variables["warmup_bias_lr"]
    if name == "MuSGD":  # auto's 0.9 lasts until the first step: warm-up ends at the argument
        rules = grouper.load(FILES[name], decay=NUMBERS["decay"], momentum=0.9)
    check_groups(grouper.build_optimizer(yolo, rules), native)
