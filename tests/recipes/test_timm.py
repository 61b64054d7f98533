"""Layer decay and decay against timm's own functions, parameter by parameter.

timm's scripts ask the model itself what it does not decay; XCiT and EdgeNeXt have blocks that list
their `temperature`, which nobody reads there. Ours are heeded, and timm is given them here.
"""

import pytest

pytest.importorskip("torch")

from support.recipe_cases import options_of, oracle_options, same_from_snapshot
from support.timm_models import FAMILIES, SPREAD, architectures, built, listed
from timm.models import list_models
from timm.optim import param_groups_layer_decay, param_groups_weight_decay

import grouper

NO_DECAY = grouper.load("no-decay", decay=0.05)
UNLIKE = {"xcit", "edgenext"}  # files whose blocks list what their models do not
LAYER_DECAY = {
    family: grouper.load(f"{family}-layer-decay", base=1, layer_decay=0.75) for family in FAMILIES
}


def layers_are_equal(model, family):
    """lr and decay are timm's to the last bit, whole lists given."""
    groups = param_groups_layer_decay(
        model, 0.05, no_weight_decay_list=listed(model), layer_decay=0.75
    )
    oracle = oracle_options(model, groups, "lr_scale", "weight_decay")
    return options_of(model, LAYER_DECAY[family], "lr", "weight_decay") == oracle


def decay_is_equal(model, whole=True):
    groups = param_groups_weight_decay(model, 0.05, no_weight_decay_list=listed(model, whole))
    oracle = oracle_options(model, groups, "weight_decay")
    return options_of(model, NO_DECAY, "weight_decay") == oracle


@pytest.mark.parametrize(("family", "name"), SPREAD)
def test_layer_decay_and_decay_are_those_of_timm(family, name):
    model = built(name)
    assert layers_are_equal(model, family)
    assert decay_is_equal(model)
    assert same_from_snapshot(model, LAYER_DECAY[family])


def test_a_wrong_decay_would_be_seen():
    model = built("vit_tiny_patch16_224")
    groups = param_groups_layer_decay(model, 0.05, layer_decay=0.7)
    oracle = oracle_options(model, groups, "lr_scale", "weight_decay")
    assert options_of(model, LAYER_DECAY["vit"], "lr", "weight_decay") != oracle


def test_a_file_for_another_family_is_an_error():
    report = grouper.check(built("resnet18"), LAYER_DECAY["vit"])
    assert not report.ok


@pytest.mark.nightly
def test_layer_decay_of_every_architecture():
    """1,000 and more architectures of 45 files."""
    tried, lists = 0, set()
    for family, modules in FAMILIES.items():
        for name in architectures(modules):
            model = built(name)
            if model is None:
                continue
            assert layers_are_equal(model, family), name
            tried += 1
            if listed(model) != listed(model, whole=False) and not decay_is_equal(model, False):
                lists.add(type(model).__module__.rpartition(".")[2])
    assert tried > 1000
    assert lists == UNLIKE


@pytest.mark.nightly
def test_decay_of_every_architecture_of_the_other_files():
    covered = {name for modules in FAMILIES.values() for name in architectures(modules)}
    tried = 0
    for name in sorted(set(list_models()) - covered):
        model = built(name)
        if model is not None:
            assert decay_is_equal(model), name
            tried += 1
    assert tried > 200
