"""A run that ends before its groups have their lr is a warning of everything that makes a plan."""

import copy
import json
import pickle
import warnings

import pytest
from support import commands
from support.builders import inventory, parameter
from support.commands import written

import grouper

MODEL = inventory(
    parameter("head.weight", (4, 4)), parameter("head.bias", (4,)), parameter("body.weight", (4, 4))
)
HEAD = """optimizer SGD lr=0.01
head.weight -> head
head.bias   -> head warmup_start=0.1
else        -> body lr*=0.1
"""
SHORT = f"warmup epochs=3 min_steps=100\n{HEAD}"


def plan(text, steps=8, epochs=5):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", grouper.GroupingWarning)
        return grouper.plan(MODEL, grouper.parse(text), steps_per_epoch=steps, epochs=epochs)


def said(text, **length):
    return [finding.message for finding in plan(text, **length).findings]


def test_the_run_ends_inside_the_warmup():
    (message,) = said(SHORT)
    made = plan(SHORT)
    last = {name: values["lr"] for name, values in made.at(made.steps - 1).items()}
    assert message == (
        "training ends at step 39, inside a warm-up of 100 steps, so the lr of"
        f" `head` ends at {last['head']:.4g} instead of 0.01,"
        f" `head#2` ends at {last['head#2']:.4g} instead of 0.01,"
        f" `body` ends at {last['body']:.4g} instead of 0.001"
    )
    assert last["head#2"] > 0.06  # a bias that starts high does not come down


def test_the_last_step_decides():
    text = "warmup steps={}\n" + HEAD
    assert said(text.format(40)) != []
    assert said(text.format(39)) == []
    assert plan(text.format(39)).at(39)["head"]["lr"] == 0.01
    assert said(HEAD) == []
    assert said(f"warmup steps=100 start=0.01\n{'* -> all lr=0.01'}") == []  # it does nothing


def test_the_schedule_is_below_half_before_the_warmup_is_over():
    text = "warmup epochs=3\nschedule linear{}\n* -> all lr=0.01"
    (finding,) = plan(text.format("")).findings
    assert finding.message == (
        "the schedule is below half when the warm-up of 24 steps ends, at step 24, so the lr of"
        " `all` is 0.004 instead of 0.01"
    )
    assert "`after=warmup`" in finding.help
    assert max(plan(text.format("")).over(range(24, 40))["all"]["lr"]) == pytest.approx(0.004)
    assert said(text.format(" after=warmup")) == []
    assert said(text.format(""), epochs=6) == []


def test_a_window_is_a_run_of_its_own():
    text = "schedule linear\n* -> all lr=0.01 from_epoch=4 warmup_epochs={}"
    assert said(text.format("0.5")) == []  # the schedule is low then, and meant so
    (message,) = said(text.format("1"))
    assert "inside a warm-up of 8 steps" in message
    (message,) = said("* -> all lr=0.01 until_epoch=2 warmup_steps=20")
    assert message.startswith("training ends at step 15, inside a warm-up of 20 steps")


@pytest.mark.parametrize(
    ("text", "place"),
    [(SHORT, "warmup epochs"), ("* -> all lr=1 warmup_share=1", "warmup_share=1")],
)
def test_it_stands_where_the_length_is_written(text, place):
    (finding,) = plan(text).findings
    assert finding.span.text.startswith(place)
    assert finding.code.id == "GR211"


def test_groups_that_fail_alike_are_one_finding_and_many_are_counted():
    many = inventory(*(parameter(f"l.{i}.w", (2,)) for i in range(9)))
    rules = grouper.parse("warmup steps=9\nl.{i}.w -> l{i} lr=0.1/(i+1)")
    with pytest.warns(grouper.GroupingWarning) as caught:
        grouper.plan(many, rules, steps_per_epoch=5, epochs=1)
    (warning,) = caught
    assert "`l5` ends at" in str(warning.message)
    assert "`l6`" not in str(warning.message)
    assert "and 3 more groups" in str(warning.message)


def test_the_file_may_accept_it():
    assert said(f"allow GR211\n{SHORT}") == []
    (message,) = said(f"allow unreached-lr head.*\n{SHORT}")
    assert "`body`" in message
    assert not grouper.check(MODEL, grouper.parse(f"allow GR211\n{SHORT}")).findings


def test_callers_are_warned_once_with_code_and_place():
    rules = grouper.parse(SHORT, "my.rules")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        for _ in range(3):
            made = grouper.plan(MODEL, rules, steps_per_epoch=8, epochs=5)
    (warning,) = caught
    assert warning.category is grouper.GroupingWarning
    assert (warning.filename, warning.lineno) == ("my.rules", 1)
    assert str(warning.message).startswith("GR211 unreached-lr: training ends at step 39")
    assert "(my.rules:1:1); shorten the warm-up" in str(warning.message)
    for again in (pickle.loads(pickle.dumps(made)), copy.deepcopy(made)):
        assert again == made
        assert again.findings == made.findings


def test_a_warning_can_be_an_error_before_anything_is_bound():
    torch = pytest.importorskip("torch")
    model = torch.nn.Linear(2, 2)
    text = "optimizer SGD lr=0.1; optimizer Adam as other lr=0.1\nweight -> w; bias -> freeze"
    for build in (grouper.param_groups, grouper.build_optimizer):
        with warnings.catch_warnings():
            warnings.simplefilter("error", grouper.GroupingWarning)
            with pytest.raises(grouper.GroupingWarning, match=r"^GR205 unused-optimizer: "):
                build(model, grouper.parse(text))
        assert model.bias.requires_grad


def test_the_scheduler_warns_too():
    torch = pytest.importorskip("torch")
    model = torch.nn.Linear(2, 2)
    rules = grouper.parse("optimizer SGD lr=0.1; warmup steps=9; * -> all")
    with pytest.warns(grouper.GroupingWarning, match="GR211"):
        made = grouper.plan(model, rules, steps_per_epoch=2, epochs=2)
    with pytest.warns(grouper.GroupingWarning, match="ends at 0.03333 instead of 0.1"):
        made.scheduler(grouper.build_optimizer(model, rules))


RUN = ["--epochs", "5", "--steps-per-epoch", "8"]


@pytest.mark.parametrize(
    ("command", "output"),
    [("plan", []), ("plan", ["-q"]), ("plan", ["--csv"]), ("emit", []), ("emit", ["--as=python"])],
)
def test_commands_say_it(command, output, tmp_path, capsys):
    model, rules = str(tmp_path / "model.json"), written(tmp_path, SHORT)
    values = [
        {"names": [p.name], "shape": list(p.shape), "dtype": "float32", "trainable": True,
         "stored": p.name, "inferred": False}
        for p in MODEL.parameters
    ]  # fmt: skip
    snapshot = {
        "version": 1, "kind": "state dict", "key": None, "order": "module", "buffers": [],
        "remarks": [], "modules": None, "parameters": values,
    }  # fmt: skip
    (tmp_path / "model.json").write_text(json.dumps(snapshot))
    status, out, err = commands.run(capsys, command, model, rules, *RUN, *output)
    text = out if command == "plan" and output in ([], ["-q"]) else err
    assert status == 0
    assert "warning[GR211] unreached-lr: training ends at step 39" in text
    status, out, err = commands.run(capsys, command, model, rules, *RUN, *output, "--strict")
    assert status == 1
    assert "error[GR211]" in out + err
    status, out, err = commands.run(capsys, command, model, rules, *RUN, *output, "--ignore=GR211")
    assert (status, err) == (0, "")
    assert "GR211" not in out
