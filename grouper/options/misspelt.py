"""Recognises misspelt options by the options of torch's optimizers."""

from __future__ import annotations

from functools import cache

from grouper.options.plan_keys import PLAN_KEYS
from grouper.options.signatures import torch_signatures

SIMILARITY = 0.8  # below this, a key is more likely a custom one than a misspelt one


@cache
def torch_options() -> tuple[str, ...]:
    """Every option of every optimizer in torch.optim."""
    return tuple(sorted({o for known in torch_signatures().values() for o in known.options}))


def misspelt(key: str) -> str | None:
    """The known option that a key probably misspells; None for known and custom keys."""
    known = (*torch_options(), *PLAN_KEYS, "optimizer", "freeze")
    if key in known:
        return None
    from difflib import get_close_matches

    likely = get_close_matches(key, known, n=1, cutoff=SIMILARITY)
    return likely[0] if likely else None
