"""The options that torch's own optimizers take, to tell a slip from a key of one's own."""

from __future__ import annotations

from difflib import get_close_matches
from functools import cache

from grouper.options.plan_keys import PLAN_KEYS
from grouper.options.signatures import torch_signatures

SIMILARITY = 0.8  # below that, a key is more likely meant than misspelt


@cache
def torch_options() -> tuple[str, ...]:
    """Every option of every optimizer in torch.optim."""
    return tuple(sorted({o for known in torch_signatures().values() for o in known.options}))


def misspelt(key: str) -> str | None:
    """The known option that a key was probably meant to be; None for known keys and own ones."""
    known = (*torch_options(), *PLAN_KEYS, "optimizer", "freeze")
    if key in known:
        return None
    likely = get_close_matches(key, known, n=1, cutoff=SIMILARITY)
    return likely[0] if likely else None
