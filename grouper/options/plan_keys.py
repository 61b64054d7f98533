"""The keys of the plan: options of rules and of the `warmup` statement that no optimizer reads."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from grouper.options.kinds import COUNT, NOT_NEGATIVE, SHARE, Constraint, Options
from grouper.options.schedules import SCHEDULES

# Every other key of a rule goes to the optimizer's parameter group as it is.
PLAN_KEYS = (
    "warmup_start",
    "warmup_epochs",
    "warmup_steps",
    "warmup_momentum",
    "schedule",
    "final",
)
WARMUP: Options = MappingProxyType(
    {
        "epochs": (NOT_NEGATIVE, None),
        "steps": (COUNT, None),
        "min_steps": (COUNT, 0),
        "start": (NOT_NEGATIVE, 0.0),
        "momentum": (SHARE, None),
    }
)
PLAN: Mapping[str, Constraint] = MappingProxyType(
    {
        "warmup_start": NOT_NEGATIVE,
        "warmup_epochs": NOT_NEGATIVE,
        "warmup_steps": COUNT,
        "warmup_momentum": SHARE,
        "schedule": (
            f"a schedule ({', '.join(f'`{name}`' for name in SCHEDULES)})",
            lambda value: value in SCHEDULES,
        ),
        "final": NOT_NEGATIVE,
    }
)
