"""Laws of a model's own numbers: `where`, `rank`, `count`, marks, tables, totals of labels, a base
model, `optional`; and the slow reading of the language agrees with the matcher."""

import math

from hypothesis import assume, given, settings
from hypothesis import strategies as st
from support.builders import CONV, LINEAR, NORM, PLAIN, inventory, parameter
from support.naive_rules import Reading

from grouper.language.resolve.resolve import resolve
from grouper.match.match_rules import match_rules
from grouper.match.resolve_options import resolve_options
from grouper.model.marks import Marks
from grouper.text.source import Source

HEAD = (
    "optimizer SGD lr=0.5 momentum=0.9\nlet table = (0.1, 0.2, 0.4, 0.8, 1.6, 3.2)\nlet two = 2\n"
)


@st.composite
def models(draw):
    """Layers of some numbers, stages of blocks, an embedding that may be tied, and marks."""
    numbers = draw(st.sets(st.integers(0, 5), min_size=1, max_size=4))
    made, classes = [], {}
    shared = draw(st.booleans())
    names = ("embed.weight", "head.weight") if shared else "embed.weight"
    made.append(parameter(names, (6, 4)))
    for i in sorted(numbers):
        for part, shape in (("attn", (4, 4)), ("norm", (4,))):
            made.append(parameter(f"layers.{i}.{part}.weight", shape))
            if draw(st.booleans()):
                frozen = draw(st.sampled_from([True, True, False]))
                made.append(parameter(f"layers.{i}.{part}.bias", (4,), trainable=frozen))
            classes[f"layers.{i}.{part}"] = NORM if part == "norm" else LINEAR
    for s in range(draw(st.integers(0, 2))):
        for b in range(draw(st.integers(1, 2))):
            made.append(parameter(f"stages.{s}.blocks.{b}.weight", (4, 4, 3, 3)))
            classes[f"stages.{s}.blocks.{b}"] = CONV
        made.append(parameter(f"stages.{s}.down.weight", (8, 4)))
    ties = [name for one in made for name in one.names]
    marked = frozenset(draw(st.sets(st.sampled_from(ties), max_size=3)))
    return inventory(
        *made, classes={**classes, "stages": PLAIN}, marks=Marks({"plain": marked}, ("no_",))
    )


SELECTORS = st.sampled_from(
    ["layers.{i}.*", "layers.{i}.{attn,norm}.weight", "in layers.{i}", "in layers.{i:0..3}"]
    + [r"/^layers\.(?P<i>\d+)\./", "layers.{i}.* and ndim == 2", "*.{i}.*.bias", "l*s.{i}.norm.*"]
)
WHERE = st.sampled_from(
    ["", "", " where i >= count(i) - 2", " where i % two == 1", " where rank(i) < 2 or i == max(i)"]
    + [" where not i // 2 == 1 and ndim <= 2", " where shape[0] == 4", " where fan_in > 3"]
    + [" where round(sin(pi * i), 3) == 0", " where shape[1] != base_model.shape[1]"]
)
VALUES = st.sampled_from(
    ["lr*=two ** (count(i) - rank(i))", "lr*=table[rank(i)]", "lr=max(i) - i + 1", "eps=i + min(i)"]
    + ["lr=1 / count(layer)", "lr*=numel(layer)", "momentum=ceil(i / 2)", "eps=max(i, 3) % 2"]
    + ["lr*=sqrt(numel)", "freeze", "lr=base_model.numel / numel", "eps=count(i) // 2"]
)
OTHERS = st.sampled_from(
    ["has plain -> marked eps=1", "tied -> shared lr=count(i)", "@*Norm* -> norm lr*=count(layer)"]
    + ["stages.{s}.{blocks.{b},down}.* -> block{s} momentum=rank(s, b) lr*=count(s, b)"]
    + ["*.bias -> bias lr*=2", "in stages -> lr*=0.5", "ndim == 1 -> vector momentum=max(i)"]
    + ["override *.weight -> eps=9", "not has plain -> unmarked", "head.* or embed.* -> ends"]
)
ORDER = st.sampled_from(["", "", "else "])


