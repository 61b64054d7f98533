"""The Muon recipe against its authors' own class, and the splits of nanochat and torchtitan."""

import copy
import gzip
import json
import statistics
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
muon = pytest.importorskip("muon")
from support.torchvision_stub import define_operators  # noqa: E402

define_operators()
transformers = pytest.importorskip("transformers")
from support.recipe_cases import options_of  # noqa: E402

import grouper  # noqa: E402
from grouper.model.formats import snapshot  # noqa: E402

# The recipe's selector, with the keys that the authors' class asks for and no other.
OWN_KEYS = """
(
    ndim >= 2 and *.{i}.* and not (@*Embedding* or tied)
) -> hidden use_muon=true lr=0.02 momentum=0.95 weight_decay=0.01

else -> rest use_muon=false lr=3e-4 betas=(0.9, 0.95) eps=1e-8 weight_decay=0.01
"""


def llama():
    config = transformers.LlamaConfig(
        hidden_size=16, intermediate_size=32, num_hidden_layers=2, num_attention_heads=2,
        num_key_value_heads=1, vocab_size=50,
    )  # fmt: skip
    torch.manual_seed(0)
    return transformers.LlamaForCausalLM(config)


def authors_groups(model):
    """The recipe as they write it: the matrices of the body, then all the others."""
    body = {id(p) for p in model.model.layers.parameters() if p.ndim >= 2}
    parameters = list(model.parameters())
    hidden = [p for p in parameters if id(p) in body]
    rest = [p for p in parameters if id(p) not in body]
    return [
        {"params": hidden, "use_muon": True, "lr": 0.02, "weight_decay": 0.01},
        {"params": rest, "use_muon": False, "lr": 3e-4, "weight_decay": 0.01, "eps": 1e-8},
    ]


def trained(model, optimizer, steps=5):
    """The weights after some steps on the same tokens."""
    tokens = torch.randint(0, 50, (steps, 2, 16), generator=torch.Generator().manual_seed(0))
    for batch in tokens:
        model(input_ids=batch, labels=batch).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    return dict(model.named_parameters())


def test_the_authors_class_takes_our_groups_and_trains_the_same():
    theirs = llama()
    ours = copy.deepcopy(theirs)
    groups = grouper.param_groups(ours, grouper.parse(OWN_KEYS), names=False)
    want = trained(theirs, muon.SingleDeviceMuonWithAuxAdam(authors_groups(theirs)))
    got = trained(ours, muon.SingleDeviceMuonWithAuxAdam(groups))
    assert all(torch.equal(got[name], want[name]) for name in want)


def test_a_step_of_the_recipe_is_that_of_the_authors_class():
    """torch's own Muon does the same bfloat16 iteration with other operations: a matrix moves the
    same to that precision (less where its gradient has a low rank), and what AdamW has moves the
    same to that of float32."""
    theirs = llama()
    start = {name: p.detach().clone() for name, p in theirs.named_parameters()}
    ours = copy.deepcopy(theirs)
    groups = authors_groups(theirs)
    by_muon = {id(p) for p in groups[0]["params"]}
    want = trained(theirs, muon.SingleDeviceMuonWithAuxAdam(groups), steps=1)
    got = trained(ours, grouper.build_optimizer(ours, grouper.load("muon")), steps=1)
    off = {
        name: float((got[name] - want[name]).norm() / (want[name] - start[name]).norm())
        for name in want
    }
    matrices = [off[name] for name in want if id(want[name]) in by_muon]
    assert statistics.median(matrices) < 0.05
    assert max(matrices) < 0.25
    assert max(off[name] for name in want if id(want[name]) not in by_muon) < 1e-4


SPLITS = json.loads(gzip.decompress(Path(__file__).with_name("muon_splits.json.gz").read_bytes()))


def taken(system, rules):
    model = snapshot.loads(json.dumps(SPLITS[system]["model"]))
    return {n for n, (by,) in options_of(model, rules, "optimizer").items() if by == "hidden"}


def test_nanochat_splits_the_same():
    assert taken("nanochat", grouper.load("muon")) == set(SPLITS["nanochat"]["muon"])


def test_torchtitan_differs_in_the_experts_and_the_vision_tower():
    """Its DistMuon takes stacks of matrices, torch's class refuses them; its recipe trains a
    vision tower by AdamW."""
    want = set(SPLITS["torchtitan"]["muon"])
    got = taken("torchtitan", grouper.load("muon"))
    experts = {name for name in want if ".inner_experts." in name}
    tower = {name for name in got if name.startswith("vision_encoder.")}
    assert experts
    assert tower
    assert got - tower == want - experts
    towered = 'include "muon.rules"\noverride vision_encoder.* -> rest optimizer=AdamW\n'
    assert taken("torchtitan", grouper.parse(towered)) == want - experts
