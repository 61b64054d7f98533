"""`explain`: each option's arithmetic comes to its value, its places are those of the file, and the
rules that do not count are named with the reason."""

import json
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.builders import CONV, DETECT, LINEAR, NORM, RULES, inventory, models, parameter
from support.commands import run
from support.passes import assign

import grouper
from grouper.group.form_groups import form_groups
from grouper.language.expressions import Scope
from grouper.language.syntax.parser import parse_expression
from grouper.match.derivation.derive import Deriver
from grouper.match.option_values import configured
from grouper.model.read import read
from grouper.options.values import same
from grouper.reports.explain.explanation import explanation, over
from grouper.reports.explain.json import render_json
from grouper.reports.explain.text import explanation_lines, render_text
from grouper.reports.output import Output

ROOT = Path(__file__).parents[2]
SHIPPED = sorted((ROOT / "rules").glob("*.rules"))
SCHEMA = json.loads((ROOT / "docs" / "explanation.schema.json").read_text())
CHECK = jsonschema.Draft202012Validator(SCHEMA)
YOLO = "examples/yolov5s.pt"


def names(*patterns, classes=()):
    """A model with a matrix and a vector at each path; `{}` counts to 3."""
    paths = [p.replace("{}", str(i)) for p in patterns for i in range(3 if "{}" in p else 1)]
    of = dict(classes)
    tensors = [
        parameter(f"{path}.{end}", shape)
        for path in paths
        for end, shape in (("weight", (8, 4)), ("bias", (8,)))
    ]
    return inventory(*tensors, classes={path: of.get(path, LINEAR) for path in paths})


def small_models():
    yolo = {"model.0.conv": CONV, "model.0.bn": NORM, "model.24": DETECT}
    return [
        names(
            "model.0.conv", "model.0.bn", "model.24", "model.24.dfl", "model.24.cv3.0", classes=yolo
        ),
        names("embeddings.word", "encoder.layer.{}.fc", "encoder.layer.{}.LayerNorm", "pooler"),
        names("patch_embed.proj", "blocks.{}.attn", "blocks.{}.norm1", "norm", "head"),
        names("stem.0", "stages.0.blocks.{}.conv", "stages.1.blocks.{}.conv", "norm_pre", "head"),
        names("layers.{}.blocks.0.attn", "layers.{}.downsample", "layers.{}.blocks.1.mlp", "head"),
        names("conv1", "bn1", "layer1.{}.conv", "layer4.{}.conv", "fc", "backbone.conv1"),
        names("s1.b{}.conv1", "s4.b{}.conv1", "conv_stem", "bn1", "blocks.1.{}.conv", "conv_head"),
        names("encoder.layers.{}.lora_A", "encoder.layers.{}.lora_B", "text.embed", "rnns.{}"),
        names("image_encoder.trunk.blocks.{}.mlp", "sam_mask_decoder.x", "vision_tower.layers.{}"),
    ]


def holds(derivation):
    value = configured(parse_expression(derivation.arithmetic), Scope())
    return value == derivation.value or same(value, derivation.value)


def derivations_of(assignment):
    deriver = Deriver(assignment)
    for first, *_ in assignment.treated_alike:
        yield from ((first, derivation) for derivation in deriver.derivations(first))


