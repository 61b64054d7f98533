"""Records which parameters nanochat and torchtitan give to Muon.

    python tests/recipes/record_muon_splits.py NANOCHAT TORCHTITAN

writes tests/recipes/muon_splits.json.gz. NANOCHAT is a checkout of karpathy/nanochat (recorded at
92d63d4), TORCHTITAN a folder in which torchtitan 0.3.0 is unpacked with what it imports. Its
Kimi recipe is the only one in which torchtitan uses Muon.
"""

from __future__ import annotations

import gzip
import json
import re
import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1]), *sys.argv[1:]]

import torch  # noqa: E402
from support.torchvision_stub import define_operators  # noqa: E402

define_operators()

from nanochat.gpt import GPT, GPTConfig  # noqa: E402
from torchtitan.models.kimi_k2_7.config_registry import kimi_k2_5_debugmodel  # noqa: E402

from grouper.model.formats import snapshot  # noqa: E402
from grouper.model.live import inventory_of  # noqa: E402

GPT_SIZES = {"n_layer": 4, "n_head": 2, "n_kv_head": 2, "n_embd": 32, "vocab_size": 128}


def nanochat():
    """A small GPT, and what its own `setup_optimizer` gives to Muon."""
    with torch.device("meta"):
        model = GPT(GPTConfig(sequence_len=64, **GPT_SIZES))
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    groups = model.setup_optimizer().param_groups
    return model, [names[id(p)] for g in groups if g["kind"] == "muon" for p in g["params"]]


def torchtitan():
    """Its debug model, and the names whose first pattern is DistMuon's."""
    trainer = kimi_k2_5_debugmodel()
    with torch.device("meta"):
        model = trainer.model_spec.model.build()
    groups = trainer.optimizer.param_groups

    def optimizer(name):
        return next(g.optimizer_name for g in groups if re.search(g.pattern, name))

    return model, [n for n, _ in model.named_parameters() if optimizer(n) == "DistMuon"]


def main():
    splits = {}
    for record in (nanochat, torchtitan):
        model, names = record()
        inventory = json.loads(snapshot.dumps(inventory_of(model)))
        splits[record.__name__] = {"muon": sorted(names), "model": inventory}
    target = Path(__file__).with_name("muon_splits.json.gz")
    target.write_bytes(gzip.compress(json.dumps(splits).encode(), mtime=0))


if __name__ == "__main__":
    main()
