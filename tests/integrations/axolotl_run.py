"""Runs of axolotl in one process, by rules and then by its own optimizer, with the example's Llama.

Called as `axolotl_run.py FOLDER`; saves their weights there as rules/model.safetensors and
axolotl/model.safetensors.
"""

import os
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "examples"))

import axolotl_train as example  # noqa: E402

OWN = {
    "optimizer": "adamw_torch",
    "learning_rate": 3e-3,
    "weight_decay": 0.1,
    "lr_scheduler": "linear",
    "warmup_steps": 6,
    "max_steps": 30,
    "save_steps": 30,
}
# The names that transformers' Trainer does not decay.
RULES = r"""
optimizer AdamW lr=3e-3 betas=(0.9, 0.999) eps=1e-8
warmup steps=6
schedule linear after=warmup
/(?i)bias|layernorm|rmsnorm|(?:^|\.)norm(?:$|\.)|_norm(?:$|\.)/ -> rest weight_decay=0
else -> decay weight_decay=0.1
"""


def train(owner, **changes):
    configuration = yaml.safe_load((ROOT / "examples" / "axolotl_train.yml").read_text())
    configuration |= {**OWN, "output_dir": owner, **changes}
    if owner != "rules":
        for name in ("rules", "rules_variables", "plugins"):
            configuration.pop(name)
    Path("run.yml").write_text(yaml.safe_dump(configuration))
    example.do_train(example.load_cfg("run.yml"), example.TrainerCliArgs())


def main(folder):
    os.chdir(folder)
    example.make_model_and_texts()
    Path("own.rules").write_text(RULES)
    for name, value in (("jagged_restart_steps", 10), ("embedding_lr", 1e-3)):
        with pytest.raises(ValueError, match=f"`rules` and `{name}` both set the lr"):
            train("rules", rules="own.rules", rules_variables={}, **{name: value})
    train("rules", rules="own.rules", rules_variables={})
    train("axolotl")


if __name__ == "__main__":
    main(*sys.argv[1:])
