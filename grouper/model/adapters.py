"""Adapters of peft, which train beside a frozen model, by the names that it gives them."""

from __future__ import annotations

import re

ADAPTER = re.compile(
    r"(^|\.)(lora_\w+|vera_lambda_\w|ia3_l|loha_\w+|lokr_\w+|oft_r|prompt_encoder\.\w+\.embedding"
    r"|modules_to_save)"
)
