"""The base model that a rules file names: its parameters, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from grouper.model.errors import ModelError
from grouper.model.inventory import Inventory, Parameter
from grouper.text.dataclass import dataclass
from grouper.text.findings import Finding


@dataclass(frozen=True)
class BaseParameters:
    """The base model's parameters by each of their names; None if the file names no base model."""

    parameters: Mapping[str, Parameter] | None = None
    findings: tuple[Finding, ...] = ()


def base_parameters(
    path: str | None, read: Callable[[str], Inventory] | None = None
) -> BaseParameters:
    """The parameters of a base model; a finding and no parameters if it cannot be read."""
    if path is None:
        return BaseParameters()
    from grouper.model.codes import BASE_MODEL
    from grouper.model.read import read_named_by_rules

    try:
        return BaseParameters((read or read_named_by_rules)(path).by_name)
    except (OSError, ModelError) as error:
        reason = getattr(error, "strerror", None) or error
        return BaseParameters(
            {},
            (
                Finding(
                    BASE_MODEL,
                    f"the base model `{path}` cannot be read: {reason}",
                    help="name a snapshot or a model file, relative to the rules file",
                ),
            ),
        )
