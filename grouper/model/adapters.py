"""peft's adapters, which train beside a frozen model, recognised by their parameter names."""

from __future__ import annotations

import re

ADAPTER = re.compile(
    r"(^|\.)(lora_\w+|vera_lambda_\w|ia3_l|loha_\w+|lokr_\w+|oft_r|prompt_encoder\.\w+\.embedding"
    r"|modules_to_save)"
)
