"""How fast the plan is over many steps, as ratios against something else in the same run.

python benchmarks/plan.py

`Plan.over` against a loop over `Plan.at`, and against stepping torch's LambdaLR, which computes
lr alone, without warm-up, for as many groups.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import torch
from torch.optim.lr_scheduler import LambdaLR

import grouper
from grouper.train.plan import Plan

ROOT = Path(__file__).parents[1]
STEPS_PER_EPOCH = 1000


def seconds(task: Callable[[], object]) -> float:
    start = time.perf_counter()
    task()
    return time.perf_counter() - start


def ratio(one: Callable[[], object], other: Callable[[], object], rounds: int) -> float:
    """The median of the ratios of neighbouring runs, after one that does not count."""
    one()
    return median(seconds(one) / seconds(other) for _ in range(rounds))


def make_plan(schedule: str, epochs: int) -> Plan:
    text = (ROOT / "rules" / "yolo-finetune.rules").read_text("utf-8")
    rules = grouper.parse(text.replace("schedule linear final=0.01", f"schedule {schedule}"))
    model = str(ROOT / "examples" / "yolov5s.pt")
    return grouper.plan(model, rules, steps_per_epoch=STEPS_PER_EPOCH, epochs=epochs)


def lambda_lr(plan: Plan) -> Callable[[], object]:
    def run() -> None:
        groups = [
            {"params": [torch.nn.Parameter(torch.zeros(1))], "lr": course.lr}
            for course in plan.groups
        ]
        optimizer = torch.optim.SGD(groups)
        scheduler = LambdaLR(optimizer, lambda step: (1 - step / plan.steps) * 0.99 + 0.01)
        optimizer.step()
        for _ in range(plan.steps):
            scheduler.step()

    return run


def main() -> None:
    for schedule in ("linear final=0.01", "cosine final=0.01 every=step"):
        for epochs, rounds in ((100, 5), (1000, 1)):
            plan = make_plan(schedule, epochs)
            every = range(plan.steps)
            what = f"{schedule}, {len(plan.groups)} groups, {plan.steps:,} steps"
            over = lambda plan=plan, every=every: plan.over(every)  # noqa: E731
            loop = lambda plan=plan, every=every: [plan.at(s) for s in every]  # noqa: E731
            print(f"{what}: over / a loop of at: {ratio(over, loop, rounds):.4f}")
            against = ratio(over, lambda_lr(plan), rounds)
            print(f"{what}: over / stepping LambdaLR: {against:.4f}", flush=True)


if __name__ == "__main__":
    main()
