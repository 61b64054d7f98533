"""Keeps the statistics of frozen batch norms as they are."""

from __future__ import annotations

from functools import partial
from types import TracebackType

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from grouper.group.grouping import Grouping
from grouper.train.part import part_of


class FrozenStatistics:
    """Batch norms that stay in evaluation mode; `remove()` gives them back.

    `modules` are their names in the model. Also a context manager, which removes at its end.
    """

    def __init__(self, norms: dict[str, _BatchNorm]) -> None:
        self.modules = tuple(norms)
        self._norms = norms
        self._trained = {name: norm.training for name, norm in norms.items()}
        for norm in norms.values():
            # A partial of a function and not a closure, so that the model can still be pickled.
            vars(norm)["train"] = partial(_stay, norm)
            norm.eval()

    def remove(self) -> None:
        """Put them back into the mode that they had; they then follow `model.train()` again."""
        for name, norm in self._norms.items():
            vars(norm).pop("train", None)
            norm.train(self._trained[name])
        self._norms = {}

    def __enter__(self) -> FrozenStatistics:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.remove()

    def __repr__(self) -> str:
        return f"<FrozenStatistics of {len(self.modules)} batch norms>"


def freeze_statistics_of(
    model: nn.Module, grouping: Grouping, prefix: str | None
) -> FrozenStatistics:
    """Freeze the batch norms whose parameters are all frozen by the rules (see api)."""
    part = part_of(model, grouping, prefix)
    frozen = {id(part.tensor(parameter)) for parameter in part.grouping.frozen}
    norms = {}
    for name, module in model.named_modules():
        own = [id(parameter) for parameter in module.parameters(recurse=False)]
        if isinstance(module, _BatchNorm) and own and frozen.issuperset(own):
            norms[name] = module
    return FrozenStatistics(norms)


def _stay(norm: _BatchNorm, mode: bool = True) -> _BatchNorm:
    """`train` of a frozen batch norm: it stays in evaluation mode, whatever mode the model goes
    into.
    """
    norm.training = False
    return norm
