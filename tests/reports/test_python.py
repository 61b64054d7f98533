"""Emitted code on live models: the groups, optimizers and rates that grouper itself gives."""

import copy
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from hypothesis import given, settings  # noqa: E402
from support.plans import plans  # noqa: E402
from torch import nn  # noqa: E402

import grouper  # noqa: E402
from grouper.cli.main import main  # noqa: E402
from grouper.reports.python.module import python_code  # noqa: E402
from grouper.reports.python.plan import plan_code  # noqa: E402
from grouper.train.scheduler import write  # noqa: E402

ROOT = Path(__file__).parents[2]
FOR_YOLO = ("yolo", "ultralytics")
RULES = sorted(
    path.stem for path in (ROOT / "rules").glob("*.rules") if path.stem.startswith(FOR_YOLO)
)
TEXT = """
optimizer SGD lr=0.1 momentum=0.9
warmup steps=5 start=0 momentum=0.5
schedule cosine final=0.1 every=step
0.* -> stem freeze
split kind {
    *.bias -> bias warmup_start=0.2
    else   -> weight weight_decay=0.01
}
"""


def model():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 4), nn.LayerNorm(4), nn.Linear(4, 2))


def emitted(made, text, plan=None):
    rules = grouper.parse(text) if isinstance(text, str) else text
    report = grouper.check(made, rules)
    assert report.ok, [finding.message for finding in report.findings]
    space = {"__name__": "emitted"}
    exec(python_code(report, plan), space)
    return SimpleNamespace(**space)


def same(ours, theirs):
    """The same groups: order, tensors, names and options."""
    assert len(ours) == len(theirs)
    for one, other in zip(ours, theirs, strict=True):
        left, right = dict(one), dict(other)
        pairs = zip(left.pop("params"), right.pop("params"), strict=True)
        for (name, tensor), (other_name, other_tensor) in pairs:
            assert name == other_name
            assert tensor is other_tensor
        assert left == right


def same_optimizer(ours, theirs):
    assert type(ours) is type(theirs)
    assert ours.defaults == theirs.defaults
    assert len(ours.param_groups) == len(theirs.param_groups)
    for one, other in zip(ours.param_groups, theirs.param_groups, strict=True):
        left, right = dict(one), dict(other)
        pairs = zip(left.pop("params"), right.pop("params"), strict=True)
        assert all(tensor is other_tensor for tensor, other_tensor in pairs)
        assert left == right


def test_groups_freezing_and_optimizer():
    made = model()
    code = emitted(made, TEXT)
    groups = code.param_groups(made)
    assert [n for n, p in made.named_parameters() if not p.requires_grad] == ["0.weight", "0.bias"]
    assert code.freeze(made) == []
    made.requires_grad_(True)
    assert code.freeze(made) == [made[0].weight, made[0].bias]
    made.requires_grad_(True)
    same(groups, grouper.param_groups(made, grouper.parse(TEXT)))
    same_optimizer(code.build_optimizer(made), grouper.build_optimizer(made, grouper.parse(TEXT)))


WRAPPED = {
    "DataParallel": nn.DataParallel,
    "compiled": lambda made: torch.compile(made, backend="eager"),
    "averaged": torch.optim.swa_utils.AveragedModel,
    "both": lambda made: nn.DataParallel(torch.compile(made, backend="eager")),
    "inside": lambda made: nn.Sequential(torch.compile(made[0], backend="eager"), *made[1:]),
}


@pytest.mark.parametrize("name", WRAPPED)
@pytest.mark.parametrize("first", ["bare", "wrapped"])
def test_wrappers_are_not_seen(name, first):
    bare = model()
    wrapped = WRAPPED[name](bare)
    code = emitted(bare if first == "bare" else wrapped, TEXT)
    for made in (bare, wrapped):
        made.requires_grad_(True)
        ours = code.param_groups(made)
        made.requires_grad_(True)
        same(ours, grouper.param_groups(made, grouper.parse(TEXT)))


@pytest.mark.parametrize("kind", ["state dict", "pickled model", "data parallel", "safetensors"])
def test_from_a_file_to_the_live_model(kind, tmp_path, capsys):
    """The file is at hand where the code is written, and the model where it runs."""
    from safetensors.torch import save_file

    made, file = model(), tmp_path / f"model.{'safetensors' if kind == 'safetensors' else 'pt'}"
    if kind == "safetensors":
        save_file(made.state_dict(), file)
    elif kind == "data parallel":
        torch.save(nn.DataParallel(made).state_dict(), file)
    else:
        torch.save(made if kind == "pickled model" else made.state_dict(), file)
    rules, out = tmp_path / "mine.rules", tmp_path / "groups.py"
    rules.write_text(TEXT)
    assert main(["emit", str(file), str(rules), "--as", "python", "--out", str(out)]) == 0
    space = {}
    exec(out.read_text("utf-8"), space)
    ours = space["param_groups"](made)
    made.requires_grad_(True)
    same(ours, grouper.param_groups(made, grouper.parse(TEXT)))


