"""Which parameter each tensor of an optimizer without names is."""

import random
import time
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
from support.builders import parameter

from grouper.group.match_by_order import match_by_order
from grouper.model.inventory import Inventory


def model(depth, width, tables=1):
    """A model as most are: tables, blocks of a norm and two matrices, a norm, a head."""
    found = [parameter(f"table{i}.weight", (7 + i, width)) for i in range(tables)]
    for i in range(depth):
        for part, shape in (("fc1", (2 * width, width)), ("fc2", (width, 2 * width))):
            found += [parameter(f"blocks.{i}.norm.{leaf}", (width,)) for leaf in ("weight", "bias")]
            found.append(parameter(f"blocks.{i}.{part}.weight", shape))
            found.append(parameter(f"blocks.{i}.{part}.bias", shape[:1]))
    found = list({p.name: p for p in found}.values())
    found += [parameter("head.weight", (5, width)), parameter("head.bias", (5,))]
    return Inventory(tuple(found))


def one(_):
    return 0


def decayed(p):
    return p.ndim > 1


def kinds(p):
    return p.name.rpartition(".")[2] == "bias", p.ndim > 1


def halves(p):
    return p.name.startswith("head")


def layers(p):
    place = p.name.split(".")
    return place[1] if place[0] == "blocks" else place[0], p.ndim > 1


RECIPES = (one, decayed, kinds, halves, layers)


def divided(inventory, recipe):
    groups = {}
    for p in inventory.parameters:
        groups.setdefault(recipe(p), []).append(p)
    return list(groups.values())


def decays(groups):
    return [0.1 * any(p.ndim > 1 for p in group) for group in groups]


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 12), st.integers(3, 6), st.sampled_from(RECIPES), st.randoms(), st.booleans())
def test_the_groups_of_recipes_are_found(depth, width, recipe, chance, shuffled):
    inventory = model(depth, width)
    groups = divided(inventory, recipe)
    if shuffled:
        chance.shuffle(groups)
    shapes = [[p.shape for p in group] for group in groups]
    found = match_by_order(shapes, decays(groups), inventory)
    assert found is not None
    assert [[p.shape for p in group] for group in found] == shapes
    if not shuffled or recipe is not layers:  # blocks are alike: which is which, order says
        assert found == groups


@given(st.integers(1, 8), st.sampled_from((one, decayed, kinds)), st.randoms())
@settings(max_examples=30, deadline=None)
def test_a_file_that_has_lost_the_order(depth, recipe, chance):
    inventory = model(depth, 4)
    groups = divided(inventory, recipe)
    shapes = [[p.shape for p in group] for group in groups]
    names = sorted(inventory.parameters, key=lambda p: p.name)
    found = match_by_order(
        shapes, decays(groups), replace(inventory, parameters=tuple(names), order="sorted")
    )
    assert [{p.name for p in group} for group in found] == [{p.name for p in g} for g in groups]


def test_parameters_in_no_group_and_frozen_ones():
    inventory = model(3, 4)
    head = [p.shape for p in inventory.parameters if p.name.startswith("head")]
    (found,) = match_by_order([head], [0.1], inventory)
    assert [p.name for p in found] == ["head.weight", "head.bias"]
    frozen = tuple(
        replace(p, trainable=p.name.startswith("blocks.2")) for p in inventory.parameters
    )
    trained = [p for p in frozen if p.trainable]
    (found,) = match_by_order([[None] * len(trained)], [0.1], replace(inventory, parameters=frozen))
    assert found == trained


def test_adapters_come_before_what_they_adapt():
    found = [
        parameter(f"layers.{i}.{name}.weight", (4, 4))
        for i in range(3)
        for name in ("base_layer", "lora_A.default")
    ]
    (matched,) = match_by_order([[(4, 4)] * 3], [0], Inventory(tuple(found)))
    assert all("lora_A" in p.name for p in matched)


def test_what_fits_nowhere_is_not_forced():
    inventory = model(2, 4)
    assert match_by_order([[(9, 9)]], [0], inventory) is None
    assert match_by_order([[None] * 100], [0], inventory) is None


def test_the_search_is_bounded():
    """Parameters that are all alike, and groups that no units fit."""
    chance = random.Random(0)
    found = [parameter(f"a{i}.{chance.random()}", (4,)) for i in range(1000)]
    groups = [[(4,)] * 40 for _ in range(24)] + [[(4,)] * 39 + [(5,)]]
    start = time.process_time()
    assert match_by_order(groups, [0] * 25, Inventory(tuple(found))) is None
    assert time.process_time() - start < 5
