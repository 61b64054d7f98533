"""The examples for trainers and loops run as they stand there, and say truly what they learnt."""

import re

import pytest

pytest.importorskip("torch")

from support.frameworks import ROOT, python

# Beside a CPU torch that torchvision's compiled operators do not fit, they are declared.
MENDED = """
import runpy
from support.torchvision_stub import define_operators
define_operators()
runpy.run_path({!r}, run_name="__main__")
"""


def shares(said):
    """The shares told right, in percent, in the order in which they are printed."""
    return [float(number) for number in re.findall(r"([\d.]+)% of unseen", said)]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("example", "needed", "most_before", "least_after", "texts"),
    [
        (
            "transformers_train.py",
            ("transformers", "accelerate"),
            60,
            90,
            ("stopped at step 70 and resumed, after 192 steps", "lr of head/weight at step 70"),
        ),
        (
            "lightning_train.py",
            ("lightning",),
            60,
            85,
            ("'backbone0': '0', 'backbone1': '0', 'backbone2': '0', 'head': '0.0",),
        ),
        (
            "accelerate_train.py",
            ("accelerate",),
            75,
            95,
            ("saved half-way and resumed, the weights are the same",),
        ),
        (
            "torchtitan_train.py",
            ("torchtitan",),
            10,
            90,
            ("resumed at step 50, the weights are the same", "lr/embedding at the end: 0.00025"),
        ),
        (
            "axolotl_train.py",
            ("axolotl",),
            10,
            90,
            ("stopped at step 40 and resumed, the weights are the same", "at step 40: lr 0.0025"),
        ),
        ("timm_train.py", ("timm",), 45, 80, ("block0/kept: lr 0.0016",)),
        ("clip_train.py", (), 20, 85, ("temperature/gain_or_bias: 1 tensors, weight decay 0",)),
        ("dino_train.py", (), 30, 90, ("last/matrix: lr 1e-05, weight decay 0.4",)),
    ],
)
def test_an_example(example, needed, most_before, least_after, texts, tmp_path):
    code = MENDED.format(str(ROOT / "examples" / example))
    said = python("-c", code, needed=needed, folder=tmp_path)
    before, after = shares(said)[:2]
    assert before < most_before < least_after < after
    for text in texts:
        assert text in said
