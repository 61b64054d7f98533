"""Configurations are read as data: what is asked is found, and nothing is ever run."""

import sys

import pytest

pytest.importorskip("torch")
pytest.importorskip("yaml")

from generate.convert.oracles.compare import converted

from grouper.generate.convert.convert import convert_file
from grouper.generate.convert.errors import ConvertError
from grouper.generate.convert.patterns import containing, regex, shell
from grouper.generate.convert.read_config import read_config
from grouper.generate.convert.section import TARGET, Opaque
from grouper.language.syntax.unparse import selector_text


def read(folder, text, name="config.py"):
    (folder / name).write_text(text)
    return read_config(str(folder / name))[0]


def test_python_is_read_and_not_run(tmp_path):
    data = read(
        tmp_path,
        """
import os
from torch.optim import AdamW
open('touched', 'w')
raise SystemExit(1)
base = 4e-4
kinds = ['a'] + ['b']
here = os.getcwd()
opt = dict(type=AdamW, lr=base * 8 / 16, betas=(0.9, 0.999), extra={**dict(x=1), 'y': -2})
opt['eps'] = 1e-6
first, second = (1, 2)
if base:
    chosen = 3
""",
    )
    assert not (tmp_path / "touched").exists()
    extra = {"x": 1, "y": -2}
    assert data["opt"] == {
        "type": "torch.optim.AdamW", "lr": 2e-4, "betas": (0.9, 0.999), "extra": extra, "eps": 1e-6,
    }  # fmt: skip
    assert data["kinds"] == ["a", "b"]
    assert (data["first"], data["second"]) == (1, 2)
    assert data["here"] == Opaque("os.getcwd()", 9 - 1)
    assert isinstance(data["chosen"], Opaque)  # which branch is taken is not known


def test_calls_of_classes_are_mappings(tmp_path):
    data = read(
        tmp_path,
        "from detectron2.config import LazyCall as L\nimport torch\n"
        "optimizer = L(torch.optim.SGD)(lr=0.1, params=L(f)(weight_decay_norm=0.0))\n",
    )
    inner = {TARGET: "f", "weight_decay_norm": 0.0}
    assert data["optimizer"] == {TARGET: "torch.optim.SGD", "lr": 0.1, "params": inner}


@pytest.mark.parametrize(
    "text", ["x = 2 ** 10 ** 10", "x = 'a' * 10 ** 10", "x = 1 << 99", "x = f(1)", "x = [0] * 9"]
)
def test_arithmetic_stays_small(text, tmp_path):
    assert isinstance(read(tmp_path, text)["x"], Opaque)


def test_what_is_not_a_literal_is_an_error_only_where_it_counts(tmp_path):
    good = (
        "import os\nseed = os.urandom(3)\noptim_wrapper = dict(optimizer=dict(type='SGD', lr=0.1))"
    )
    (tmp_path / "good.py").write_text(good)
    converted(tmp_path / "good.py")
    (tmp_path / "bad.py").write_text(good.replace("lr=0.1", "lr=compute()"))
    with pytest.raises(
        ConvertError, match=r"`optim_wrapper.optimizer.lr` is `compute\(\)` \(line 3"
    ):
        converted(tmp_path / "bad.py")


def test_bases_beside_the_file_are_followed_and_others_are_said(tmp_path):
    (tmp_path / "base.py").write_text(
        "optim_wrapper = dict(optimizer=dict(type='SGD', lr=0.1), clip_grad=dict(m=1))\n"
        "_base_ = ['base2.py']\n"
    )
    (tmp_path / "base2.py").write_text(
        "optim_wrapper = dict(paramwise_cfg=dict(norm_decay_mult=0.5))"
    )
    (tmp_path / "config.py").write_text(
        "_base_ = ['base.py', '../_base_/far.py']\n"
        "optim_wrapper = dict(\n"
        "    optimizer=dict(_delete_=True, type='AdamW', lr=1e-3, weight_decay=0.1))\n"
    )
    conversion = converted(tmp_path / "config.py")
    assert "optimizer AdamW lr=0.001 weight_decay=0.1\n" in conversion.text
    assert "norm weight_decay*=0.5" in " ".join(conversion.text.split())
    assert any("far.py" in text and "is not read" in text for text in conversion.lost)
    (tmp_path / "base2.py").write_text("_base_ = 'config.py'")
    with pytest.raises(ConvertError, match="inherits from itself"):
        converted(tmp_path / "config.py")


