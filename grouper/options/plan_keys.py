"""The keys of the plan: options of rules and of the `warmup` statement that no optimizer reads."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from grouper.options.kinds import COUNT, NOT_NEGATIVE, SHARE, WARMUP_SHAPE, Constraint, Options
from grouper.options.schedules import SCHEDULES
from grouper.options.values import Configured, Value

WARMUP: Options = MappingProxyType(
    {
        "epochs": (NOT_NEGATIVE, None),
        "steps": (COUNT, None),
        "share": (SHARE, None),
        "min_steps": (COUNT, 0),
        "start": (NOT_NEGATIVE, 0.0),
        "momentum": (SHARE, None),
        "shape": (WARMUP_SHAPE, "linear"),
    }
)
LENGTHS = ("epochs", "steps", "share")  # the length of a warm-up is exactly one of these
WINDOW = (("from_epoch", "from_step"), ("until_epoch", "until_step"))  # at most one of each pair


def _is_schedule(value: Value) -> bool:
    return (value.name if isinstance(value, Configured) else value) in SCHEDULES


PLAN: Mapping[str, Constraint] = MappingProxyType(
    {
        "warmup_start": NOT_NEGATIVE,
        "warmup_epochs": NOT_NEGATIVE,
        "warmup_steps": COUNT,
        "warmup_share": SHARE,
        "warmup_momentum": SHARE,
        "schedule": (
            f"a schedule ({', '.join(f'`{name}`' for name in SCHEDULES)})",
            _is_schedule,
        ),
        "final": NOT_NEGATIVE,
        "from_epoch": NOT_NEGATIVE,
        "from_step": COUNT,
        "until_epoch": NOT_NEGATIVE,
        "until_step": COUNT,
    }
)
# Every other key of a rule is passed to the optimizer's parameter group.
PLAN_KEYS = tuple(PLAN)
