"""Finds selectors for the model that are similar to one that matches nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from grouper.checks.context import Context
from grouper.checks.literal_parts import GENERIC, words_of
from grouper.checks.module_kinds import last_part
from grouper.checks.near_paths import MOST_WORDS, other_names, other_ways, same_words
from grouper.checks.slips import normalized
from grouper.language.syntax import tree
from grouper.language.syntax.parser import parse_selector
from grouper.text.similar import highest_ratio, near

MOST = 6  # selectors that are tried in the file
LIKE = 0.7
HEADS = frozenset(
    ("head", "fc", "classifier", "cls", "lm_head", "score", "classification_head", "out")
)
DETECTORS = ("Detect", "Segment", "Pose", "OBB", "Classify", "v10Detect", "RTDETRDecoder")


def near_selectors(context: Context, selector: tree.Selector) -> tuple[str, ...]:
    """Similar selectors that match something, the most likely first, for a selector without `and`,
    `or` and `not`.

    If a more certain source finds exactly one set of parameters, the other sources are skipped.
    """
    texts: list[str] = []
    for source in _sources(context, selector):
        sets = set()
        for text in dict.fromkeys(source):
            selected = _selected(context, text)
            if selected and text not in texts:
                sets.add(selected)
                texts.append(text)
        if len(sets) == 1 and len(texts) == len(sets):
            break
    return tuple(texts[:MOST])


def _selected(context: Context, text: str) -> frozenset[int]:
    try:
        return context.selected(parse_selector(text))
    except ValueError:
        return frozenset()


def _sources(context: Context, selector: tree.Selector) -> Iterator[Iterator[str]]:
    """The sources of selectors, the most certain first."""
    if isinstance(selector, tree.Glob | tree.Exact) and selector.span is not None:
        text = selector.span.text.strip('"')
        yield _respelt(text)
        yield _recased(context, text)
        yield _prefixed(context, text)
        yield from other_ways(context, text)
        if re.fullmatch(r"\*\w+\*", text):
            yield _by_class(context, text)
        yield same_words(context, text)
    yield _guesses(context, selector)


def _guesses(context: Context, selector: tree.Selector) -> Iterator[str]:
    text = selector.span.text if selector.span is not None else ""
    match selector:
        case tree.ClassName():
            yield from _classes(context, text, owns=True)
        case tree.Within(module=tree.ClassName() as cls):
            inner = cls.span.text if cls.span is not None else ""
            if inner.strip("@*") in DETECTORS:
                yield from _heads(context, "head")
            yield from (f"in {t}" for t in _classes(context, inner, owns=False))
        case tree.Within(module=module):
            inner = module.span.text if module.span is not None else ""
            yield from (f"in {path}" for path in _paths(context, inner))
        case tree.Glob() | tree.Exact():
            yield from _names(context, text.strip('"'))
        case tree.Regex(pattern=pattern):
            if pattern.startswith("^"):
                yield f"/{pattern[1:]}/"
            if pattern.endswith("$"):
                yield f"/{pattern[:-1]}/"
            for word in words_of(pattern):
                for other in _parts_like(context, word):
                    yield f"/{pattern.replace(word, other)}/"
        case _:
            return


def _classes(context: Context, text: str, owns: bool) -> Iterator[str]:
    """Classes with similar names; `in @Class` if the class itself owns no parameters."""
    modules = context.inventory.modules or {}
    present = sorted({last_part(module.cls) for module in modules.values() if module.cls})
    word = text.removeprefix("@").strip("*").rpartition(".")[2]
    if owns and any(word == name for name in present):
        yield f"in {text}"
    folded = normalized(word)
    for name in present:
        if normalized(name) == folded:
            yield f"@{name}"
    if len(folded) > 3 and any(folded in normalized(name) for name in present):
        yield f"@*{word}*"
        yield f"in @*{word}*"
    for name in near(word, present):
        yield f"@{name}"
        yield f"in @{name}"


def _paths(context: Context, text: str) -> Iterator[str]:
    for guess in _names(context, f"{text}.*"):
        yield guess.removesuffix(".*")


def _names(context: Context, text: str) -> Iterator[str]:
    """Names with one prefix more or less, another word, or a class."""
    yield f"*.{text}"
    parts = text.split(".")
    for count in range(1, len(parts)):
        rest = ".".join(parts[count:])
        if rest.strip("*.") and not rest.strip("*.").isdigit():
            yield rest
            yield f"{rest}.*"
    yield from other_names(context, text)
    yield from _replaced(context, text)
    yield from _by_class(context, text)
    yield from _heads(context, text)


def _respelt(text: str) -> Iterator[str]:
    """Corrects a module without `.*`, a Python index, and a range with another separator."""
    yield re.sub(r"\{(\d+)[-:](\d+)\}", r"{\1..\2}", text)
    indexed = re.sub(r"\[(\d+)\]", r".\1", text)
    yield indexed
    yield f"{indexed.rstrip('.')}.*"


def _recased(context: Context, text: str) -> Iterator[str]:
    """The text with the model's case and separators."""
    present = context.inventory.words
    spelt = {normalized(part): part for part in islice(present, MOST_WORDS)}
    yield re.sub(
        r"[A-Za-z_]\w*",
        lambda word: word[0] if word[0] in present else spelt.get(normalized(word[0]), word[0]),
        text,
    )


