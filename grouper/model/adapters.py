"""peft's adapters, which train beside a frozen model, recognised by their parameter names."""

from __future__ import annotations

import re
from collections.abc import Iterable

ADAPTER = re.compile(
    r"(^|\.)(lora_\w+|vera_lambda_\w|ia3_l|loha_\w+|lokr_\w+|oft_r|prompt_encoder\.\w+\.embedding"
    r"|modules_to_save)"
)
_STARTS = ("lora_", "vera_", "ia3_", "loha_", "lokr_", "oft_r", "prompt_encoder.", "modules_to_")


def adapters_possible(names: Iterable[str]) -> bool:
    """Whether any of the names may be an adapter's; looked up in all of them at once."""
    text = "\n".join(names)
    return any(start in text for start in _STARTS)
