"""The monitor: watches an optimizer's groups from its step hooks, every so many steps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from grouper.monitor.record import GroupFacts, Measurement, Record
from grouper.monitor.writers import Csv, JsonLines, Patient, TensorBoard

if TYPE_CHECKING:
    from torch import Tensor
    from torch.optim import Optimizer

    from grouper.monitor import measure
    from grouper.planning import Plan


class Monitor:
    """Measures lr, momentum, norms and update-to-weight ratios of every group, every N steps.

    It hangs itself on `optimizer.step()`; nothing in the training loop changes. Gradients are seen
    as the optimizer sees them (unscaled, clipped). On measured steps it copies the
    weights once and reads five numbers a group back from the device; on all others it costs a
    comparison. In a distributed run every rank measures and rank 0 writes.

    Args:
        optimizer: the optimizer to watch; every group needs a `name`.
        plan: the plan of the run; it knows the rule that set each group's lr (`my.rules:3:7`).
        every: measure at every `every`-th optimizer step (0, every, 2 * every, ...).
        path: the JSON Lines file; appended to when a run is resumed.
        csv, tensorboard: a CSV file and a TensorBoard folder to write as well.
        on_record: called with every record (the live table is one such function).
    """

    def __init__(
        self,
        optimizer: Optimizer,
        plan: Plan | None = None,
        *,
        every: int = 10,
        path: str | Path = "monitor.jsonl",
        csv: str | Path | None = None,
        tensorboard: str | Path | None = None,
        on_record: Callable[[Record], None] | None = None,
    ) -> None:
        if every < 1:
            raise ValueError(f"every must be at least 1 step, not {every}")
        unnamed = [i for i, group in enumerate(optimizer.param_groups) if "name" not in group]
        if unnamed:
            raise ValueError(
                f"group {unnamed[0]} of the optimizer has no name:"
                " build the groups with grouper.param_groups or grouper.build_optimizer"
            )
        self.step = 0
        self._optimizer = optimizer
        self._every = every
        self._on_record = on_record
        self._pending = _parameter_names(optimizer)
        self._seen: list[measure.Before] | None = None
        self._writers = _writers(path, csv, tensorboard) if _rank() == 0 else []
        places = {course.name: course.place for course in plan.courses} if plan else {}
        facts = {
            group["name"]: GroupFacts(
                parameters=len(group["params"]),
                values=sum(p.numel() for p in group["params"]),
                rule=places.get(group["name"]),
            )
            for group in optimizer.param_groups
        }
        for writer in self._writers:
            writer.header(facts)
        self._hooks = (
            optimizer.register_step_pre_hook(self._before_step),
            optimizer.register_step_post_hook(self._after_step),
        )

    def state_dict(self) -> dict[str, Any]:
        """The step and the parameters that never had a gradient: enough to go on."""
        return {"step": self.step, "untouched": list(self.untouched)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on where the saved monitor stopped."""
        self.step = int(state["step"])
        untouched = set(state["untouched"])
        self._pending = {name: p for name, p in self._pending.items() if name in untouched}

    @property
    def untouched(self) -> tuple[str, ...]:
        """Names of the parameters that never had a gradient so far."""
        return tuple(self._pending)

    def close(self) -> None:
        """Take the hooks off and close the files."""
        for hook in self._hooks:
            hook.remove()
        for writer in self._writers:
            writer.close()

    def __enter__(self) -> Monitor:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _before_step(self, *_: object) -> None:
        from grouper.monitor import measure

        if self._pending:
            self._pending = {n: p for n, p in self._pending.items() if p.grad is None}
        if self.step % self._every == 0:
            groups = self._optimizer.param_groups
            self._seen = [measure.before(group["params"]) for group in groups]

    def _after_step(self, *_: object) -> None:
        if self._seen is not None:
            record = self._record(self._seen)
            self._seen = None
            for writer in self._writers:
                writer.record(record)
            if self._on_record is not None and _rank() == 0:
                self._on_record(record)
        self.step += 1

    def _record(self, seen: Sequence[measure.Before]) -> Record:
        import torch

        from grouper.monitor import measure

        groups = self._optimizer.param_groups
        rows = [measure.scalars(b, g["params"]) for b, g in zip(seen, groups, strict=True)]
        device = rows[0].device
        numbers = torch.stack([row.to(device) for row in rows]).tolist()  # the one synchronisation
        measured: dict[str, Measurement] = {
            group["name"]: measure.measured(row, before, group)
            for group, row, before in zip(groups, numbers, seen, strict=True)
        }
        return Record(self.step, measured, self.untouched)


def _writers(
    path: str | Path, csv: str | Path | None, tensorboard: str | Path | None
) -> list[Patient]:
    writers = [Patient(str(path), JsonLines, path)]
    if csv is not None:
        writers.append(Patient(str(csv), Csv, csv))
    if tensorboard is not None:
        writers.append(Patient("TensorBoard's events", TensorBoard, tensorboard))
    return writers


def _parameter_names(optimizer: Optimizer) -> dict[str, Tensor]:
    names: dict[str, Tensor] = {}
    for group in optimizer.param_groups:
        labels = group.get("param_names") or [
            f"{group['name']}[{i}]" for i in range(len(group["params"]))
        ]
        names.update(zip(labels, group["params"], strict=True))
    return names


def _rank() -> int:
    import torch

    distributed = torch.distributed
    if distributed.is_available() and distributed.is_initialized():
        return distributed.get_rank()
    return 0
