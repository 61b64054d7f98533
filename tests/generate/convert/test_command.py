"""`grouper convert` as a user runs it."""

import json

import pytest
from support.commands import run

from grouper.generate.convert.systems import SYSTEMS

CONFIG = """
optim_wrapper = dict(
    type='AmpOptimWrapper',
    optimizer=dict(type='AdamW', lr=1e-4, weight_decay=0.05),
    paramwise_cfg=dict(
        custom_keys={
            'model.0': dict(lr_mult=0.1),
            'model.24': dict(lr_mult=2.0),
            'backbone': dict(lr_mult=0.1, decay_multi=0.),
        },
        norm_decay_mult=0.,
        bias_decay_mult=0.))
"""
KNOWN = ", ".join(SYSTEMS)
MODEL = "examples/yolov5s.pt"


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "config.py"
    path.write_text(CONFIG)
    return str(path)


def test_rules_go_to_standard_output_and_the_rest_does_not(config, capsys, golden):
    status, out, err = run(capsys, "convert", config, "--model", MODEL)
    assert status == 0
    golden("cli/convert.txt", out)
    assert err.startswith("note: not carried over, the training loop's: `optim_wrapper.type=Amp")


def test_the_file_is_canonical_and_checks(config, tmp_path, capsys):
    rules = str(tmp_path / "made.rules")
    status, out, _ = run(capsys, "convert", config, "--model", MODEL, "--out", rules)
    assert (status, out) == (0, f"wrote {rules}\n")
    assert run(capsys, "fmt", "--check", rules)[0] == 0
    status, out, _ = run(capsys, "check", MODEL, rules)
    assert status == 0
    assert "ok: " in out


def test_findings_of_the_model_go_to_standard_error(tmp_path, capsys):
    path = tmp_path / "list.json"
    path.write_text(json.dumps([{"pattern": "bias", "lr": 0.1}]))
    status, out, err = run(capsys, "convert", str(path), "--model", MODEL)
    assert status == 1
    assert "unmatched" in err
    assert "unmatched" not in out
    assert out.startswith("# Converted from list.json (json), for examples/yolov5s.pt.\n")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"a": 1}', f"no known system shows in its keys: name one with --from ({KNOWN})"),
        ('{"lr_mults": [], "SOLVER": {}}', "of several systems (big_vision, detectron2)"),
        ('{"SOLVER": {"BASE_LR": "much"}}', "`SOLVER.BASE_LR` is `much` and not a number"),
        ("[", "is not JSON"),
        ('{"optim_wrapper": {"generator": {}, "discriminator": {}}}', "has no `type`"),
        (
            '{"optimizer": {"type": "SGD", "paramwise_cfg": {"norm_decay_mult": 0}}}',
            "`optimizer.weight_decay` is missing",
        ),
    ],
)
def test_what_cannot_be_converted_is_one_line(text, expected, tmp_path, capsys):
    path = tmp_path / "x.json"
    path.write_text(text)
    status, out, err = run(capsys, "convert", str(path))
    assert (status, out) == (2, "")
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert expected in err


def test_a_file_that_is_not_there(capsys):
    status, out, err = run(capsys, "convert", "nowhere.yaml")
    assert (status, out, err) == (
        2,
        "",
        "error: `nowhere.yaml` cannot be read: No such file or directory\n",
    )


@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize(
    "text", ["{}", "[]", "null", "3", '{"optimizer": 3}', '{"param_groups": [3]}']
)
def test_a_system_that_is_named_for_another_file(system, text, tmp_path, capsys):
    """Every system says in one line what it misses, whatever the file holds."""
    path = tmp_path / "x.json"
    path.write_text(text)
    status, out, err = run(capsys, "convert", str(path), "--from", system)
    assert (status, out) == (2, "")
    assert err.startswith("error: ")
    assert err.count("\n") == 1


def test_names_of_strangers_cannot_move_the_cursor(tmp_path, capsys):
    path = tmp_path / "x.json"
    path.write_text(json.dumps([{"pattern": "a\u202e\x1b[2J", "lr": 0.1}, {"lr": 1}]))
    _, out, err = run(capsys, "convert", str(path))
    assert "\x1b" not in out + err