class Tied(nn.Module):
    def __init__(self, tie=True):
        super().__init__()
        self.embed = nn.Embedding(5, 3)
        self.body = nn.Linear(3, 3)
        self.head = nn.Linear(3, 5, bias=False)
        if tie:
            self.head.weight = self.embed.weight


TIED = "optimizer AdamW lr=0.1\nembed.* or head.* -> words\nbody.* -> body lr=0.2"


def test_shared_parameters_are_in_one_group_once():
    made = Tied()
    code = emitted(made, TIED)
    assert code.TIED == {"head.weight": "embed.weight"}
    same(code.param_groups(made), grouper.param_groups(made, grouper.parse(TIED)))


def test_parameters_that_are_shared_in_one_of_both_are_refused():
    with pytest.raises(ValueError, match=r"`head.weight` and `embed.weight` are two parameters"):
        emitted(Tied(), TIED).param_groups(Tied(tie=False))
    code = emitted(Tied(tie=False), TIED)
    with pytest.raises(
        ValueError, match=r"`embed.weight`, `head.weight` are one parameter, expected several"
    ):
        code.param_groups(Tied())


def test_a_file_that_named_a_shared_parameter_once_fits():
    """As safetensors files have it: the second name is not in them."""
    from grouper.model.live import inventory_of

    whole = inventory_of(Tied())
    once = [replace(parameter, names=parameter.names[:1]) for parameter in whole.parameters]
    report = grouper.check(type(whole)(tuple(once), whole.modules), grouper.parse(TIED))
    space = {}
    exec(python_code(report), space)
    made = Tied()
    same(space["param_groups"](made), grouper.param_groups(made, grouper.parse(TIED)))


def other(change):
    made = model()
    change(made)
    return made


OTHERS = {
    "more": (lambda m: m.append(nn.Linear(2, 2)), r"`3.weight` is unknown"),
    "fewer": (lambda m: m.pop(2), r"`2.bias` is missing; `2.weight` is missing"),
    "renamed": (lambda m: m.add_module("head", m.pop(2)), "`2.bias` is missing.*`head."),
    "deeper": (lambda m: m.extend(nn.Linear(2, 2) for _ in range(9)), "and 13 more"),
}


@pytest.mark.parametrize("name", OTHERS)
def test_another_model_is_refused_and_left_alone(name):
    change, words = OTHERS[name]
    code = emitted(model(), TEXT)
    made = other(change)
    for function in (code.param_groups, code.build_optimizer, code.freeze):
        with pytest.raises(ValueError, match=words) as caught:
            function(made)
        assert str(caught.value).startswith("this file is for another model: ")
        assert all(p.requires_grad for p in made.parameters())


def test_shapes_count_where_the_rules_asked_for_them():
    larger = nn.Sequential(nn.Linear(3, 4), nn.LayerNorm(4), nn.Linear(4, 7))
    by_name = emitted(model(), TEXT)
    assert len(by_name.param_groups(larger)) == 2
    by_dimensions = emitted(model(), "optimizer SGD lr=1\nndim == 2 -> a\nelse -> b")
    assert len(by_dimensions.param_groups(larger)) == 2
    larger[0].weight = nn.Parameter(torch.zeros(3))
    with pytest.raises(ValueError, match=r"`0.weight` has 1 dimensions, expected 2"):
        by_dimensions.param_groups(larger)
    by_shape = emitted(model(), "optimizer SGD\nndim == 2 -> a lr=1/fan_in\nelse -> b lr=1")
    with pytest.raises(ValueError, match=r"`2.weight` has shape \(7, 4\), expected \(2, 4\)"):
        by_shape.param_groups(larger)


def test_what_the_model_had_frozen_must_be_so():
    made = model()
    made[0].requires_grad_(False)
    text = "optimizer SGD lr=0.1\n1.* or 2.* -> all"
    code = emitted(made, text)
    same(code.param_groups(made), grouper.param_groups(made, grouper.parse(text)))
    assert code.FROZEN == []
    with pytest.raises(ValueError, match=r"`0.weight` is trainable, expected frozen"):
        code.param_groups(model())


