"""The digest of groups, and what is said of ranks that differ, without any process."""

import os
import subprocess
import sys
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.builders import inventory, parameter, rules
from support.passes import assign

from grouper.group.compare import disagreement, failed_elsewhere, fingerprint_of
from grouper.group.digest import digest_of
from grouper.group.form_groups import form_groups as group

TEXT = """
optimizer AdamW lr=0.1 betas=(0.9, 0.99)
warmup steps=3
*.bias -> bias warmup_start=0.2
else   -> weight weight_decay=0.5
"""
DIGEST = "52d600370f59edf7fb685f210cc28001b8c7c27cda5e6436d9d57e156d1fd23a"
MODEL = inventory("a.weight", "a.bias", "b.weight", "b.bias")


def grouping(text=TEXT, model=MODEL):
    return group(assign(rules(text), model)[0])


def terms(text=TEXT, model=MODEL):
    return fingerprint_of(rules(text), grouping(text, model))


def test_the_digest_is_that_of_every_machine():
    """It is written down here, so that no Python and no version of grouper has another."""
    code = "from test_digest import grouping; print(grouping().digest)"
    for seed in ("0", "1"):
        known = {**os.environ, "PYTHONHASHSEED": seed}
        known["PYTHONPATH"] = os.pathsep.join(sys.path)
        folder = os.path.dirname(__file__)
        ran = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, env=known, cwd=folder
        )
        assert ran.stdout.strip() == DIGEST, ran.stderr
    assert grouping().digest == DIGEST


ALIKE = [
    TEXT + "# a comment",
    TEXT.replace("0.5", "1/2"),
    TEXT.replace("0.1", "0.10").replace("0.2", "1/5"),
    TEXT.replace("lr=0.1", "lr=0.1  # and so on\n "),
    "let half = 0.5" + TEXT.replace("0.5", "half"),
]
OTHER = [
    TEXT.replace("bias warmup", "biases warmup"),
    TEXT.replace("lr=0.1", "lr=0.2"),
    TEXT.replace("lr=0.1", "lr=0.1000000000000001"),
    TEXT.replace("lr=0.1", "lr=0.1 amsgrad=true"),
    TEXT.replace("0.99", "0.999"),
    TEXT.replace("warmup_start=0.2", "warmup_start=0.3"),
    TEXT.replace("*.bias", "a.bias"),
    TEXT.replace("else ", "a.weight -> weight weight_decay=0.5\nelse "),
    TEXT + "override b.bias -> freeze",
]


@pytest.mark.parametrize("text", ALIKE)
def test_the_same_groups_have_the_same_digest(text):
    assert grouping(text).digest == grouping().digest


@pytest.mark.parametrize("text", OTHER[:7] + OTHER[8:])
def test_other_groups_have_another_digest(text):
    assert grouping(text).digest != grouping().digest


def test_one_and_one_point_nothing_are_one_value_and_true_is_another():
    digests = [digest_of(terms(TEXT.replace("lr=0.1", f"lr={value}"))) for value in ("1", "1.0")]
    assert digests[0] == digests[1]
    on, one = (
        grouping(TEXT.replace("lr=0.1", f"lr=0.1 amsgrad={value}")).digest for value in ("true", 1)
    )
    assert on != one


def test_parameters_in_another_order_are_another_grouping():
    other = inventory("b.weight", "b.bias", "a.weight", "a.bias")
    assert grouping(model=other).digest != grouping().digest
    said = disagreement({0: terms(), 1: terms(model=other)}, {0: "x", 1: "x"})
    assert said.message == (
        "the parameters of the group `bias` are in another order: number 1 is `b.bias` on rank 1"
        " and `a.bias` on rank 0"
    )
    assert said.notes == ()


@given(st.lists(st.sampled_from([TEXT, *OTHER[:7], *OTHER[8:]]), min_size=2, max_size=4))
def test_whatever_differs_is_said_with_both_values(texts):
    by_rank = {3 * rank: terms(text) for rank, text in enumerate(texts)}
    if len(set(map(digest_of, by_rank.values()))) == 1:
        return
    paths = {rank: f"{rank}.rules" for rank in by_rank}
    said = disagreement(by_rank, paths)
    other = next(rank for rank, its in by_rank.items() if its != by_rank[0])
    assert said.message.endswith(" on rank 0")
    assert f" on rank {other} and " in said.message
    assert said.notes == (f"rank 0 reads 0.rules, rank {other} reads {other}.rules",)


@given(st.integers(0, 3), st.sampled_from(["optimizers", "groups", "frozen", "warmup", "schedule"]))
def test_something_is_said_of_every_part(rank, part):
    whole = {**terms(TEXT + "override b.bias -> freeze\nschedule linear")}
    empty = {**whole, part: type(whole[part])()}
    assert disagreement({0: whole, rank + 1: empty}, dict.fromkeys((0, rank + 1), "x")).message


def test_the_first_rank_that_fails_is_named():
    assert failed_elsewhere({0: None, 4: "no file", 5: "other"}).message == (
        "rank 4 builds no groups: no file"
    )


def test_shapes_are_no_part_of_the_groups():
    wide = replace(MODEL, parameters=tuple(parameter(p.name, (9, 9)) for p in MODEL.parameters))
    assert grouping(model=wide).digest == grouping().digest
