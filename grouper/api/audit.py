"""From an optimizer to the audit of its groups, without rules."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, Union

from grouper.checks.audit.audit import Audit, audit_of
from grouper.checks.audit.audited import Audited
from grouper.model.inventory import Inventory
from grouper.text.arguments import is_module, require, require_module, wrong_type

if TYPE_CHECKING:
    from grouper.train.types import Module, Optimizer

Audible: TypeAlias = Union["Optimizer", Sequence["Optimizer"], str, Path]


def audit(
    optimizer: Audible,
    model: Module | Inventory | str | Path | None = None,
    *,
    key: str | None = None,
) -> Audit:
    """Check the groups of an optimizer, however it was built. Never raises for findings.

    `optimizer` is a torch optimizer or a wrapper of one, and `model` the nn.Module that it trains;
    several that train one model are given in a list. Nothing of them is changed.

    `optimizer` may also be the path of a checkpoint, which is read without running its code.
    `model` is then the path of a model or an Inventory, where the checkpoint has none beside the
    optimizer, and `key` says which model inside a checkpoint. Raises OSError where a file cannot be
    opened, and grouper.ModelError where it has no optimizer's state or no model.
    """
    require("key", key, (str, type(None)), "the path of a model inside a checkpoint, or None")
    if isinstance(optimizer, str | Path):
        return _of_checkpoint(str(optimizer), model, key)
    return _of_live(optimizer, model)


def _of_live(optimizer: object, model: object) -> Audit:
    from grouper.model.live import inventory_of
    from grouper.train.read_groups import members_of, read_groups
    from grouper.train.unread_keys import unread_keys

    members = members_of(optimizer if isinstance(optimizer, list | tuple) else [optimizer])
    require_module("model", model, "the nn.Module that the optimizer trains")
    inventory = inventory_of(model)  # type: ignore[arg-type]
    groups = read_groups(members, model, inventory)  # type: ignore[arg-type]
    audited = Audited(inventory, groups, [unread_keys(member) for member in members])
    return audit_of(audited, inventory.path, inventory.findings)


def _of_checkpoint(path: str, model: object, key: str | None) -> Audit:
    from grouper.group.match_groups import match_groups
    from grouper.model import codes
    from grouper.model.errors import ModelError
    from grouper.model.read import read
    from grouper.model.read_optimizer import read_optimizers

    if is_module(model) or not isinstance(model, Inventory | str | Path | None):
        expected = "the path of a model file or an Inventory, beside a checkpoint's path"
        raise wrong_type("model", model, expected)
    saved = read_optimizers(path)
    beside = saved.model if model is None else model
    if beside is None:
        raise ModelError(
            codes.NOT_A_MODEL,
            f"`{path}` holds the state of an optimizer, and no model is beside it",
            "say which model it trains: `--model MODEL`, or `grouper.audit(path, model)`",
        )
    inventory = beside if isinstance(beside, Inventory) else read(str(beside), key)
    audited = Audited(inventory, match_groups(saved.optimizers, inventory))
    return audit_of(audited, path, inventory.findings)
