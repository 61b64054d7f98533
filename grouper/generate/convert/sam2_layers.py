"""SAM 2's `layer_decay_param_modifier`: Hiera's `get_layer_id`, computed from block numbers in
names.

The lr of block `i` of `n` is multiplied by `rate ** (n - i)`, that of embeddings by `rate ** (n +
1)`. Relative positions keep the full rate, in whatever block they are.
"""

from __future__ import annotations

from collections.abc import Iterator

from grouper.generate.convert.converted import Case, Line, Part, Pattern, Table, lost, note
from grouper.generate.convert.errors import ConvertError
from grouper.generate.convert.labels import Labels, numbered
from grouper.generate.convert.options import times
from grouper.generate.convert.patterns import shell
from grouper.generate.convert.section import TARGET, Section
from grouper.generate.convert.torch_kinds import both
from grouper.language.syntax import tree
from grouper.language.syntax.parser import parse_expression, parse_selector

_MODIFIER = "layer_decay_param_modifier"


def layer_tables(optim: Section, labels: Labels) -> Iterator[Part]:
    for modifier in optim.sections("param_group_modifiers"):
        target = str(modifier.values.get(TARGET))
        if not target.endswith(_MODIFIER):
            yield Line(None, (lost(f"`{modifier.path}`: `{target}` is not known here"),))
            continue
        yield Table("layer", (*_cases(modifier, labels), Case((), labels.of("full"))))


def _cases(modifier: Section, labels: Labels) -> Iterator[Case]:
    rate, part = modifier.number("layer_decay_value"), modifier.text("apply_to")
    if rate is None or part is None:
        raise ConvertError(f"`{modifier.path}` needs `layer_decay_value` and `apply_to`")
    inside, least = parse_selector(f"{part}*"), modifier.number("layer_decay_min")
    for override in modifier.sections("overrides"):
        written = override.text("pattern") or ""
        pattern = Pattern(written, both(inside, shell(written).selector))
        factor = times(lr=override.number("value"))
        yield Case((pattern,), labels.of(f"layer.{written}"), factor)
    relative = Pattern("rel_pos", parse_selector(f"{part}*rel_pos*"))
    said = (note("relative positions keep the full rate"),)
    yield Case((relative,), labels.of("rel_pos"), (), said, kind=True)
    embeddings = tuple(
        Pattern(word, parse_selector(f"{part}*{word}*")) for word in ("pos_embed", "patch_embed")
    )
    yield Case(embeddings, labels.of("embed"), _power(rate, "count(i) + 1", least), kind=True)
    block = Pattern("blocks", parse_selector(f"{part}*blocks.{{i}}.*"))
    yield Case((block,), numbered("block", "i"), _power(rate, "count(i) - i", least))


def _power(rate: float, exponent: str, least: float | None) -> tuple[tree.Option, ...]:
    power: tree.Expression = tree.Binary("**", tree.Number(rate), parse_expression(exponent))
    if least is not None:
        power = tree.Call("max", (power, tree.Number(least)))
    return times(lr=power)
