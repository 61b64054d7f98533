"""The models that rules are written for, read once and kept until their files change."""

from __future__ import annotations

import os
from collections.abc import Callable

from grouper.model import factories
from grouper.model.codes import BROKEN, NOT_BUILT
from grouper.model.errors import ModelError
from grouper.model.files import remote
from grouper.model.inventory import Inventory
from grouper.model.read import read
from grouper.text.addresses import without_secrets
from grouper.text.dataclass import dataclass, field
from grouper.text.findings import Finding, Severity

Stamp = tuple[int, int, int] | None
MOST_KEPT = 16


@dataclass
class Models:
    """Inventories by path. What only running code or the network could give is not read: opening
    a rules file in an editor is no reason to run what it names."""

    reader: Callable[[str, str | None], Inventory] = read
    _kept: dict[tuple[str, str | None], tuple[Stamp, Inventory | ModelError]] = field(
        default_factory=dict
    )

    def read(self, path: str, key: str | None = None) -> Inventory:
        """The inventory of a file or folder. Raises ModelError for whatever prevents it."""
        if not is_looked_at(path):
            raise ModelError(NOT_BUILT, not_looked_at(path).message)
        stamp = stamp_of(path)
        kept = self._kept.get((path, key))
        if kept is None or kept[0] != stamp:
            if len(self._kept) >= MOST_KEPT:
                self._kept.pop(next(iter(self._kept)))
            kept = self._kept[path, key] = (stamp, self._fresh(path, key))
        if isinstance(kept[1], ModelError):
            raise kept[1]
        return kept[1]

    def _fresh(self, path: str, key: str | None) -> Inventory | ModelError:
        try:
            return self.reader(path, key)
        except ModelError as error:
            return error
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            return ModelError(BROKEN, f"`{path}` cannot be read: {reason}", "correct its path")


def stamp_of(path: str) -> Stamp:
    """What changes when a file does; of a folder, when an entry of it does."""
    try:
        found = os.stat(path)
        return found.st_mtime_ns, found.st_size, found.st_ino
    except (OSError, ValueError):
        return None


def is_looked_at(path: str) -> bool:
    """Whether a model is read from files alone."""
    return not (factories.recognises(path) or remote.recognises(path))


def not_looked_at(path: str) -> Finding:
    """The note on a model that is not looked at."""
    shown = without_secrets(path)
    return Finding(
        NOT_BUILT,
        f"`{shown}` is not read while you edit: that would run code, or load it from the network",
        help=f"save a snapshot, `grouper params {shown} --save model.json`, and name that",
        severity_override=Severity.NOTE,
    )
