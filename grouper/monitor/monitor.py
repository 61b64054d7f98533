"""The monitor: watches an optimizer's groups from its step hooks, every so many steps."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from grouper.monitor.measurement import measurement
from grouper.monitor.names import (
    facts,
    group_names,
    parameter_names,
    refuse_other_plan,
    watchable,
)
from grouper.monitor.record import GroupFacts, Header, Record
from grouper.monitor.safe_writer import SafeWriter, reason, warn
from grouper.monitor.writers import Call, Csv, JsonLines, TensorBoard

if TYPE_CHECKING:
    from torch import Tensor, nn
    from torch.optim import Optimizer
    from torch.utils.hooks import RemovableHandle

    from grouper.monitor.measure import MeasuredStep
    from grouper.monitor.measurement import Numbers
    from grouper.train.plan import Plan


class Monitor:
    """Measures lr, momentum, norms and update-to-weight ratios of every group, every N steps.

    It hangs itself on `optimizer.step()`; nothing else in the training loop changes. Gradients
    are seen as the optimizer sees them: accumulated, unscaled, clipped. A step is one call of
    `optimizer.step()`, counted from 0; one that a gradient scaler leaves out is none.

    On a measured step it holds a copy of the weights while the optimizer steps, and reads four
    numbers a parameter back from the device, at once; on all others it costs a comparison. Where
    parameters are spread over processes (FSDP2, DTensor) every process measures its pieces; the
    first one writes. What fails in it warns once, and training goes on without it.

    Args:
        optimizer: the optimizer to watch.
        plan: the plan of the run; it knows the rule that set each group's lr (`my.rules:3:7`).
        every: measure at every `every`-th optimizer step (0, every, 2 * every, ...).
        path: the JSON Lines file. A run that is resumed goes on in it.
        csv, tensorboard: a CSV file and a TensorBoard folder to write as well.
        live: show a table on stderr, where that is a terminal.
        on_record: called with every `grouper.monitor.record.Record`.
        model: names the parameters, for an optimizer that was built without names.

    Raises TypeError or ValueError where the setup is wrong (the plan is another optimizer's, a
    parameter is on the meta device), and ImportError where TensorBoard is asked for and missing.
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
        if isinstance(every, bool) or not isinstance(every, int) or every < 1:
            raise ValueError(f"`every` is a whole number of steps from 1 on, not {every!r}")
        self.step = self._start = 0
        self._optimizer = watchable(optimizer)
        if plan is not None:
            refuse_other_plan(self._optimizer.param_groups, plan)
        self._plan = plan
        self._every = every
        self._known = {p: n for n, p in model.named_parameters()} if model is not None else {}
        self._groups: list[dict[str, Any]] = []
        self._pending: dict[str, Tensor] = {}
        self._touched: set[str] = set()
        self._said: dict[str, GroupFacts] = {}
        self._measured: MeasuredStep | None = None
        self._skips: Any = None
        self._stopped, self._stepping, self._alone = False, False, True
        self._failure: Exception | None = None
        self._meet_parameters()
        writers = _writers(path, csv, tensorboard, live, on_record) if _rank() == 0 else []
        self._writers = writers
        self._close_writers = weakref.finalize(self, _close, writers)
        self._hooks = _hooked(self._optimizer, self._before_step, self._after_step)

    @property
    def untouched(self) -> tuple[str, ...]:
        """Names of the parameters that never had a gradient so far."""
        return tuple(self._pending)

    def state_dict(self) -> dict[str, Any]:
        """The step, and the parameters that had a gradient: enough to go on."""
        return {"step": self.step, "touched": sorted(self._touched)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where the saved monitor stopped; what the file has from there on counts no more."""
        self.step = self._start = int(state["step"])
        self._touched = set(state["touched"])
        self._said = {}
        self._meet_parameters()

    def close(self) -> None:
        """Stop watching and close the files. Also done when the optimizer or the program ends."""
        self._stopped = True
        self._measured = None
        if not self._stepping:  # torch is going through its hooks: they stay, and do nothing
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
        self._stepping = True
        try:
            action()
        except Exception as error:
            if self._failure is None:
                warn(f"the monitor stops: {reason(error)}; training goes on")
            # Where parameters are spread, the others count on this process until they are told.
            self._stopped |= self._alone
            self._failure = error.with_traceback(None)
        finally:
            self._stepping = False

    def _begin(self, closure: bool) -> None:
        """Measure what is there before the step; a closure's gradients come within it."""
        import torch

        from grouper.monitor.measure import MeasuredStep

        self._groups = list(self._optimizer.param_groups)
        parameters = [parameter for group in self._groups for parameter in group["params"]]
        self._alone = not any(hasattr(parameter, "placements") for parameter in parameters)
        cuda: Any = torch.cuda
        capturing = cuda.is_initialized() and cuda.is_current_stream_capturing()
        if parameters and not capturing and not (self._alone and _rank()):
            scale = getattr(self._optimizer, "grad_scale", None)
            self._skips = getattr(self._optimizer, "found_inf", None)
            self._measured = MeasuredStep(parameters, scale, closure, self._failure)

    def _end(self) -> None:
        numbers = self._numbers()
        if self.step % self._every == 0:
            self._meet_parameters()
        self._look_for_gradients()
        if numbers is not None and _rank() == 0:
            measurements = {
                name: measurement([next(numbers) for _ in group["params"]], group)
                for name, group in zip(group_names(self._groups), self._groups, strict=True)
            }
            skipped = self._skips is not None and float(self._skips) != 0
            self._write(Record(self.step, measurements, self.untouched, skipped))

    def _numbers(self) -> Iterator[Numbers] | None:
        """What was measured, if it was; a failure is known to all processes from here on."""
        measured, self._measured = self._measured, None
        if measured is None:
            return None
        try:
            return iter(measured.numbers())
        except Exception:
            self._stopped = True
            raise

    def _write(self, record: Record) -> None:
        known = facts(self._groups, self._plan)
        start = self.step if self._said else self._start
        for writer in self._writers:
            if known != self._said:
                writer.header(Header(known, start, self._every))
            writer.record(record)
        self._said = known
        self._stopped |= self._alone and all(writer.failed for writer in self._writers)

    def _meet_parameters(self) -> None:
        """Groups come and go: whatever is there now is watched from here on."""
        self._groups = list(self._optimizer.param_groups)
        names = parameter_names(self._groups, self._known)
        self._pending = {n: p for n, p in names.items() if n not in self._touched}

    def _look_for_gradients(self) -> None:
        for name in [name for name, p in self._pending.items() if p.grad is not None]:
            del self._pending[name]
            self._touched.add(name)


def _writers(
    path: str | Path,
    csv: str | Path | None,
    tensorboard: str | Path | None,
    live: bool,
    on_record: Callable[[Record], object] | None,
) -> list[SafeWriter]:
    writers = [SafeWriter(str(path), lambda: JsonLines(path))]
    if csv is not None:
        writers.append(SafeWriter(str(csv), lambda: Csv(csv)))
    if tensorboard is not None:
        writers.append(SafeWriter("for TensorBoard", lambda: TensorBoard(tensorboard)))
    if live:
        from grouper.monitor.live import LiveTable

        writers.append(SafeWriter("the live table", LiveTable))
    if on_record is not None:
        writers.append(SafeWriter("to `on_record`", lambda: Call(on_record)))
    return writers


def _close(writers: Iterable[SafeWriter]) -> None:
    for writer in writers:
        writer.close()


def _hooked(optimizer: Optimizer, before: Any, after: Any) -> tuple[RemovableHandle, ...]:
    """Hooks that a compiled step calls and does not compile."""
    import torch

    disable: Any = torch.compiler.disable
    return (
        optimizer.register_step_pre_hook(disable(before)),
        optimizer.register_step_post_hook(disable(after)),
    )


def _rank() -> int:
    import torch

    distributed = torch.distributed
    if distributed.is_available() and distributed.is_initialized():
        return distributed.get_rank()
    return 0
