"""Finds paths of the model that are similar to a path that does not exist.

They differ by a number, by additional or missing modules, or by another name for the list of blocks
or for the same part of a model.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import islice

from grouper.checks.context import Context
from grouper.checks.literal_parts import GENERIC

MOST_WORDS = 20_000  # of a model that are looked at; real models have hundreds
MOST_WAYS = 3  # paths between the given parts; more are replaced by `*`

# Synonyms for parts of a model in families of models.
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
    """Generators of paths that keep every word, the most certain first."""
    segments = text.split(".")
    yield _other_number(context, segments)
    yield _other_way(context, segments)


def same_words(context: Context, text: str) -> Iterator[str]:
    """Paths with a synonym in place of a word."""
    yield from _same_part(context, text.split("."), whole=True)


def other_names(context: Context, text: str) -> Iterator[str]:
    """Paths without one of the words, or with a related word."""
    segments = text.split(".")
    yield from _without_absent(context, segments)
    yield from _other_list(context, segments)
    yield from _same_part(context, segments, whole=False)


def _other_number(context: Context, segments: list[str]) -> Iterator[str]:
    """The path with another number, if exactly one number has the parts after it."""
    for at, segment in enumerate(segments):
        if not segment.isdigit() or at + 1 == len(segments) or "*" in ".".join(segments[:at]):
            continue
        following = [part for part in segments[at + 1 :] if part != "*"]
        if not following or not all(re.fullmatch(r"\w+", part) for part in following):
            continue
        rest = re.escape(".".join(following))
        pattern = re.compile(rf"{re.escape('.'.join(segments[:at]))}\.(\d+)\.{rest}(\.|$)")
        numbers = {m.group(1) for name in context.inventory.by_name if (m := pattern.match(name))}
        if len(numbers) == 1:
            yield ".".join([*segments[:at], numbers.pop(), *segments[at + 1 :]])


def _other_way(context: Context, segments: list[str]) -> Iterator[str]:
    """Paths with the same parts in the same order, and other parts between them."""
    literal = [part for part in segments if part != "*"]
    if len(literal) < 2 or segments[0] == "*" or not all(map(_is_step, literal)):
        return
    words = (part for part in literal if not part.isdigit() and not part.startswith("{"))
    if not all(map(context.inventory.words.__contains__, words)):
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
    """The parts of a name up to the last literal, if it has all literals in order."""
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
    """Paths without the middle parts that no name of the model has."""
    present = context.inventory.words
    absent = [
        part
        for part in segments[:-1]
        if re.fullmatch(r"[A-Za-z_]\w*", part) and part not in present
    ]
    present_segments = [part for part in segments if part not in absent]
    words = [part for part in present_segments if re.fullmatch(r"[A-Za-z_]\w*", part)]
    if absent and any(word.lower() not in GENERIC for word in words):
        yield ".".join(present_segments)
        yield (
            f"*.{'.'.join(present_segments)}"
            if present_segments[0] != "*"
            else ".".join(present_segments)
        )


def _other_list(context: Context, segments: list[str]) -> Iterator[str]:
    """The path with the model's list of blocks instead of one that does not exist."""
    at = next((i for i, part in enumerate(segments) if part.startswith("{")), None)
    if not at or not all(re.fullmatch(r"\w+", part) for part in segments[:at]):
        return
    prefix = ".".join(segments[:at])
    if any(name.startswith(f"{prefix}.") for name in context.inventory.by_name):
        return
    longest = _longest_list(context)
    if longest is not None:
        yield ".".join([longest, *segments[at:]])


def _longest_list(context: Context) -> str | None:
    """The path of the numbered modules with the most parameters."""
    counts: dict[str, int] = {}
    numbers: dict[str, set[str]] = {}
    for name in context.inventory.by_name:
        match = re.match(r"(.*?)\.(\d+)\.", name)
        if match is not None:
            counts[match.group(1)] = counts.get(match.group(1), 0) + 1
            numbers.setdefault(match.group(1), set()).add(match.group(2))
    lists = [path for path in counts if len(numbers[path]) > 1]
    return max(lists, key=lambda path: counts[path]) if lists else None


def _same_part(context: Context, segments: list[str], whole: bool) -> Iterator[str]:
    """Paths with a synonym in place of a word that the model does not have; with `whole`, all words
    of the two names must be synonyms."""
    present = context.inventory.words
    for at, segment in enumerate(segments):
        word = segment.strip("*")
        if not re.fullmatch(r"[A-Za-z_]\w*", word) or word in present:
            continue
        for other in sorted(_related(word, present), key=lambda name: (len(name), name)):
            if same_part(word, other, whole):
                if segment == f"*{word}*":  # as a module's full name: it may be part of others
                    changed = f"*.{other}.*" if at == 0 else other
                else:
                    changed = segment.replace(word, other)
                yield ".".join([*segments[:at], changed, *segments[at + 1 :]])


def _related(word: str, names: Iterable[str]) -> list[str]:
    """The names that may be called like the word, or have a synonym of one of its words."""
    words = word.lower().split("_")
    synonyms = {other for same in SAME if not same.isdisjoint(words) for other in same}
    synonyms.add(word.lower())
    several = islice(names, MOST_WORDS)
    return [name for name in several if any(map(name.lower().__contains__, synonyms))]


def same_part(word: str, other: str, whole: bool = False) -> bool:
    """Whether two names have synonyms for the same part of a model: `vision_tower`, `visual`; with
    `whole`, all of their words must be synonyms: `image_encoder`, `vision_encoder`."""
    mine, theirs = word.lower().split("_"), other.lower().split("_")
    if whole:
        same = len(mine) == len(theirs)
        return same and all(a == b or _are_one(a, b) for a, b in zip(mine, theirs, strict=True))
    return any(_are_one(a, b) for a in mine for b in theirs)


def _are_one(word: str, other: str) -> bool:
    return any(word in words and other in words for words in SAME)
