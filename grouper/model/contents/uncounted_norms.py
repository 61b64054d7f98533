"""Norms with running statistics and no count of batches: frozen ones, or of torch before 0.4.1.

A frozen norm (`FrozenBatchNorm2d` of torchvision, Detectron2, DETR) keeps its weight and bias as
buffers, a batch norm as parameters; only the latter counts batches, since torch 0.4.1. Older files,
torchvision's first weights among them, have batch norms without a count.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from grouper.model.pickle.tensors import Tensor

_STATISTICS = {"running_mean", "running_var"}
_ALL = _STATISTICS | {"weight", "bias"}
_COUNT = "num_batches_tracked"
# Weights without a norm that a classifier has behind its last one: VGG, the most of any, has three.
_OF_CLASSIFIERS = 3

Kind = Literal["frozen", "unsure"]


def kinds(modules: Mapping[str, Mapping[str, Tensor]]) -> dict[str, Kind]:
    """The norms without a count by their paths, from each module's tensors; all of one kind.

    Frozen where other norms of the file count, or many of its weights have no norm, as those of the
    heads and transformers that are trained upon a frozen backbone. Otherwise nothing tells.
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
    """How many more weights (tensors of two dimensions and more) than norms there are."""
    weights = sum(
        facts.shape is not None and len(facts.shape) > 1
        for own in modules.values()
        for facts in own.values()
    )
    return weights - sum(own.keys() >= _STATISTICS for own in modules.values())
