"""What is said of optimizers and their options, against the constructors of torch.optim."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from support.builders import small_yolo

import grouper
from grouper.api.check import check_rules
from grouper.options.misspelt import torch_options
from grouper.options.signatures import signature, torch_signatures
from grouper.options.torch_values import KINDS, as_torch_takes
from grouper.options.values import value_text

NAMES = sorted(torch_signatures())


def codes(report):
    return [finding.code.id for finding in report.findings]


def test_every_option_has_a_kind():
    assert set(KINDS) == set(torch_options())


def test_every_default_is_of_its_kind():
    for name in NAMES:
        assert not check_rules(grouper.parse(f"optimizer {name}")).findings


def test_the_table_is_that_of_the_installed_torch():
    pytest.importorskip("torch")
    import json

    from options.record_optimizers import recorded

    from grouper.options.signatures import TABLE

    assert json.loads(TABLE.read_text()) == json.loads(json.dumps(recorded()))


def test_names_with_a_module():
    assert signature("torch.optim.adamw:AdamW") is signature("torch.optim:AdamW")
    assert signature("my.own:AdamW") is signature("SDG") is None


NUMBERS = st.sampled_from([-1, -0.5, 0, 0.0, 1e-8, 0.5, 0.9, 1, 1.0, 1.5, 2, 30, 1000])
PAIRS = st.tuples(NUMBERS, NUMBERS) | st.tuples(st.none(), NUMBERS)
OTHERS = st.sampled_from([None, True, False, "word", "original", "strong_wolfe"])
VALUES = NUMBERS | PAIRS | OTHERS | st.tuples(NUMBERS) | st.tuples(NUMBERS, NUMBERS, NUMBERS)
# What a constructor takes without a look, so that the step would fail or count a word as a flag.
UNSEEN = [
    "adjust_lr_fn",
    "amsgrad",
    "capturable",
    "centered",
    "dampening",
    "decoupled_weight_decay",
    "differentiable",
    "foreach",
    "fused",
    "history_size",
    "lambd",
    "line_search_fn",
    "max_eval",
    "max_iter",
    "maximize",
    "nesterov",
    "ns_coefficients",
    "ns_steps",
    "step_sizes",
    "t0",
    "tolerance_change",
    "tolerance_grad",
    "ASGD.alpha",
    "Muon.eps",
]
PAIRED = "betas", "etas", "eps"


def built(name, options):
    """torch's own opinion: whether the constructor takes the options."""
    import torch

    try:
        getattr(torch.optim, name)([torch.nn.Parameter(torch.ones(1, 1))], **options)
    except (TypeError, ValueError, RuntimeError, IndexError):
        return False
    return True


def seen(name, key, value):
    """Whether a constructor looks at the whole of a value; `true` is 1 there, and no number."""
    items = value if isinstance(value, tuple) else (value,)
    shape = 2 if isinstance(value, tuple) and key in PAIRED else 1
    whole = len(items) == shape and not any(isinstance(item, bool) for item in items)
    return whole and key not in UNSEEN and f"{name}.{key}" not in UNSEEN


@st.composite
def statements(draw):
    name = draw(st.sampled_from(NAMES))
    own = st.sampled_from(sorted(signature(name).constructor))
    keys = draw(st.lists(own | st.sampled_from(torch_options()), max_size=3, unique=True))
    return name, {key: draw(VALUES) for key in keys}


@settings(max_examples=400)
@given(statements())
@example(("SGD", {"nesterov": True}))
@example(("SGD", {"nesterov": True, "momentum": 0.9, "dampening": 0.5}))
@example(("Adam", {"betas": (0, 0.5)}))
@example(("Adam", {"fused": True, "foreach": True}))
@example(("Adagrad", {"fused": True, "differentiable": True}))
@example(("SparseAdam", {"lr": 0}))
@example(("SparseAdam", {"eps": 0}))
@example(("Adafactor", {"eps": (None, 0.5)}))
@example(("Rprop", {"etas": (0.5, 1)}))
@example(("Muon", {"momentum": -1}))
@example(("Muon", {"nesterov": True, "momentum": 0}))
@example(("AdamW", {"decoupled_weight_decay": True}))
def test_what_torch_refuses_is_an_error_and_what_it_looks_at_is_not(statement):
    pytest.importorskip("torch")
    name, options = statement
    written = " ".join(f"{key}={value_text(value)}" for key, value in options.items())
    report = check_rules(grouper.parse(f"optimizer {name} {written}"))
    if not built(name, {key: as_torch_takes(key, value) for key, value in options.items()}):
        assert not report.ok
    elif all(seen(name, key, value) for key, value in options.items()):
        assert report.ok, report.findings


