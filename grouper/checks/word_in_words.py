"""A word also matches longer words that contain it.

`*text*` is meant for the text encoder, but also matches `context_embedder`.

    *text* -> text lr=5e-6                      # bad beside a `context_embedder`
    text_encoder.* -> text lr=5e-6              # good
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from grouper.checks.context import Context
from grouper.checks.literal_parts import words_anywhere
from grouper.checks.module_kinds import Kind, class_kind
from grouper.language.ruleset import Rule
from grouper.language.syntax import tree
from grouper.model.inventory import Parameter
from grouper.text.findings import Code, Edit, Finding, Severity, labels_at
from grouper.text.printable import count_phrase

CODE = Code("GR306", "word-in-words", Severity.WARNING, __doc__ or "")


def check(context: Context) -> Iterator[Finding]:
    """One finding for each word for one module or class that also matches others by accident."""
    for rule in context.rules.rules:
        for word, selector in words_anywhere(rule.selector):
            bare = word.strip("._")
            members = context.taken(rule, selector) if len(bare) >= 3 else []
            if not members:
                continue
            match = (
                _beside_a_module(context, bare, members)
                or _beside_a_class(context, bare, members)
                or _beside_a_tower(context, bare, members)
            )
            if match is not None:
                yield _finding(rule, word, selector, *match)


def _beside_a_module(
    context: Context, word: str, members: list[Parameter]
) -> tuple[str, list[Parameter]] | None:
    """The module whose parameters the word matches, and parameters elsewhere whose names contain
    it in a longer word."""
    begins = re.compile(rf"^{re.escape(word)}(_|$)")
    owned = [p.name for p in members if any(map(begins.search, _above(p.name)))]
    tops = sorted({_top(name, begins) for name in owned}, key=lambda top: top.count("."))
    if not tops or (len(tops) > 1 and tops[0].count(".") == tops[1].count(".")):
        return None
    top = tops[0]
    others = [p for p in members if not p.name.startswith(f"{top}.")]
    if not others:
        return None
    below = [p for p in context.inventory.parameters if f"{p.name}.".startswith(f"{top}.")]
    if not {id(p) for p in members}.issuperset(map(id, below)):
        return None
    if word in context.kinds.class_name(others[0]).lower():
        return None
    inside = [p for p in others if _is_inside(p.name, word)]
    return (f"{top}.*", inside) if inside else None


def _above(name: str) -> list[str]:
    return name.split(".")[:-1]


def _top(name: str, begins: re.Pattern[str]) -> str:
    parts = name.split(".")
    at = next(i for i, part in enumerate(parts) if begins.search(part))
    return ".".join(parts[: at + 1])


def _is_inside(name: str, word: str) -> bool:
    """Whether the word follows a letter in the name, like `text` in `context`."""
    return re.search(rf"[A-Za-z]{re.escape(word)}", name) is not None


def _beside_a_class(
    context: Context, word: str, members: list[Parameter]
) -> tuple[str, list[Parameter]] | None:
    """The modules of one class that have the word as a name, and those of other classes with longer
    names."""
    alone: dict[str, list[Parameter]] = {}
    longer: dict[str, list[Parameter]] = {}
    for parameter in members:
        cls = context.kinds.class_name(parameter)
        if not cls:
            return None
        into = alone if word in _above(parameter.name) else longer
        into.setdefault(cls, []).append(parameter)
    if len(alone) != 1 or not longer or set(longer) & set(alone):
        return None
    if not _all_longer(word, longer) or _of_one_kind(context, alone, longer):
        return None
    others = [parameter for parameters in longer.values() for parameter in parameters]
    return f"*.{word}.*", others


def _of_one_kind(
    context: Context, alone: Mapping[str, list[Parameter]], longer: Mapping[str, list[Parameter]]
) -> bool:
    """Whether all owners are norms, embeddings or convolutions, so that the word means the kind."""
    owners = (
        context.kinds.owner(ps[0]) for by_class in (alone, longer) for ps in by_class.values()
    )
    kinds = {class_kind(owner) for owner in owners if owner is not None}
    return len(kinds) == 1 and kinds <= {Kind.NORM, Kind.EMBEDDING, Kind.CONV}


def _all_longer(word: str, longer: Mapping[str, list[Parameter]]) -> bool:
    """Whether each name has a longer part that contains the word."""
    pattern = re.compile(rf"(^|_|[a-z]){re.escape(word)}(_|[a-z]|$)", re.IGNORECASE)
    return all(
        any(pattern.search(part) and part != word for part in p.name.split("."))
        for parameters in longer.values()
        for p in parameters
    )


def _beside_a_tower(
    context: Context, word: str, members: list[Parameter]
) -> tuple[str, list[Parameter]] | None:
    """The only module with that name, which has submodules, and parameters beside it in names that
    begin with the word: `encoder_attn` of a decoder does not belong to the encoder."""
    tops = {_path_to(p.name, word) for p in members if word in _above(p.name)}
    top = min(tops, key=lambda path: path.count("."), default=None)
    if top is None or any(path.count(".") == top.count(".") for path in tops - {top}):
        return None
    below = [p for p in context.inventory.parameters if p.name.startswith(f"{top}.")]
    if not all(p in members for p in below) or not any(
        p.name.count(".") > top.count(".") + 2 for p in below
    ):
        return None
    parent = top.rpartition(".")[0]
    begins = re.compile(rf"\.{re.escape(word)}_")
    others = [
        p
        for p in members
        if not p.name.startswith(f"{top}.")
        and p.name.startswith(f"{parent}." if parent else "")
        and begins.search(p.name.removeprefix(f"{parent}.") if parent else p.name)
    ]
    return (f"{top}.*", others) if others else None


def _path_to(name: str, word: str) -> str:
    parts = name.split(".")
    return ".".join(parts[: parts.index(word) + 1])


def _finding(
    rule: Rule, word: str, selector: tree.Selector, better: str, others: list[Parameter]
) -> Finding:
    place = selector.span or rule.span
    return Finding(
        CODE,
        f"`{word}` also matches {count_phrase(others)} with the word inside a longer one:"
        f" `{others[0].name}`",
        labels_at(place),
        tuple(p.name for p in others),
        help=f"write the full name of the module: `{better}`",
        candidates=((Edit(place, better),),) if selector.span is not None and place else (),
    )
