"""Optimizers for which an lr of 0, as it is outside a window, does not mean to stand still."""

from __future__ import annotations

_OWN_STEPS = "moves by steps of its own, whatever the lr"
_DIVIDES = "divides by the lr, which is 0 outside a window"
# {the class's own name: why}
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
    """Why groups of an optimizer can have no window, in words; None where they can, or where the
    class is not known."""
    return _WHY.get(optimizer.rpartition(":")[2].rpartition(".")[2])
