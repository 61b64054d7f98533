"""Norms with running statistics but no batch count: frozen, or saved by torch before 0.4.1.

A frozen norm (`FrozenBatchNorm2d` of torchvision, Detectron2, DETR) has its weight and bias as
buffers, a batch norm as parameters; only batch norms count batches, since torch 0.4.1. Older files,
like torchvision's first weights, have batch norms without a count.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from grouper.model.pickle.tensors import Tensor

_STATISTICS = {"running_mean", "running_var"}
_ALL = _STATISTICS | {"weight", "bias"}
_COUNT = "num_batches_tracked"
# The most weights that a classifier has after its last norm: VGG has three.
_OF_CLASSIFIERS = 3

Kind = Literal["frozen", "unsure"]


def kinds(modules: Mapping[str, Mapping[str, Tensor]]) -> dict[str, Kind]:
    """Maps the paths of norms without a count to their kind, which is the same for all of them.

    They are frozen if other norms of the file have a count, or if many weights have no norm, like
    the heads and transformers trained on top of a frozen backbone. Otherwise they are unsure.
    """
    norms = [path for path, own in modules.items() if _is_norm(own)]
    if not norms:
        return {}
    counted = any(_COUNT in own for own in modules.values())
    kind: Kind = "frozen" if counted or _without_norm(modules) > _OF_CLASSIFIERS else "unsure"
    return dict.fromkeys(norms, kind)


def _is_norm(own: Mapping[str, Tensor]) -> bool:
    if not _STATISTICS <= own.keys() <= _ALL:
        return False
    shapes = {facts.shape for facts in own.values()}
    shape = shapes.pop() if len(shapes) == 1 else None
    return shape is not None and len(shape) == 1


def _without_norm(modules: Mapping[str, Mapping[str, Tensor]]) -> int:
    """The number of weights (tensors with two or more dimensions) minus the number of norms."""
    weights = sum(
        facts.shape is not None and len(facts.shape) > 1
        for own in modules.values()
        for facts in own.values()
    )
    return weights - sum(own.keys() >= _STATISTICS for own in modules.values())
