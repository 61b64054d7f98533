"""The monitor: measures an optimizer's groups from its step hooks, every few steps."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, distributed, nn
from torch.optim import Optimizer
from torch.utils.hooks import RemovableHandle

from grouper.monitor.measure import MeasuredStep
from grouper.monitor.measurement import Numbers, measurement
from grouper.monitor.names import group_facts, group_names, parameter_names
from grouper.monitor.outputs import close, writers_for
from grouper.monitor.record import GroupFacts, Header, Record
from grouper.monitor.safe_writer import reason, warn
from grouper.text.arguments import require, require_integer, require_module, wrong_type
from grouper.train.compatibility import match_groups
from grouper.train.plan import Plan
from grouper.train.wrapped import distributed_is_running, torch_optimizer


class Monitor:
    """Measures lr, momentum, norms and update-to-weight ratios of every group, every few steps.

    It registers hooks on `optimizer.step()`; the training loop does not change. Gradients are those
    that the optimizer uses: accumulated, unscaled, clipped. A step is one call of
    `optimizer.step()`, counted from 0; a step that a GradScaler skips is not counted.

    A measured step keeps a copy of the weights while the optimizer steps, and transfers four
    numbers per parameter from the device at once; every other step costs one comparison. Where
    parameters are sharded (FSDP2, DTensor) every process measures its own shards and the first one
    writes. An error in the monitor is one warning; training continues without it.

    Args:
        optimizer: the optimizer to watch, or a wrapper that holds it.
        plan: the plan of the run; it has the place of the rule that set each group's lr
            (`my.rules:3:7`).
        every: the number of optimizer steps from one measurement to the next, from step 0.
        path: the JSON Lines file. A resumed run appends to it.
        csv, tensorboard: a CSV file and a TensorBoard folder to write as well.
        live: show a table on stderr, where that is a terminal.
        on_record: called with every `grouper.monitor.record.Record`.
        model: gives names to the parameters of an optimizer that was built without names.

    Raises TypeError or ValueError where the arguments are wrong (the plan has other groups than the
    optimizer, a parameter is on the meta device), and ImportError where `tensorboard` is given and
    the package is not installed.
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
        live: bool = False,
        on_record: Callable[[Record], object] | None = None,
        model: nn.Module | None = None,
    ) -> None:
        every = require_integer("every", every, 1, "a number of steps")
        _require_outputs(path, csv, tensorboard, live, on_record)
        if model is not None:
            require_module("model", model, "an nn.Module or None")
        self.step = self._start = 0
        self._optimizer = _watchable(optimizer)
        self._rules = _rules_by_group(plan, self._optimizer)
        self._every = every
        self._known = {p: n for n, p in model.named_parameters()} if model is not None else {}
        self._groups: list[dict[str, Any]] = []
        self._pending: dict[str, Tensor] = {}
        self._touched: set[str] = set()
        self._written: dict[str, GroupFacts] = {}
        self._measured: MeasuredStep | None = None
        self._found_inf: Any = None
        self._stopped, self._in_hook, self._sharded = False, False, False
        self._failure: Exception | None = None
        self._update_parameters()
        events = _summary_writer(tensorboard) if tensorboard is not None else None
        self._writers = writers_for(path, csv, events, live, on_record) if _rank() == 0 else []
        self._close_writers = weakref.finalize(self, close, self._writers)
        self._hooks = _hooked(self._optimizer, self._before_step, self._after_step)

    @property
    def untouched(self) -> tuple[str, ...]:
        """Names of the parameters that have not had a gradient so far."""
        return tuple(self._pending)

    def state_dict(self) -> dict[str, Any]:
        """The step, and the names of the parameters that have had a gradient."""
        return {"step": self.step, "touched": sorted(self._touched)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue at the saved step; records from that step on in the file are superseded."""
        require("state", state, Mapping, "what the monitor's `state_dict()` returned")
        if not {"step", "touched"} <= state.keys():
            raise ValueError("this `state` is not a monitor's: it needs `step` and `touched`")
        step = require_integer("step", state["step"], 0, "a number of steps")
        require("touched", state["touched"], (list, tuple, set), "the names of parameters")
        self.step = self._start = step
        self._touched = set(map(str, state["touched"]))
        self._written = {}
        self._update_parameters()

    def close(self) -> None:
        """Stop watching and close the files. Happens at the program's end as well."""
        self._stopped = True
        self._measured = None
        if not self._in_hook:  # else torch is iterating over its hooks: they stay, and do nothing
            for hook in self._hooks:
                hook.remove()
        self._close_writers()

    def __enter__(self) -> Monitor:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _before_step(self, _: Any, arguments: Sequence[Any], named: Mapping[str, Any]) -> None:
        if not self._stopped and self.step % self._every == 0:
            closure = any(map(callable, (*arguments[1:], *named.values())))
            self._attempt(lambda: self._begin(closure))

    def _after_step(self, *_: object) -> None:
        if not self._stopped:
            self._attempt(self._end)
            self.step += 1

    def _attempt(self, action: Callable[[], None]) -> None:
        self._in_hook = True
        try:
            action()
        except Exception as error:
            if self._failure is None:
                warn(f"the monitor stops: {reason(error)}; training goes on")
            # Where parameters are sharded, the other ranks wait for this one until it reports.
            self._stopped |= not self._sharded
            self._failure = error.with_traceback(None)
        finally:
            self._in_hook = False

    def _begin(self, closure: bool) -> None:
        """Measure what is known before the step; a closure computes its gradients within it."""
        self._groups = list(self._optimizer.param_groups)
        parameters = [parameter for group in self._groups for parameter in group["params"]]
        self._sharded = any(hasattr(parameter, "placements") for parameter in parameters)
        cuda: Any = torch.cuda
        capturing = cuda.is_initialized() and cuda.is_current_stream_capturing()
        if parameters and not capturing and (self._sharded or _rank() == 0):
            scale = getattr(self._optimizer, "grad_scale", None)
            self._found_inf = getattr(self._optimizer, "found_inf", None)
            self._measured = MeasuredStep(parameters, scale, closure, self._failure)

    def _end(self) -> None:
        numbers = self._numbers()
        if self.step % self._every == 0:
            self._update_parameters()
        self._look_for_gradients()
        if numbers is not None and _rank() == 0:
            measurements = {
                name: measurement([next(numbers) for _ in group["params"]], group)
                for name, group in zip(group_names(self._groups), self._groups, strict=True)
            }
            skipped = self._found_inf is not None and float(self._found_inf) != 0
            self._write(Record(self.step, measurements, self.untouched, skipped))

    def _numbers(self) -> Iterator[Numbers] | None:
        """The numbers of a measured step; a failure in any rank is raised in all of them here."""
        measured, self._measured = self._measured, None
        if measured is None:
            return None
        try:
            return iter(measured.numbers())
        except Exception:
            self._stopped = True
            raise

    def _write(self, record: Record) -> None:
        facts = group_facts(self._groups, self._rules)
        start = self.step if self._written else self._start
        for writer in self._writers:
            if facts != self._written:
                writer.header(Header(facts, start, self._every))
            writer.record(record)
        self._written = facts
        self._stopped |= not self._sharded and all(writer.failed for writer in self._writers)

    def _update_parameters(self) -> None:
        """Read the optimizer's groups, to which some may have been added."""
        self._groups = list(self._optimizer.param_groups)
        names = parameter_names(self._groups, self._known)
        self._pending = {n: p for n, p in names.items() if n not in self._touched}

    def _look_for_gradients(self) -> None:
        for name in [name for name, p in self._pending.items() if p.grad is not None]:
            del self._pending[name]
            self._touched.add(name)


def _require_outputs(
    path: object, csv: object, tensorboard: object, live: object, on_record: object
) -> None:
    """Raise TypeError for an argument that is no output."""
    require("path", path, (str, Path), "the path of a file")
    for name, value, what in (("csv", csv, "file"), ("tensorboard", tensorboard, "folder")):
        require(name, value, (str, Path, type(None)), f"the path of a {what}, or None")
    require("live", live, bool, "True or False")
    if on_record is not None and not callable(on_record):
        raise wrong_type("on_record", on_record, "a function of a record, or None")


def _watchable(optimizer: Any) -> Optimizer:
    """The torch optimizer inside its wrappers.

    Raises TypeError where there is none, and ValueError where its parameters are on the meta
    device.
    """
    inner = torch_optimizer(optimizer)
    for name, parameter in parameter_names(inner.param_groups).items():
        if parameter.is_meta:
            raise ValueError(
                f"`{name}` is on the meta device and has no values: build the optimizer when the"
                " model has its weights"
            )
    return inner


def _rules_by_group(plan: Plan | None, optimizer: Optimizer) -> dict[str, str | None]:
    """For each group the place of the rule that set its lr.

    Raises TypeError where `plan` is not a plan, ValueError where it has other groups.
    """
    if plan is None:
        return {}
    require("plan", plan, Plan, "what `grouper.plan(...)` returns, or None")
    return {course.name: course.place for course in match_groups(plan, optimizer)}


def _summary_writer(folder: str | Path) -> Callable[[int], Any]:
    """Makes torch's SummaryWriter of a folder for a run that starts at a step.

    Raises ImportError where the package `tensorboard` is not installed.
    """
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise ImportError(
            "the monitor cannot write for TensorBoard, which is not installed:"
            " `pip install tensorboard`, or leave `tensorboard=` out"
        ) from error
    make: Callable[..., Any] = SummaryWriter
    return lambda start: make(str(folder), purge_step=start)


def _hooked(optimizer: Optimizer, before: Any, after: Any) -> tuple[RemovableHandle, ...]:
    """Registers hooks that a compiled step calls and does not compile."""
    disable: Any = torch.compiler.disable
    return (
        optimizer.register_step_pre_hook(disable(before)),
        optimizer.register_step_post_hook(disable(after)),
    )


def _rank() -> int:
    return distributed.get_rank() if distributed_is_running() else 0
