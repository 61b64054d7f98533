"""The fine-tuning example for processes that are killed: what is slow comes before they start."""

import runpy
from pathlib import Path

import torch
import torch._dynamo  # torch imports it at the first step of an optimizer

import grouper
import grouper.monitor
import grouper.train.param_groups

FINETUNE = Path(__file__).parents[2] / "examples" / "finetune.py"

grouper.parse("* -> all")  # builds the parser
assert grouper.train.param_groups
assert grouper.Monitor


def finetune(folder, epochs):
    """Run the example in a folder; the loss at the end of each epoch."""
    torch.set_num_threads(1)
    return runpy.run_path(str(FINETUNE))["main"](folder, epochs)
