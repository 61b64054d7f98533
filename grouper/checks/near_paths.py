"""Paths of this model that are like one that no name has: the way is another, the words are there.

A number that belongs to another model, a module too few or too many on the way, another name for
the list of blocks or for the same part of a model.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from grouper.checks.context import Context
from grouper.checks.literal_parts import GENERIC

MOST_WAYS = 3  # from one written part to the next; where there are more, `*` stands for them

# Words for one part of a model, as families of models call it.
SAME = (
    frozenset(("vision", "visual", "image", "img", "vit")),
    frozenset(("text", "language", "lang", "llm")),
    frozenset(("encoder", "backbone", "body", "trunk", "features", "extractor")),
    frozenset(("embed", "embeds", "embedding", "embeddings", "emb", "wte")),
    frozenset(("head", "heads", "classifier", "predictor", "score", "fc")),
    frozenset(("router", "gate", "gating")),
    frozenset(("attention", "attn")),
    frozenset(("mlp", "ffn", "ff", "feedforward")),
    frozenset(("position", "positions", "pos", "positional")),
    frozenset(("adapter", "projector", "connector", "merger", "resampler", "aligner")),
)


def other_ways(context: Context, text: str) -> Iterator[Iterator[str]]:
    """The sources of texts in which every word stays as it is written, the surest first."""
    segments = text.split(".")
    yield _other_number(context, segments)
    yield _other_way(context, segments)


def same_words(context: Context, text: str) -> Iterator[str]:
    """Texts with another word that says the same."""
    yield from _same_part(context, text.split("."), whole=True)


def other_names(context: Context, text: str) -> Iterator[str]:
    """Texts in which a word gives way, or is taken for another's."""
    segments = text.split(".")
    yield from _without_absent(context, segments)
    yield from _other_list(context, segments)
    yield from _same_part(context, segments, whole=False)


def _parts(context: Context) -> frozenset[str]:
    return frozenset(part for name in context.inventory.by_name for part in name.split("."))


def _other_number(context: Context, segments: list[str]) -> Iterator[str]:
    """The one other number under which the model has what follows it."""
    for at, segment in enumerate(segments):
        if not segment.isdigit() or at + 1 == len(segments) or "*" in ".".join(segments[:at]):
            continue
        behind = [part for part in segments[at + 1 :] if part != "*"]
        if not behind or not all(re.fullmatch(r"\w+", part) for part in behind):
            continue
        rest = re.escape(".".join(behind))
        wanted = re.compile(rf"{re.escape('.'.join(segments[:at]))}\.(\d+)\.{rest}(\.|$)")
        found = {m.group(1) for name in context.inventory.by_name if (m := wanted.match(name))}
        if len(found) == 1:
            yield ".".join([*segments[:at], found.pop(), *segments[at + 1 :]])


def _other_way(context: Context, segments: list[str]) -> Iterator[str]:
    """The same parts in the same order, with others between that the path leaves out."""
    literal = [part for part in segments if part != "*"]
    if len(literal) < 2 or segments[0] == "*" or not all(map(_is_step, literal)):
        return
    ways = dict.fromkeys(
        way for name in context.inventory.by_name if (way := _way(literal, name.split(".")))
    )
    tail = ".*" if segments[-1] == "*" else ""
    if 0 < len(ways) <= MOST_WAYS:
        yield from (f"{way}{tail}" for way in ways)
    elif ways:
        yield f"{'.*.'.join(literal[:-1])}.*{literal[-1]}{tail}"


def _is_step(part: str) -> bool:
    return re.fullmatch(r"\w+|\{\w+(:\d+\.\.\d+)?\}|\{\d+\.\.\d+\}", part) is not None


def _way(literal: list[str], parts: list[str]) -> str | None:
    """The parts of a name up to the last that is written, where it has all of them in order."""
    way, left = [], list(literal)
    for part in parts[:-1]:
        if not left:
            break
        if part == left[0] or (left[0].startswith("{") and part.isdigit()):
            way.append(left.pop(0))
        else:
            way.append(part)
    return ".".join(way) if not left else None


def _without_absent(context: Context, segments: list[str]) -> Iterator[str]:
    """Without the parts in the middle that no name of the model has."""
    present = _parts(context)
    absent = [
        part
        for part in segments[:-1]
        if re.fullmatch(r"[A-Za-z_]\w*", part) and part not in present
    ]
    kept = [part for part in segments if part not in absent]
    words = [part for part in kept if re.fullmatch(r"[A-Za-z_]\w*", part)]
    if absent and any(word.lower() not in GENERIC for word in words):
        yield ".".join(kept)
        yield f"*.{'.'.join(kept)}" if kept[0] != "*" else ".".join(kept)


def _other_list(context: Context, segments: list[str]) -> Iterator[str]:
    """The model's own list of blocks for one that it does not have."""
    at = next((i for i, part in enumerate(segments) if part.startswith("{")), None)
    if not at or not all(re.fullmatch(r"\w+", part) for part in segments[:at]):
        return
    prefix = ".".join(segments[:at])
    if any(name.startswith(f"{prefix}.") for name in context.inventory.by_name):
        return
    found = _longest_list(context)
    if found is not None:
        yield ".".join([found, *segments[at:]])


def _longest_list(context: Context) -> str | None:
    """The path of the numbered modules that hold most parameters."""
    counts: dict[str, int] = {}
    numbers: dict[str, set[str]] = {}
    for name in context.inventory.by_name:
        found = re.match(r"(.*?)\.(\d+)\.", name)
        if found is not None:
            counts[found.group(1)] = counts.get(found.group(1), 0) + 1
            numbers.setdefault(found.group(1), set()).add(found.group(2))
    lists = [path for path in counts if len(numbers[path]) > 1]
    return max(lists, key=lambda path: counts[path]) if lists else None


def _same_part(context: Context, segments: list[str], whole: bool) -> Iterator[str]:
    """With another word for the same part of a model in place of one that it does not have;
    `whole` where all that the two names say is the same."""
    present = _parts(context)
    for at, segment in enumerate(segments):
        word = segment.strip("*")
        if not re.fullmatch(r"[A-Za-z_]\w*", word) or word in present:
            continue
        for other in sorted(present, key=lambda name: (len(name), name)):
            if same_part(word, other, whole):
                if segment == f"*{word}*":  # as a module's whole name, for it may be in others
                    changed = f"*.{other}.*" if at == 0 else other
                else:
                    changed = segment.replace(word, other)
                yield ".".join([*segments[:at], changed, *segments[at + 1 :]])


def same_part(word: str, other: str, whole: bool = False) -> bool:
    """Whether two names have a word for the same part of a model: `vision_tower`, `visual`; where
    `whole`, every word of one has its like in the other: `image_encoder`, `vision_encoder`."""
    mine, theirs = word.lower().split("_"), other.lower().split("_")
    if whole:
        same = len(mine) == len(theirs)
        return same and all(a == b or _are_one(a, b) for a, b in zip(mine, theirs, strict=True))
    return any(_are_one(a, b) for a in mine for b in theirs)


def _are_one(word: str, other: str) -> bool:
    return any(word in words and other in words for words in SAME)
