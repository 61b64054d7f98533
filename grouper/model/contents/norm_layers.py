"""Modules of a state dict whose class follows from their tensors: norms with running statistics."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from grouper.model.inventory import Module
from grouper.model.name_limits import MAX_CHARACTERS, Names
from grouper.model.pickle.tensors import Tensor

# The common base of BatchNorm1d to 3d, SyncBatchNorm and InstanceNorm1d to 3d: they save the same
# tensors, so a state dict cannot distinguish them.
CLASS = "torch.nn.modules.batchnorm._NormBase"
_STATISTICS = {"running_mean", "running_var", "num_batches_tracked"}
_ALL = _STATISTICS | {"weight", "bias"}


def proven(
    modules: Mapping[str, Mapping[str, Tensor]], most: int = MAX_CHARACTERS
) -> dict[str, Module] | None:
    """All named modules, norms with their class; None if there are no norms.

    `modules` are the tensors of each, by the last segment of their names. All other modules have
    the empty string as their class, marked as inferred. Raises ModelError if the names of the
    modules have more than `most` characters together.
    """
    norms = {path for path, module in modules.items() if _is_norm(module)}
    if not norms:
        return None
    paths: dict[str, None] = {}
    counted = Names(most).counted
    for own in modules:
        paths.update(dict.fromkeys(map(counted, reversed(tuple(_new(own, paths))))))
    return {
        path: Module(path, CLASS if path in norms else "", None, inferred=True) for path in paths
    }


def _is_norm(module: Mapping[str, Tensor]) -> bool:
    if not _STATISTICS <= module.keys() <= _ALL:
        return False
    vectors = {module[name].shape for name in module.keys() - {"num_batches_tracked"}}
    counter = module["num_batches_tracked"]
    (shape,) = vectors if len(vectors) == 1 else (None,)
    return shape is not None and len(shape) == 1 and counter.shape == () and _counts(counter)


def _counts(counter: Tensor) -> bool:
    return counter.dtype == "int64"


def _new(path: str, known: Mapping[str, None]) -> Iterator[str]:
    """A path and those above it, the root last, up to the first in `known`."""
    while path not in known:
        yield path
        if not path:
            return
        path = path.rpartition(".")[0]