@settings(max_examples=150)
@given(statements())
def test_a_group_is_held_to_what_its_optimizer_asks(statement):
    name, options = statement
    known = {key: v for key, v in options.items() if key in (signature(name).group or ())}
    written = " ".join(f"{key}={value_text(value)}" for key, value in known.items())
    shape = "ndim == 2" if name == "Muon" else "*"
    text_of = f"optimizer {name} {{}}\n{shape} -> all {{}}\nallow GR101; allow GR105; allow GR112"
    in_statement = grouper.parse(text_of.format(written, ""))
    in_rule = grouper.parse(text_of.format("", written or "lr=1"))
    if in_statement.findings or in_rule.findings or "decoupled_weight_decay" in known:
        return
    from support.builders import inventory, parameter

    model = inventory(parameter("a.weight", (4, 3)))
    left, right = (grouper.check(model, rules) for rules in (in_statement, in_rule))
    faults = [sorted(f.message.removeprefix("`all`: ") for f in r.findings) for r in (left, right)]
    assert [m for m in faults[0] if "lr" not in m] == [m for m in faults[1] if "lr" not in m]


def test_rules_alone_say_what_can_be_said():
    text = """
    optimizer SGD momentum=0.9
    optimizer AdamW as other
    optimizer Muon as third lr=1
    tag param_group
    *.bias -> bias optimizer=other momentum=0.9
    else   -> rest betas=(0.9, 0.99) rho=1 param_group=x
    """
    report = check_rules(grouper.parse(text))
    assert codes(report) == ["GR203", "GR203", "GR205", "GR201", "GR201"]
    assert "`AdamW` has no option `momentum`" in report.findings[3].message
    assert "`rho`" in report.findings[4].message
    allowed = check_rules(grouper.parse(f"{text}\nallow GR201\nallow GR203\nallow GR205"))
    assert not allowed.findings


def test_without_an_optimizer_nothing_is_assumed():
    text = "* -> all betas=3 nesterov=true lr=-1 weigth_decay=0"
    assert codes(grouper.check(small_yolo(), grouper.parse(text))) == ["GR030"]
    own = f"optimizer my.own:Class\n{text}"
    assert codes(grouper.check(small_yolo(), grouper.parse(own))) == ["GR030"]


def test_classes_of_other_packages_are_asked_when_they_are_built(tmp_path, monkeypatch):
    torch = pytest.importorskip("torch")
    (tmp_path / "rates_of_my_own.py").write_text(
        "import torch\n"
        "class Rates(torch.optim.SGD):\n"
        "    def __init__(self, params, lr, sharpness=1.0):\n"
        "        super().__init__(params, lr)\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    model = torch.nn.Linear(2, 2)
    start = "optimizer rates_of_my_own:Rates"
    for rest, words in [
        ("lr=1 sharpnes=2\n* -> all", "did you mean `sharpness`?"),
        ("\n* -> all", "it cannot be built"),
        ("lr=1\n* -> all weigth_decay=1", "has no option `weigth_decay`, which `all` sets"),
    ]:
        rules = grouper.parse(f"{start} {rest}")
        assert grouper.check(model, rules).ok
        with pytest.raises(grouper.GroupingError, match=words):
            grouper.build_optimizer(model, rules)
    rules = grouper.parse(f"{start} lr=1 sharpness=2\n* -> all key_of_ones_own=1")
    assert type(grouper.build_optimizer(model, rules)).__name__ == "Rates"


def test_the_command_without_a_model(tmp_path, capsys):
    import json

    from grouper.cli.main import main

    file = tmp_path / "my.rules"
    file.write_text("optimizer SGD lr=0.1 beta=(0.9, 0.99)\n* -> all")
    assert main(["check", str(file), "--format", "json"]) == 1
    value = json.loads(capsys.readouterr().out)
    assert [finding["code"] for finding in value["findings"]] == ["GR201"]
    assert not value["ok"]
    file.write_text("optimizer SGD lr=0.1 momentum=0.9\n* -> all")
    assert main(["check", str(file)]) == 0
    assert capsys.readouterr().out == "the rules are sound\n"
