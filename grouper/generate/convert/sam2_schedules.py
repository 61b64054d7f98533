"""fvcore's schedulers of an option: its first value, and its course over the run."""

from __future__ import annotations

from grouper.generate.convert.converted import Line, Remark, lost
from grouper.generate.convert.errors import ConvertError
from grouper.generate.convert.options import expression, sets
from grouper.generate.convert.section import TARGET, Section
from grouper.language.syntax import tree
from grouper.text.dataclass import dataclass

_CURVES = {"CosineParamScheduler": "cosine", "LinearParamScheduler": "linear"}


@dataclass(frozen=True)
class Curve:
    """A first value, and a schedule that ends at `final` times it (`constant`: at 1)."""

    value: float
    name: str = "constant"
    final: float = 1.0
    remarks: tuple[Remark, ...] = ()

    def options(self, key: str, together: bool) -> tuple[tree.Option, ...]:
        """The rule's options; those of lr say their schedule where the file does not."""
        given = sets({key: self.value}, "options")
        if key != "lr" or together:
            return given
        constant = self.name == "constant"
        shape = (
            tree.Word(self.name) if constant else tree.Configured(self.name, (_final(self.final),))
        )
        return (*given, tree.Option("schedule", "=", shape))

    @property
    def shape(self) -> tuple[str, float]:
        return self.name, self.final


def curve_of(scheduler: Section) -> Curve:
    """The curve of a `_target_`; one that grouper has none for keeps its largest value."""
    kind = str(scheduler.raw(TARGET)).rpartition(".")[2]
    if kind == "ConstantParamScheduler":
        return Curve(_number(scheduler, "value"))
    if kind in _CURVES:
        start, end = _number(scheduler, "start_value"), _number(scheduler, "end_value")
        if start:
            ratio = float(f"{end / start:.12g}")  # 3e-7 / 3e-6 is a tenth
            return Curve(start, _CURVES[kind], ratio) if ratio != 1 else Curve(start)
    values = _values(scheduler)
    if not values:
        raise ConvertError(f"`{scheduler.path}`: `{kind}` has no value that could be told")
    remark = lost(f"`{scheduler.path}`: `{kind}` is not carried over: the largest value stays")
    return Curve(max(values), remarks=(remark,))


def said_by_file(option: str, curves: list[Curve]) -> tuple[list[Line], bool]:
    """The `schedule` of an option that all of its entries share; whether it says everything.

    An option other than lr can have one schedule in a file; a value of 0 fits every one.
    """
    shapes = {curve.shape for curve in curves if option == "lr" or curve.value}
    name, final = next(iter(shapes)) if len(shapes) == 1 else ("constant", 1.0)
    key = None if option == "lr" else option
    every = tree.Option("every", "=", tree.Word("step"))
    if len(shapes) > 1 and option == "lr":
        return [Line(tree.Schedule("constant", (every,)))], False
    if len(shapes) > 1:
        remark = lost(
            f"`options.{option}` has several curves, and rules have one: it stays constant"
        )
        return [Line(None, (remark,))], True
    if name == "constant":
        return [], True
    return [Line(tree.Schedule(name, (_final(final), every), key))], True


def _final(ratio: float) -> tree.Option:
    return tree.Option("final", "=", expression(ratio, "final"))


def _number(scheduler: Section, key: str) -> float:
    number = scheduler.number(key)
    if number is None:
        raise ConvertError(f"`{scheduler.place(key)}` is missing")
    return number


def _values(scheduler: Section) -> list[float]:
    numbers = [scheduler.values.get(k) for k in ("start_value", "end_value", "value", "base_lr")]
    found = [float(n) for n in numbers if isinstance(n, int | float)]
    for inner in scheduler.sections("schedulers"):
        found += _values(inner)
    return found