def test_yaml_has_numbers_and_interpolations(tmp_path):
    text = """
scratch: {lr: 1e-4, epochs: 4}
a: ${scratch.lr}
b: ${times:${scratch.epochs},2}
c: "at ${scratch.epochs} of ${unknown.thing}"
d: ${divide:1,0}
e: [1e-5, 1.0e-5, 5, .5]
f: !ENV {x: 1}
g: ${g}
"""
    data = read(tmp_path, text, "config.yaml")
    assert (data["a"], data["b"], data["e"]) == (1e-4, 8, [1e-5, 1e-5, 5, 0.5])
    assert data["d"] == "${divide:1,0}"
    assert data["c"] == "at 4 of ${unknown.thing}"
    assert data["f"] == {"x": 1}
    assert isinstance(data["g"], str)  # a circle ends


def test_yaml_without_pyyaml_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "yaml", None)
    with pytest.raises(ConvertError, match="needs PyYAML: `pip install pyyaml`"):
        read(tmp_path, "a: 1", "config.yaml")


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("config.yaml", "a: [1", "is not YAML: line"),
        ("config.yaml", "a: &a [*a]\nb: !!python/object:os.system {}", "unfolds to more than"),
        ("config.py", "a = [0]\n" + "a = [a, a]\n" * 30, "unfolds to more than"),
        ("config.json", '{"a": }', "is not JSON: line 1, column 7"),
        ("config.jsonnet", "local x = 1; {}", "jsonnet is code"),
        ("config.toml", "a = ", "is not TOML"),
        ("config.py", "a = (", "is not Python: line 1"),
        ("config.ini", "[a]", "ends in none of"),
        ("config.json", "[" * 100_000, "."),
        ("config.py", "x = " + "(" * 5000, "is not Python"),
        ("config.py", "x = " + "-" * 100_000 + "1", "."),
    ],
)
def test_what_cannot_be_read_is_one_sentence(name, text, message, tmp_path):
    (tmp_path / name).write_text(text)
    with pytest.raises(ConvertError, match=message) as caught:
        converted(tmp_path / name)
    assert "\n" not in str(caught.value)


def test_patterns_become_globs_where_they_can():
    def text(pattern):
        return selector_text(pattern.selector)

    assert text(containing("layer1.0")) == "*layer1.0*"
    assert text(containing("a[0]")) == r"/a\[0\]/"
    assert text(regex(r".*\.bias$", "search", "")) == "*.bias"
    assert text(regex("decoder.*", "match", "")) == "decoder*"
    assert text(regex("a|b", "fullmatch", "")) == "/^(?:a|b)$/"
    assert text(regex("(?i)Norm", "match", "")) == "/(?i)^Norm/"
    assert text(regex(r"(?P<n>\d)x", "search", "")) == r"/(\d)x/"
    assert text(shell("blocks.*.w?")) == r"/^blocks\..*\.w.$/"
    assert text(shell("*[!0-9]bias")) == "/^.*[^0-9]bias$/"
    with pytest.raises(ConvertError, match="could take forever"):
        regex("(a+)+b", "search", "here")
    with pytest.raises(ConvertError, match="does not accept"):
        regex("(", "search", "here")


FUNCTIONS = """
from olmo_core.optim import AdamWConfig, OptimGroupOverride

def small(lr):
    return dict(optim=AdamWConfig(lr=lr, group_overrides=[]))

def large():
    override = OptimGroupOverride(params=["head.*"], opts=dict(lr=0.5))
    optim = AdamWConfig(lr=1e-3, group_overrides=[override])
    train(optim)
"""


def test_functions_hold_parts_of_which_one_is_named(tmp_path):
    path = tmp_path / "train.py"
    path.write_text(FUNCTIONS)
    with pytest.raises(ConvertError, match=r"several .* \(`small\(\).optim`, `large\(\).optim`\)"):
        convert_file(str(path))
    text = convert_file(str(path), at="large().optim").text
    assert "optimizer AdamW lr=0.001" in text
    assert "head.* -> head lr=0.5" in text
    with pytest.raises(ConvertError, match=r"did you mean `large\(\).optim`"):
        convert_file(str(path), at="larg().optim")
    with pytest.raises(ConvertError, match=r"lr` is `lr` \(line 5\)"):
        convert_file(str(path), at="small().optim")


def test_mmengines_newer_bases(tmp_path):
    (tmp_path / "base.py").write_text("optim_wrapper = dict(optimizer=dict(type='SGD', lr=0.1))\n")
    (tmp_path / "new.py").write_text("with read_base():\n    from .base import *\n")
    assert "optimizer SGD lr=0.1" in convert_file(str(tmp_path / "new.py")).text


def test_an_optimizer_that_has_no_dotted_name(tmp_path):
    (tmp_path / "a.py").write_text(
        "optim_wrapper = dict(optimizer=dict(type='Lamb', lr=0.1, weight_decay=0.02),"
        " paramwise_cfg=dict(norm_decay_mult=0.5))\n"
    )
    conversion = convert_file(str(tmp_path / "a.py"))
    assert "* -> lr=0.1 weight_decay=0.02\n" in conversion.text
    assert any("`optimizer package.module:Class`" in text for text in conversion.lost)