@st.composite
def files(draw):
    """A file whose rules all capture `i` by one selector, so that it is one family of numbers."""
    selector = draw(SELECTORS)
    lines = []
    for _ in range(draw(st.integers(1, 3))):
        label = draw(st.sampled_from(["layer", "layer{i}"]))
        where, value = draw(WHERE), draw(VALUES)
        lines.append(f"optional {draw(ORDER)}{selector}{where} -> {label} {value}")
    for other in draw(st.lists(OTHERS, max_size=3, unique=True)):
        plain = other if other.startswith("override") else draw(ORDER) + other
        lines.insert(draw(st.integers(0, len(lines))), f"optional {plain}")
    if draw(st.booleans()) and not any("override" in line for line in lines):
        return ["split part {", *lines, "else -> rest", "}"]
    return [*lines, "else -> rest"]


def outcome(lines, model):
    """{name: labels, options, conflicts, frozen}; nothing where the rules are faulty here."""
    rules = resolve(Source(HEAD + 'base_model "base.json"\n' + "\n".join(lines), "law.rules"))
    assume(not any(f.severity.value == "error" for f in rules.findings))
    base = {n: p for p in model.parameters for n in p.names}
    matches = match_rules(rules, model, base)
    assignment = resolve_options(matches)
    findings = (*matches.findings, *assignment.findings)
    found = {
        a.parameter.name: (
            list(a.labels),
            None if a.frozen else dict(a.options),
            None if a.frozen else set(a.conflicts),
            a.frozen,
        )
        for a in assignment.parameters
    }
    return rules, base, found, findings


def alike(one, other):
    if one[0] != other[0] or one[2:] != other[2:] or (one[1] is None) != (other[1] is None):
        return False
    ours, theirs = one[1] or {}, other[1] or {}
    return ours.keys() == theirs.keys() and all(
        math.isclose(ours[k], theirs[k], rel_tol=1e-12) if k != "nesterov" else True for k in ours
    )


@settings(max_examples=100, deadline=None)
@given(models(), files())
def test_the_slow_reading_agrees(model, lines):
    rules, base, found, findings = outcome(lines, model)
    assume(not findings)
    reading = Reading(rules, model, base)
    for one in model.parameters:
        expected = reading.result(one)
        if expected[2]:
            assert found[one.name][2] == expected[2]
        else:
            assert alike(found[one.name], expected), (one.name, found[one.name], expected)


@settings(max_examples=100, deadline=None)
@given(models(), files(), st.randoms())
def test_the_order_of_plain_rules_between_else_rules_changes_nothing(model, lines, shuffler):
    *_, found, findings = outcome(lines, model)
    shuffled, run = [], []
    for line in lines:
        if "else " in line or "split" in line or line == "}":
            shuffler.shuffle(run)
            shuffled += [*run, line]
            run = []
        else:
            run.append(line)
    *_, again, others = outcome([*shuffled, *run], model)
    assert {f.code.id for f in findings} == {f.code.id for f in others}
    for name, (labels, *rest) in found.items():
        assert set(labels) == set(again[name][0])
        if not rest[1]:
            assert alike(([], *rest), ([], *again[name][1:]))


@settings(max_examples=100, deadline=None)
@given(models(), files(), st.integers(0, 3), st.sampled_from(["", "else "]))
def test_an_optional_rule_that_matches_nothing_changes_nothing(model, lines, at, order):
    *_, found, _ = outcome(lines, model)
    inside = lines[0].startswith("split")
    place = min(at + inside, len(lines) - 1 - inside)
    idle = f"optional {order}nothing.{{n}}.* -> nobody{{n}} lr=7"
    *_, again, _ = outcome([*lines[:place], idle, *lines[place:]], model)
    assert found == again


@settings(max_examples=100, deadline=None)
@given(models(), SELECTORS, WHERE, VALUES, st.sampled_from(["*.bias", "layers.0.*", "@*Norm*"]))
def test_an_exception_before_an_else_changes_no_numbers_of_others(
    model, selector, where, value, exception
):
    rule = f"{selector}{where} -> layer {value}"
    assume("(layer)" not in value)  # these speak of what is trained under the label
    *_, found, _ = outcome([f"optional {rule}", "else -> rest"], model)
    lines = [f"optional {exception} -> special", f"optional else {rule}", "else -> rest"]
    *_, again, _ = outcome(lines, model)
    for name, expected in found.items():
        if "special" not in again[name][0]:
            assert again[name] == expected
