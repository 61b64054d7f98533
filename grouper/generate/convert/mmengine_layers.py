"""Layer decay in OpenMMLab: mmpretrain's constructor for ViT and Swin, mmdetection's for ConvNeXt.

Both multiply the lr by `rate ** (layers - layer - 1)`. mmpretrain asks the model's own
`get_layer_depth`; the rules compute its numbers by counting the blocks in the names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from grouper.generate.convert.converted import Case, Part, Pattern, Remark, Table, lost, note
from grouper.generate.convert.errors import ConvertError
from grouper.generate.convert.labels import Labels, numbered
from grouper.generate.convert.mmengine_keys import key_cases
from grouper.generate.convert.mmengine_kinds import kind_cases
from grouper.generate.convert.options import sets, times
from grouper.generate.convert.section import Section
from grouper.generate.convert.torch_kinds import VECTOR
from grouper.language.syntax import tree
from grouper.language.syntax.parser import parse_expression, parse_selector
from grouper.model.inventory import Inventory

_SWIN_DEPTHS: Mapping[str, tuple[int, ...]] = {
    "t": (2, 2, 6, 2),
    "tiny": (2, 2, 6, 2),
    "s": (2, 2, 18, 2),
    "small": (2, 2, 18, 2),
    "b": (2, 2, 18, 2),
    "base": (2, 2, 18, 2),
    "l": (2, 2, 18, 2),
    "large": (2, 2, 18, 2),
}


def by_layer_depth(
    root: Section, optimizer: Section, paramwise: Section, inventory: Inventory | None
) -> list[Part]:
    """mmpretrain's LearningRateDecayOptimWrapperConstructor."""
    rate, labels = paramwise.number("layer_decay_rate"), Labels()
    depths = _Depths(1.0 if rate is None else rate, labels)
    return [
        Table("layer", tuple(_by_depth(root, depths, inventory))),
        _decays(optimizer, paramwise, labels, inventory),
    ]


class _Depths:
    """Makes cases whose lr is multiplied by `rate ** power`."""

    def __init__(self, rate: float, labels: Labels) -> None:
        self._rate, self._labels = rate, labels

    def case(
        self, globs: tuple[str, ...], label: tuple[str, ...], power: str, *remarks: Remark
    ) -> Case:
        """`label` is words and captures in turn."""
        factor = tree.Binary("**", tree.Number(self._rate), parse_expression(power))
        patterns = tuple(Pattern(glob, parse_selector(glob)) for glob in globs)
        name = numbered(*label) if len(label) > 1 else self._labels.of(label[0])
        return Case(patterns, name, times(lr=factor), remarks)

    def rest(self, *remarks: Remark) -> Case:
        return Case((), self._labels.of("rest"), (), remarks)


def _decays(
    optimizer: Section, paramwise: Section, labels: Labels, inventory: Inventory | None
) -> Table:
    decayed = optimizer.number("weight_decay") is not None
    known = ("custom_keys", "layer_decay_rate", "bias_decay_mult", "norm_decay_mult")
    remarks = [
        note(f"`{paramwise.place(key)}` does nothing in this constructor")
        for key in paramwise.values
        if key not in (*known, "flat_decay_mult")
    ]
    cases: list[Case] = []
    if decayed:
        kinds = Section({k: v for k, v in paramwise.values.items() if k in known or "flat" in k})
        cases += key_cases(paramwise, labels, decayed=True, layered=True)
        cases += kind_cases(kinds, labels, inventory, decayed=True)
    else:
        remarks.append(note("without `weight_decay` this constructor reads no setting at all"))
    return Table("decay", (*cases, Case((), labels.of("decayed"))), remarks=tuple(remarks))


def _by_depth(root: Section, depths: _Depths, inventory: Inventory | None) -> Iterator[Case]:
    backbone = (root.section("model") or Section({})).section("backbone") or Section({})
    kind = backbone.text("type")
    names = [parameter.name for parameter in inventory.parameters] if inventory else []
    swin = "Swin" in kind if kind else any(".stages." in n and ".blocks." in n for n in names)
    said: list[Remark] = []
    if kind is None and inventory is None:
        said = [
            lost("layers are counted as a ViT's; `model.backbone.type` or --model tells others")
        ]
    if swin:
        yield from _swin(depths, _swin_depths(backbone, names))
    else:
        stem = ("backbone.{cls_token,pos_embed}", "backbone.patch_embed*")
        yield depths.case(stem, ("stem",), "count(i) + 1", *said)
        yield depths.case(("backbone.layers.{i}.*",), ("layer", "i"), "count(i) - i")
    yield depths.rest(note("what is called otherwise has the full lr"))