def test_what_the_rules_accept_as_unmatched_is_left_alone():
    text = "optimizer SGD lr=0.1\nallow GR101 0.*\n1.* or 2.* -> all"
    made = model()
    code = emitted(made, text)
    same(code.param_groups(made), grouper.param_groups(made, grouper.parse(text)))
    assert all(p.requires_grad for p in made.parameters())


def test_several_optimizers_are_a_dictionary():
    text = (
        "optimizer SGD as rest lr=0.1 momentum=0.9\n"
        "optimizer torch.optim.adamw:AdamW as matrices lr=0.01\n"
        "schedule linear every=step\n"
        "ndim == 2 -> matrix optimizer=matrices\n*.bias -> bias\n1.weight -> norm lr=0.2"
    )
    made = model()
    plan = grouper.plan(made, grouper.parse(text), steps_per_epoch=2, epochs=3)
    code = emitted(made, text, plan)
    ours, theirs = code.build_optimizer(made), grouper.build_optimizer(made, grouper.parse(text))
    assert list(ours) == list(theirs.members) == ["rest", "matrices"]
    for name, optimizer in ours.items():
        same_optimizer(optimizer, theirs.members[name])
    for step in range(plan.steps):
        plan.apply(theirs, step)
        for name, optimizer in ours.items():
            code.set_rates(optimizer, step)
            same_optimizer(optimizer, theirs.members[name])


def test_without_an_optimizer_there_are_groups_all_the_same():
    made = model()
    code = emitted(made, "* -> all lr=1")
    assert not hasattr(code, "build_optimizer")
    same(code.param_groups(made), grouper.param_groups(made, grouper.parse("* -> all lr=1")))


@pytest.mark.parametrize("window", ["", " from_step=6 until_step=14"])
@pytest.mark.parametrize("optimizer", ["SGD lr=0.1 momentum=0.9", "AdamW lr=0.1 betas=(0.9, 0.99)"])
def test_training_is_bit_for_bit_that_of_the_plans_scheduler(optimizer, window):
    text = TEXT.replace("SGD lr=0.1 momentum=0.9", optimizer)
    text = text.replace("weight_decay=0.01", f"weight_decay=0.01{window}")
    ours, theirs = model(), model()
    plan = grouper.plan(theirs, grouper.parse(text), steps_per_epoch=4, epochs=5)
    code = emitted(ours, text, plan)
    one, other = code.build_optimizer(ours), grouper.build_optimizer(theirs, grouper.parse(text))
    scheduler = plan.scheduler(other)
    torch.manual_seed(1)
    for step in range(code.EPOCHS * code.STEPS_PER_EPOCH):
        batch = torch.randn(5, 3)
        code.set_rates(one, step)
        for made, optimizer in ((ours, one), (theirs, other)):
            optimizer.zero_grad()
            made(batch).square().mean().backward()
            optimizer.step()
        scheduler.step()
    assert all(
        torch.equal(a, b) for a, b in zip(ours.parameters(), theirs.parameters(), strict=True)
    )


