"""Optimizers that cannot be stopped by an lr of 0, which is used outside a training window."""

from __future__ import annotations

_OWN_STEPS = "uses its own step sizes and ignores the lr"
_DIVIDES = "divides by the lr, which is 0 outside a window"
# {class name: reason}
_WHY = {
    "Rprop": _OWN_STEPS,
    "Prodigy": _DIVIDES,
    "ProdigyPlusScheduleFree": _DIVIDES,
    "DAdaptAdaGrad": _DIVIDES,
    "DAdaptAdam": _DIVIDES,
    "DAdaptAdamIP": _DIVIDES,
    "DAdaptAdan": _DIVIDES,
    "DAdaptLion": _DIVIDES,
    "DAdaptSGD": _DIVIDES,
}


def why_no_window(optimizer: str) -> str | None:
    """Why groups of an optimizer cannot have a window; None if they can, or if the class is
    unknown."""
    return _WHY.get(optimizer.rpartition(":")[2].rpartition(".")[2])