def _prefixed(context: Context, text: str) -> Iterator[str]:
    """The text with the model's modules in front of it."""
    first = text.split(".")[0]
    if not first or not re.fullmatch(r"\w+", first):
        return
    prefixes: dict[str, None] = {}
    for name in context.inventory.by_name:
        at = f".{name}.".find(f".{first}.")
        if at > 0:
            prefixes[name[:at]] = None
    if len(prefixes) == 1:
        yield f"{next(iter(prefixes))}{text}"
    elif prefixes:
        yield f"*.{text}"


def _replaced(context: Context, text: str) -> Iterator[str]:
    """The text with a similar part of the names in place of one that no name has."""
    present = context.inventory.words
    for word in words_of(text):
        if word in present:
            continue
        for other in _parts_like(context, word):
            changed = re.sub(rf"(?<![A-Za-z0-9_]){re.escape(word)}(?![A-Za-z0-9_])", other, text)
            yield changed
            bare = changed.strip("*")
            yield f"*{bare}*" if changed != text and "." not in bare else changed


def _parts_like(context: Context, word: str) -> list[str]:
    from difflib import SequenceMatcher

    folded = normalized(word)
    scored = []
    one, last = word.lower(), _last_token(word)
    for part in islice(context.inventory.words, MOST_WORDS):
        other, ratio = part.lower(), 0.0
        if highest_ratio(one, other) >= LIKE:
            ratio = SequenceMatcher(None, one, other, autojunk=False).ratio()
        spelt = normalized(part)
        if spelt == folded:
            ratio = 1.0
        elif len(folded) > 3 and folded in spelt:
            ratio = max(ratio, 0.85)
        elif last and last == _last_token(part):
            ratio = max(ratio, 0.8)
        if ratio >= LIKE:
            scored.append((-ratio, part))
    return [part for _, part in sorted(scored)[:3]]


def _last_token(word: str) -> str | None:
    """The last word of a name like `mm_projector`, if it is long enough to be specific."""
    last = word.rpartition("_")[2].lower()
    return last if len(last) >= 6 else None


def _by_class(context: Context, text: str) -> Iterator[str]:
    modules = context.inventory.modules or {}
    present = {last_part(module.cls) for module in modules.values() if module.cls}
    for word in words_of(text):
        folded = normalized(word)
        if word.lower() in GENERIC:
            continue
        if len(folded) > 3 and any(folded in normalized(name) for name in present):
            camel = "".join(piece[:1].upper() + piece[1:] for piece in word.split("_"))
            yield f"@*{camel}*"
            yield f"in @*{camel}*"


def _heads(context: Context, text: str) -> Iterator[str]:
    """The model's last module, for a head with the name of another model family."""
    words = {word.lower() for word in words_of(text)}
    if not words & HEADS:
        return
    modules = context.inventory.modules or {}
    for name in DETECTORS:
        if any(last_part(module.cls) == name for module in modules.values()):
            yield f"in @{name}"
    names = list(context.inventory.by_name)
    if names:
        owner = names[-1].rpartition(".")[0]
        if owner and not re.search(r"\.\d+\.", f".{owner}."):
            yield f"{owner}.*"


def numbered_layers(context: Context) -> str | None:
    """The help for a model whose layers have numbers as names; None for others."""
    tops: dict[str, set[str]] = {}
    for name in context.inventory.by_name:
        first, _, rest = name.partition(".")
        tops.setdefault(first, set()).add(rest.partition(".")[0])
    if len(tops) != 1:
        return None
    top, children = next(iter(tops.items()))
    if len(children) < 3 or not all(child.isdigit() for child in children):
        return None
    last = max(map(int, children))
    module = (context.inventory.modules or {}).get(f"{top}.{last}")
    cls = last_part(module.cls) if module is not None else ""
    head = f"; the last one, `{top}.{last}`, is a `{cls}`: `in @{cls}`" if cls else ""
    return f"the layers of this model are numbered: `{top}.{{0..{last - 1}}}.*`{head}"