@settings(max_examples=25)
@given(plans())
def test_rates_are_written_as_grouper_writes_them(plan):
    space = {"torch": torch, "Any": Any}
    code = plan_code(plan)
    exec("\n\n".join([*code.imports, code.constants, *code.functions]), space)
    named = [
        {"params": [nn.Parameter(torch.zeros(1))], "name": course.name, "lr": 0.1}
        for course in plan.groups
    ]
    for cls in (torch.optim.SGD, torch.optim.Adam):
        ours, theirs = cls(copy.deepcopy(named)), cls(copy.deepcopy(named))
        ours.param_groups[0]["lr"] = torch.tensor(0.1)
        theirs.param_groups[0]["lr"] = torch.tensor(0.1)
        for step in (0, 1, plan.steps // 2, plan.steps - 1):
            space["set_rates"](ours, step)
            write(plan, plan.groups, theirs.param_groups, step)
            for left, right in zip(ours.param_groups, theirs.param_groups, strict=True):
                assert [left.get(k) for k in KEYS] == [right.get(k) for k in KEYS]
            assert isinstance(ours.param_groups[0]["lr"], torch.Tensor)


KEYS = "lr", "momentum", "betas", "weight_decay"


SCRIPT = """
import importlib.util, json, sys
sys.modules["grouper"] = None
try:
    import grouper
except ImportError:
    pass
else:
    raise SystemExit("grouper can be imported, so this proves nothing")
from ultralytics.nn.tasks import DetectionModel

model = DetectionModel("yolo11n.yaml", verbose=False)
answers = {}
for name in sys.argv[1:]:
    spec = importlib.util.spec_from_file_location("emitted", f"{name}.emitted.py")
    code = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(code)
    model.requires_grad_(True)
    groups = code.param_groups(model)
    named = dict(model.named_parameters())
    assert all(named[n] is p for group in groups for n, p in group["params"])
    frozen = [n for n, p in named.items() if not p.requires_grad]
    built = code.build_optimizer(model)
    members = built if isinstance(built, dict) else {"": built}
    steps = [0, 1, 2, 5, 9, 10, 11, 50, 99, code.EPOCHS * code.STEPS_PER_EPOCH - 1]
    answers[name] = {
        "groups": [[g["name"], [n for n, _ in g["params"]],
                    {k: v for k, v in g.items() if k not in ("name", "params")}] for g in groups],
        "frozen": frozen,
        "optimizers": {
            key: [type(o).__name__, o.defaults, [
                {k: v for k, v in g.items() if k not in ("params",)} for g in o.param_groups]]
            for key, o in members.items()
        },
        "plan": [code.plan(step) for step in steps],
    }
    assert not any(module == "grouper" or module.startswith("grouper.") for module in sys.modules
                   if sys.modules[module] is not None)
print("ANSWERS" + json.dumps(answers))
"""


@pytest.mark.slow
def test_every_shipped_rules_file_in_a_process_without_grouper(tmp_path):
    pytest.importorskip("ultralytics")
    from ultralytics.nn.tasks import DetectionModel

    made = DetectionModel("yolo11n.yaml", verbose=False)
    expected = {}
    for name in RULES:
        made.requires_grad_(True)
        rules = grouper.load(name)
        report = grouper.check(made, rules)
        plan = grouper.plan(made, rules, steps_per_epoch=10, epochs=12)
        (tmp_path / f"{name}.emitted.py").write_text(python_code(report, plan), "utf-8")
        expected[name] = answer(made, rules, plan)
    (tmp_path / "script.py").write_text(SCRIPT)
    done = subprocess.run(
        [sys.executable, "script.py", *RULES], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-3000:]
    answers = json.loads(done.stdout.rpartition("ANSWERS")[2])
    assert list(answers) == RULES
    for name in RULES:
        assert answers[name] == json.loads(json.dumps(expected[name])), name


OTHER_MODELS = ["yolov5n", "yolov8n-seg", "yolov8n-pose", "yolov10n", "yolo12n", "yolo26n"]


@pytest.mark.nightly
@pytest.mark.parametrize("config", OTHER_MODELS)
def test_every_shipped_rules_file_on_other_models(config):
    pytest.importorskip("ultralytics")
    from ultralytics import YOLO

    made = YOLO(f"{config}.yaml", verbose=False).model
    for name in RULES:
        rules = grouper.load(name)
        plan = grouper.plan(made, rules, steps_per_epoch=30, epochs=9)
        code = emitted(made, rules, plan)
        ours = code.param_groups(made)
        frozen = [n for n, p in made.named_parameters() if not p.requires_grad]
        made.requires_grad_(True)
        same(ours, grouper.param_groups(made, rules))
        assert frozen == [n for n, p in made.named_parameters() if not p.requires_grad]
        made.requires_grad_(True)
        same_optimizer(code.build_optimizer(made), grouper.build_optimizer(made, rules))
        made.requires_grad_(True)
        assert all(code.plan(step) == plan.at(step) for step in range(plan.steps))


def answer(made, rules, plan):
    groups = grouper.param_groups(made, rules)
    named = dict(made.named_parameters())
    assert all(named[n] is p for group in groups for n, p in group["params"])
    built = grouper.build_optimizer(made, rules)
    members = getattr(built, "members", {"": built})
    steps = [0, 1, 2, 5, 9, 10, 11, 50, 99, plan.steps - 1]
    return {
        "groups": [
            [g["name"], [n for n, _ in g["params"]], without(g, "name", "params")] for g in groups
        ],
        "frozen": [n for n, p in named.items() if not p.requires_grad],
        "optimizers": {
            key: [type(o).__name__, o.defaults, [without(g, "params") for g in o.param_groups]]
            for key, o in members.items()
        },
        "plan": [plan.at(step) for step in steps],
    }


def without(group, *keys):
    return {key: value for key, value in group.items() if key not in keys}
