"""Numbers of the model: `rank`, `count`, `min`, `max` of captures, and shared parameters."""

import pytest
from support.builders import inventory, parameter, rules
from support.passes import assign

BLOCKS = inventory(
    "stem.w",
    *[f"stages.{s}.blocks.{b}.w" for s, depth in enumerate((2, 3)) for b in range(depth)],
    "stages.1.downsample.w",
    parameter("stages.1.blocks.0.b", trainable=False),
    "head.w",
)
SHARED = inventory(
    parameter(("layers.0.w", "layers.1.w")), "layers.0.b", "layers.1.b", "layers.2.b", "head.w"
)


def values(text, model, key="lr"):
    """{name: the value of an option}, and the ids of findings."""
    assignment, findings = assign(rules(f"optimizer SGD lr=1\n{text}"), model)
    found = {a.parameter.name: a.options.get(key) for a in assignment.parameters}
    return found, [finding.code.id for finding in findings]


def test_blocks_of_all_stages_are_walked_in_order():
    found, findings = values(
        "stages.{s}.{blocks.{b},downsample}.* -> layer lr=rank(s, b)\n"
        "stem.* -> stem lr=count(s, b)\nelse -> head lr=max(s)",
        BLOCKS,
    )
    assert findings == []
    assert found == {
        "stem.w": 5,
        "stages.0.blocks.0.w": 0,
        "stages.0.blocks.1.w": 1,
        "stages.1.blocks.0.w": 2,
        "stages.1.blocks.1.w": 3,
        "stages.1.blocks.2.w": 4,
        "stages.1.downsample.w": 2,
        "stages.1.blocks.0.b": 2,
        "head.w": 1,
    }


def test_neither_else_nor_where_changes_the_numbers():
    found, findings = values(
        "layers.0.* -> first lr=7\nelse layers.{i}.b where rank(i) > 0 -> rest lr=count(i)\n"
        "else -> head lr=min(i)",
        inventory(*[f"layers.{i}.b" for i in range(4)], "head.w"),
    )
    assert findings == []
    assert found == {
        "layers.0.b": 7, "layers.1.b": 4, "layers.2.b": 4, "layers.3.b": 4, "head.w": 0,
    }  # fmt: skip


def test_one_name_is_one_family_of_numbers():
    model = inventory("a.0.w", "a.1.w", "b.0.w")
    _, findings = values("a.{i}.* -> a lr=count(i)\nb.{i}.* -> b", model)
    assert findings == ["GR064"]
    assert values("a.{i}.* -> a lr=count(i)\nb.{j}.* -> b", model)[1] == []
    assert values("a.{i}.* -> a lr=i + 1\nb.{i}.* -> b lr=i + 2", model)[1] == []


@pytest.mark.parametrize(
    "rule",
    [
        "layers.{i}.* -> layer{i}",
        "layers.{i}.* -> layer lr=i + 1",
        "layers.{i}.* -> layer lr=rank(i) + 1",
        "layers.{i}.* -> layer warmup_steps=i",
        "layers.{i}.* where i < 1 -> layer",
        "layers.{i}.* where i > 0 -> layer",
        "layers.{i}.* where rank(i) > 0 -> layer",
        "in layers.{i} -> layer{i}",
        "in layers.{i} and ndim == 2 -> layer{i}",
        r"/layers\.(?P<i>\d+)/ -> layer lr=i + 1",
        "layers.{i}.* or head.{i}.* -> layer{i}",
        "{layers.{i},head}.{w,b} -> layer lr=rank(i) + 1",
        "tied and layers.{i}.* -> layer{i}",
    ],
)
def test_a_shared_parameter_has_no_number_of_its_own(rule):
    assignment, findings = assign(rules(f"optimizer SGD lr=1\n{rule}\nelse -> rest"), SHARED)
    (finding,) = findings
    assert finding.code.id == "GR065"
    assert finding.parameters == ("layers.0.w",)
    assert "0 by `layers.0.w` and 1 by `layers.1.w`" in finding.message
    assert finding.span.text == rule
    del assignment


@pytest.mark.parametrize(
    "text",
    [
        "layers.{i}.* -> layer",
        "layers.{i}.* -> layer lr=1 / count(i)",
        "layers.{i}.* where max(i) == 2 -> layer",
        "tied and layers.* -> shared\nelse layers.{i}.* -> layer{i}",
        "layers.*.w -> shared\nelse /layers.(?P<i>[0-9])/ -> layer{i}",
        "layers.{i}.b -> layer{i}",
        "layers.0.{w,b} -> first\nelse layers.{i}.* where i > 0 -> layer lr=i",
    ],
)
def test_a_shared_parameter_is_no_matter_where_its_number_is_not_used(text):
    assert values(f"{text}\nelse -> rest", SHARED)[1] == []


def test_count_and_rank_include_all_names_of_a_shared_parameter():
    model = inventory(parameter(("layers.3.w", "layers.5.w")), "layers.4.w", "head.w")
    found, findings = values(
        "tied and layers.* -> shared lr=count(i)\n"
        "else layers.{i}.* -> layer lr=rank(i)\nelse -> head lr=max(i)",
        model,
    )
    assert findings == []
    assert found == {"layers.3.w": 3, "layers.4.w": 1, "head.w": 5}
    found, _ = values("tied and layers.{i}.* -> a\nelse -> b lr=count(i)", model)
    assert found["head.w"] == 2


def test_what_the_rule_does_not_match_is_not_counted_by_one_of_its_names():
    found, _ = values("layers.{i}.* and not layers.0.* -> layer\nelse -> rest lr=count(i)", SHARED)
    assert found["head.w"] == 2  # 1 and 2 of the biases: the shared one is layers.0.w as well


def test_numbers_in_the_path_of_in():
    model = inventory("net.layers.0.attn.q.w", "net.layers.1.attn.q.w", "net.w")
    found, findings = values("in net.layers.{i} -> x lr=i + 1\nelse -> y lr=count(i)", model)
    assert findings == []
    assert list(found.values()) == [1, 2, 2]
    nested = inventory("a.1.b.a.2.w", "x")
    found, _ = values("in *a.{i} -> x lr=i\nelse -> y", nested)
    assert found["a.1.b.a.2.w"] == 2  # the innermost module gives the number