def _swin(depths: _Depths, blocks: tuple[int, ...]) -> Iterator[Case]:
    yield depths.case(("backbone.patch_embed*",), ("stem",), "count(s, b) + 1")
    for stage in range(len(blocks) - 1):
        path, left = f"backbone.stages.{stage}.downsample.*", sum(blocks[stage + 1 :]) + 1
        remark = note("as the last block of its stage")
        yield depths.case((path,), (f"downsample{stage}",), str(left), remark)
    each = "backbone.stages.{s}.blocks.{b}.*"
    yield depths.case((each,), ("stage", "s", "_", "b"), "count(s, b) - rank(s, b)")


def _swin_depths(backbone: Section, names: list[str]) -> tuple[int, ...]:
    if names:
        blocks = {tuple(n.split(".")[2:5:2]) for n in names if _is_block(n)}
        stages = sorted({int(stage) for stage, _ in blocks})
        return tuple(sum(int(s) == stage for s, _ in blocks) for stage in stages)
    arch: Any = backbone.raw("arch")
    depths = arch.get("depths") if isinstance(arch, dict) else _SWIN_DEPTHS.get(str(arch))
    if not isinstance(depths, list | tuple):
        raise ConvertError(
            f"`{backbone.place('arch')}` does not tell the depths of the stages: give --model"
        )
    return tuple(depths)


def _is_block(name: str) -> bool:
    parts = name.split(".")
    return len(parts) > 5 and parts[:2] == ["backbone", "stages"] and parts[3] == "blocks"


def for_convnext(
    root: Section, optimizer: Section, paramwise: Section, inventory: Inventory | None
) -> list[Part]:
    """mmdetection's LearningRateDecayOptimizerConstructor, which knows ConvNeXt alone."""
    layers, rate = paramwise.number("num_layers"), paramwise.number("decay_rate")
    if layers is None or rate is None:
        raise ConvertError(f"`{paramwise.path}` needs `num_layers` and `decay_rate`")
    by_stage = paramwise.text("decay_type") == "stage_wise"
    known = ("num_layers", "decay_rate", "decay_type")
    remarks = tuple(
        note(f"`{paramwise.place(key)}` does nothing in this constructor")
        for key in paramwise.values
        if key not in known
    )
    labels = Labels()
    depths = _Depths(rate, labels)
    cases = (_convnext_stages if by_stage else _convnext_layers)(depths, int(layers))
    layer = Table("layer", (*cases, depths.rest()), remarks=remarks)
    return [layer, _convnext_decay(labels)]


def _convnext_layers(depths: _Depths, layers: int) -> Iterator[Case]:
    down, stages = "backbone.downsample_layers", "backbone.stages"
    tokens = "backbone.{cls_token,mask_token,pos_embed}"
    yield depths.case((tokens, f"{down}.0.*"), ("stem",), str(layers + 1))
    yield depths.case((f"{stages}.0.*",), ("stage0",), str(layers))
    yield depths.case((f"{down}.1.*", f"{stages}.1.*"), ("stage1",), str(layers - 1))
    yield depths.case((f"{down}.2.*",), ("downsample2",), str(layers - 2))
    yield depths.case((f"{stages}.2.{{b}}.*",), ("stage2_", "b"), f"{layers - 2} - b // 3")
    yield depths.case((f"{down}.3.*", f"{stages}.3.*"), ("stage3",), "1")


def _convnext_stages(depths: _Depths, layers: int) -> Iterator[Case]:
    tokens = "backbone.{cls_token,mask_token,pos_embed}"
    yield depths.case((tokens, "backbone.downsample_layers.*"), ("stem",), str(layers + 1))
    yield depths.case(("backbone.stages.{s}.*",), ("stage", "s"), f"{layers} - s")


def _convnext_decay(labels: Labels) -> Table:
    patterns = (Pattern("vectors", VECTOR), Pattern("*.bias", parse_selector("*.bias")))
    remark = note("`pos_embed` and `cls_token` of a backbone are decayed: their names do not match")
    undecayed = Case(patterns, labels.of("undecayed"), sets({"weight_decay": 0.0}), (remark,))
    return Table("decay", (undecayed, Case((), labels.of("decayed"))))


Constructor = Callable[[Section, Section, Section, Inventory | None], list[Part]]
CONSTRUCTORS: Mapping[str, Constructor] = {
    "LearningRateDecayOptimWrapperConstructor": by_layer_depth,
    "LearningRateDecayOptimizerConstructor": for_convnext,
}
