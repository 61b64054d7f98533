"""What a scheduler can know about the length of a run under Accelerate."""

from __future__ import annotations

import math
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from grouper.train.plan_protocol import PlanProtocol


def counts_batches(plan: PlanProtocol) -> str | None:
    """A sentence where gradients are accumulated under Accelerate and the plan's epoch counts
    batches, so that the plan would never end; None where it is right or nothing is known.
    """
    state: Any = sys.modules.get("accelerate.state")  # whoever uses it has imported it
    if state is None or not state.GradientState._shared_state or plan.in_steps:
        return None
    running = state.GradientState()
    loader, accumulate = running.active_dataloader, running.num_steps
    if accumulate == 1 or loader is None or not hasattr(type(loader), "__len__"):
        return None
    batches, processes = len(loader), state.PartialState().num_processes
    if plan.steps_per_epoch not in (batches, batches * processes):
        return None
    made = math.ceil(batches / accumulate) * processes
    return (
        f"an epoch of the plan has {plan.steps_per_epoch} steps, which are batches, and Accelerate"
        f" steps the scheduler {made} times, once for each step of the optimizer, so the run would"
        f" end in the middle of the plan: `steps_per_epoch={made}`, or"
        " `steps=grouper.integrations.accelerate.steps(loader, accumulate, epochs)`"
    )