def rules_of(path, tmp_path):
    if not path.name.startswith("mup"):
        return grouper.load(path)
    from grouper.model.formats.snapshot import dumps

    base = tmp_path / "small.json"
    tensors = [
        (replaced.names, tuple(max(size // 2, 1) for size in replaced.shape))
        for model in small_models()
        for replaced in model.parameters
    ]
    base.write_text(dumps(inventory(*(parameter(n, s) for n, s in dict(tensors).items()))))
    return grouper.parse(f'base_model "{base}"\ninclude "{path.name}"')


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_the_arithmetic_comes_to_the_value(path, tmp_path):
    """For every parameter and every option, to the last bit."""
    from grouper.match.match_rules import match_rules
    from grouper.match.resolve_options import resolve_options
    from grouper.model.base_model import base_parameters

    rules = rules_of(path, tmp_path)
    base = base_parameters(rules.base_model).parameters
    derived = 0
    for model in small_models():
        assignment = resolve_options(match_rules(rules, model, base))
        for assigned, derivation in derivations_of(assignment):
            if derivation.value is not None:
                assert holds(derivation), (assigned.parameter.name, derivation.arithmetic)
                derived += derivation.computed
    multiplies = any("*=" in o.operator for rule in rules.rules for o in rule.options)
    assert bool(derived) or not multiplies


OPTIONS = st.lists(
    st.sampled_from(
        ["lr*=0.3", "lr*=base", "lr=base / fan_in", "lr=2*base", "lr=1e-3", "lr*=-(1 - base)"]
        + ["lr=rates[ndim]", "lr*=max(base, 1 / numel)", "weight_decay=base**2", "final=1e-5/lr"]
        + ["lr*=1/count(head)", "betas=(base, 0.9)", "schedule=step(size=2, gamma=base)"]
    ),
    max_size=2,
)
STARTS = st.sampled_from(["*", "*.bias", "else *.weight", "model.*", "override *", "else"])
WRITTEN = st.builds(lambda s, o: f"{s} -> head {' '.join(o)}", STARTS, OPTIONS)
HEAD = """let base = 0.3
let rates = (1, 0.5, 0.25, 0.125, 0.0625)
optimizer SGD lr=3 * base momentum=0.9
warmup steps=3 start=0.25
"""


@settings(max_examples=150, deadline=None)
@given(models(), st.lists(st.one_of(WRITTEN, RULES), max_size=6), st.booleans())
def test_any_arithmetic_comes_to_its_value(model, lines, given):
    rules = grouper.parse(HEAD + "\n".join(lines), **({"base": 0.7} if given else {}))
    if any(finding.severity.value == "error" for finding in rules.findings):
        return
    assignment, _ = assign(rules, model)
    for assigned, derivation in derivations_of(assignment):
        if derivation.in_conflict:
            assert derivation.key in assigned.conflicts
        elif derivation.value is not None:
            assert holds(derivation), derivation.arithmetic
        spans = [s.span for t in derivation.terms for s in t.sources if s.span is not None]
        assert all(span.source.path == rules.path for span in spans)


@settings(max_examples=100, deadline=None)
@given(models(), st.lists(RULES, min_size=1, max_size=6))
def test_every_parameter_and_every_rule_is_accounted_for(model, lines):
    rules = grouper.parse("\n".join(lines))
    if any(finding.severity.value == "error" for finding in rules.findings):
        return
    assignment, _ = assign(rules, model)
    report = grouper.Report(rules, model, (), assignment, form_groups(assignment))
    explained = explanation(report, "*").explained
    seen = [a.parameter.name for each in explained for a in each.alike]
    assert sorted(seen) == sorted(p.name for p in model.parameters)
    for each in explained:
        matched = [match.rule for match in each.first.matches]
        assert len(matched) + len(each.untaken) == len(report.rules.rules)
        for one in each.untaken:
            assert one.hidden <= len(each.alike)
            assert (one.taker in matched) if one.hidden else one.taker is None
    CHECK.validate(json.loads(render_json(explanation(report, "*"), Output())))


def without_blanks(text):
    return "".join(text.split())


@pytest.mark.parametrize("columns", [40, 80, 140])
def test_the_lines_hold_the_arithmetic_in_order(columns):
    report = grouper.check(small_models()[2], "vit-layer-decay")
    explained = explanation(report, "*")
    text = without_blanks("".join(line.plain for line in explanation_lines(explained, columns)))
    for each in explained.explained:
        for derivation in each.derivations:
            for part in derivation.texts:
                text = text[text.index(without_blanks(part)) :]
    lines = [line.plain for line in explanation_lines(explained, columns)]
    assert max(map(len, lines)) <= columns or columns < 80  # a pattern is not broken


@pytest.mark.parametrize("columns", [80, 140])
@pytest.mark.parametrize("name", ["yolo", "layers", "trouble", "run"])
def test_explanations_as_users_see_them(name, columns, golden):
    golden(f"cli/explain_{name}_{columns}.txt", shown(name, columns))


def shown(name, columns):
    made = {"yolo": yolo, "layers": layers, "trouble": trouble, "run": run_of_yolo}[name]()
    return render_text(made, Output(color="never", width=columns))


def yolo():
    return explanation(grouper.check(read(YOLO, "model"), "yolo-finetune"), "*")


def layers():
    return explanation(grouper.check(small_models()[3], "convnext-layer-decay"), "stages.1")


TROUBLE = """let base = 0.1
optimizer SGD lr=base
model.24.* -> head lr=base / 3 eps=1
model.24.bias -> bias lr=0.5
override model.24.dfl.* and *.weight -> dfl lr=0.3
split kind { *.bn.* -> norm weight_decay=1e-3; optional else *.conv.* and @Conv2d -> conv }
model.24.dfl.bias -> freeze
"""


def trouble():
    rules = grouper.parse(TROUBLE, "trouble.rules", base=0.2)
    return explanation(grouper.check(small_models()[0], rules), "*")


def run_of_yolo():
    report = grouper.check(read(YOLO, "model"), "yolo-finetune")
    plan = grouper.plan(read(YOLO, "model"), report, steps_per_epoch=500, epochs=100)
    return over(explanation(report, "model.24.m.{0..1}.*"), plan, [])


def test_of_whom_something_is_asked():
    report = grouper.check(read(YOLO, "model"), "yolo-finetune")

    def names_of(name):
        explained = explanation(report, name).explained
        return sorted(a.parameter.name for each in explained for a in each.alike)

    head = [f"model.24.m.{i}.{end}" for i in range(3) for end in ("bias", "weight")]
    assert names_of("model.24.m.0.bias") == ["model.24.m.0.bias"]
    assert names_of("model.24") == names_of("model.24.*") == names_of("model.24.m.?") == head
    assert names_of("model.25") == names_of("@Detect") == names_of("model.24.") == []


def test_the_public_value(tmp_path):
    explained = grouper.explain(YOLO, "yolo-finetune", "model.24", key="model")
    assert str(explained).startswith("3 tensors, 228,480 parameters\n  model.24.m.{0..2}.weight")
    assert "else -&gt; weight" in explained._repr_html_()
    assert repr(explained).startswith("<Explanation model.24.m.0.weight, ")
    [lr] = [d for d in explained.explained[0].derivations if d.key == "lr"]
    assert (lr.value, lr.arithmetic) == (0.01, "0.01")
    assert [source.what for source in lr.terms[0].sources] == ["optimizer", "base"]
    with pytest.raises(ValueError, match=r"no parameter or module `model.99`"):
        grouper.explain(YOLO, "yolo-finetune", "model.99", key="model")
    with pytest.raises(grouper.GroupingError):
        grouper.explain(YOLO, grouper.parse("x =>"), "model.24", key="model")


def test_the_command(capsys):
    asked = ["explain", YOLO, "yolo-finetune", "model.24", "--key", "model"]
    _, out, _ = run(capsys, *asked)
    assert "hidden by else: else -> body (line 22, taken by line 21)" in out
    run_of = ["--epochs", "100", "--steps-per-epoch", "500"]
    _, out, _ = run(capsys, *asked, *run_of, "--at", "0", "--at", "1500")
    assert "lr at step 0: 0 (start), 1,500: 0.009703 (warm-up ends)" in out
    _, out, err = run(capsys, *asked, *run_of, "--at", "7", "--format", "json")
    value = json.loads(out)
    CHECK.validate(value)
    assert [row["step"] for row in value["explained"][0]["steps"]] == [7]
    assert err == ""


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--at", "3"], "--at needs --epochs"),
        (["--at", "9", "--steps", "9"], "from 0 to 8, not `9`"),
        (["--at", "x", "--steps", "9"], "from 0 to 8, not `x`"),
        (["--epochs", "3"], "--steps-per-epoch is missing"),
    ],
)
def test_what_the_command_cannot_do(more, words, capsys):
    asked = ["explain", YOLO, "gpt", "model.24", "--key", "model"]
    status, out, err = run(capsys, *asked, *more)
    assert (status, out) == (2, "")
    assert words in err


def test_ten_thousand_names_are_three_blocks():
    ends = [f"{m}.{w}" for m in ("q", "k", "v", "o", "fc") for w in ("weight", "bias")]
    paths = (f"layers.{i}.{end}" for i in range(1000) for end in ends)
    rules = "let base = 1\noptimizer SGD lr=base\n*.bias -> b lr*=0.1\nelse *.q.* -> q; else -> r"
    report = grouper.check(inventory(*map(parameter, paths)), grouper.parse(rules))
    text = render_text(explanation(report, "*"), Output(width=80))
    assert text.count("parameters\n") == 3  # one block for each derivation
