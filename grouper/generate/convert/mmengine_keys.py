"""mmengine's `custom_keys`: substrings of names, the longest first, then in alphabetical order.

A key replaces all settings by kind for its parameters, which often surprises; the order of the
cases shows it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from grouper.generate.convert.converted import Case, Pattern, Remark, note
from grouper.generate.convert.labels import Labels
from grouper.generate.convert.options import sets, times
from grouper.generate.convert.patterns import containing, regex_selector
from grouper.generate.convert.section import Section

_MULTIPLIERS = ("lr_mult", "decay_mult")
# Words that configurations have for `lr_mult` and `decay_mult`, which mmengine does not know.
_DEAD: Mapping[str, str] = {
    "lr_multi": "lr_mult",
    "lr_scale": "lr_mult",
    "decay_multi": "decay_mult",
    "wd_mult": "decay_mult",
    "weight_decay_mult": "decay_mult",
}


def key_cases(
    paramwise: Section, labels: Labels, *, decayed: bool, layered: bool = False
) -> Iterator[Case]:
    """A case for each key. `decayed` says that there is a weight decay to multiply, `layered` that
    the constructor takes each lr from the parameter's layer."""
    custom = paramwise.section("custom_keys") or Section({})
    for key in sorted(sorted(custom.values), key=len, reverse=True):
        entry = custom.section(key) or Section({}, custom.place(key))
        given, remarks = _given(entry, decayed, layered)
        factors = {
            "lr": None if layered or "lr" in given else entry.number("lr_mult"),
            "weight_decay": None
            if not decayed or "weight_decay" in given
            else entry.number("decay_mult"),
        }
        options = (*times(**factors), *sets(given, entry.path))
        yield Case(_patterns(key, layered), labels.of(key), options, tuple(remarks))


def _given(entry: Section, decayed: bool, layered: bool) -> tuple[dict[str, object], list[Remark]]:
    """What the entry sets in the group besides multipliers, and what of it does nothing."""
    rest = entry.without(*_MULTIPLIERS)
    remarks = [
        note(f"`{entry.place(word)}` has no effect: nothing reads it; did you mean `{meant}`?")
        for word, meant in _DEAD.items()
        if word in rest
    ]
    rest = {key: value for key, value in rest.items() if key not in _DEAD}
    if layered:
        remarks += [
            note(f"`{entry.place(key)}` does nothing: the layer's lr is laid over it")
            for key in ("lr", "lr_mult")
            if key in entry
        ]
        rest.pop("lr", None)
        return rest, remarks
    for key, multiplier in (("lr", "lr_mult"), ("weight_decay", "decay_mult")):
        if key in rest and entry.raw(multiplier) is not None and (decayed or key == "lr"):
            remarks.append(
                note(f"`{entry.place(multiplier)}` does nothing: `{key}` is laid over it")
            )
    return rest, remarks


def _patterns(key: str, layered: bool) -> tuple[Pattern, ...]:
    """Where a key is looked for: the default constructor puts a dot before names of the model's own
    parameters, so that `.cls_token` is found in `.cls_token`, too."""
    own = key.removeprefix(".")
    if layered or own == key:
        return (containing(key),)
    if not own:  # a dot is in every name that it sees
        return (Pattern(key, containing("").selector),)
    if "." in own:
        return (containing(key),)
    root = Pattern(key, regex_selector(f"^{re.escape(own)}[^.]*$", key))
    return containing(key), root
