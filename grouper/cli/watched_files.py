"""The files that a check depends on: rules and what they include, models, and settings."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from grouper.cli.exit import Failure
from grouper.cli.locked import lock_path
from grouper.cli.rules_file import STDIN, read_rules
from grouper.cli.settings import files_above, settings_for
from grouper.language.resolve.includes import find, included_files
from grouper.language.resolve.resolve import load
from grouper.text.source import Source
from grouper.text.write_file import names_stream


def watched_files(model: str | None, rules: Sequence[str], locked: bool = False) -> tuple[str, ...]:
    """Each file once, also missing ones, which may appear later; with `locked`, also the locks.
    Raises Failure for a file that can be read only once."""
    for name in rules:
        if name == STDIN or (names_stream(name) and not os.path.isdir(name)):
            raise Failure(f"--watch reads the rules repeatedly, but `{name}` can be read only once")
    files = [] if model is None else [model]
    for name in rules:
        files += _of_rules(name, model is None)
        if locked:
            files.append(lock_path(name))
    return tuple(dict.fromkeys(files))


def _of_rules(name: str, with_models: bool) -> Iterable[str]:
    path = find(name, Path())
    if path is None:
        return [name]
    files = [str(path), *map(str, files_above(name))]
    try:
        files += map(str, included_files(Source(read_rules(str(path)).text, str(path))))
        rule_set = load(name)
        settings = settings_for(name)
    except (Failure, OSError):  # the check reports it; the file may still be fixed
        return files
    if with_models:
        files += settings.of(name).models or rule_set.models
    return [*files, *([rule_set.base_model] if rule_set.base_model else [])]
