"""The table of all checks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module
from typing import TYPE_CHECKING, Protocol, cast

from grouper.text.dataclass import dataclass

if TYPE_CHECKING:
    from grouper.checks.context import Context
    from grouper.text.findings import Code, Finding


class Module(Protocol):
    """A file of checks/: its code, whose page is the file's docstring, and its check."""

    CODE: Code

    def check(self, context: Context) -> Iterator[Finding]: ...


@dataclass(frozen=True)
class Check:
    """A check by the name of its file, which is imported when the check runs.

    `without_model`: it can check rules alone; `with_model=False`: it checks only these.
    `of_groups`: it checks groups, so it runs again on unfrozen ones. `about`: a condition for it to
    find anything; if it is false, the file is not imported.
    """

    name: str
    without_model: bool = False
    with_model: bool = True
    of_groups: bool = False
    about: Callable[[Context], object] = lambda context: True

    @property
    def module(self) -> Module:
        return cast(Module, import_module(f"grouper.checks.{self.name}"))


def splits(context: Context) -> object:
    return context.rules.splits


def tied(context: Context) -> bool:
    return context.inventory.ties


def unsure(context: Context) -> bool:
    return any(parameter.unsure for parameter in context.inventory.parameters)


def freezing(context: Context) -> bool:
    return any(rule.freezes for rule in context.rules.rules)


def muon(context: Context) -> bool:
    return any("Muon" in declared.name for declared in context.rules.optimizers)


CHECKS = (
    Check("unmatched"),
    Check("conflicting"),
    Check("double_in_split", about=splits),
    Check("composed"),
    Check("matches_nothing"),
    Check("never_decides"),
    Check("plan_options", of_groups=True),
    Check("tied_conflict", about=tied),
    Check("frozen_options"),
    Check("frozen_model"),
    Check("unmatched_in_split", about=splits),
    Check("unanswerable", about=lambda context: context.assignment.unanswered),
    Check("parameter_or_buffer", about=unsure),
    Check("expectation", about=lambda context: context.rules.expects),
    Check("claim_awaits_plan", about=lambda context: context.rules.expects),
    Check("refused_parameters", of_groups=True),
    Check("unknown_optimizer", without_model=True),
    Check("misspelt_option", without_model=True),
    Check("unknown_option", without_model=True, of_groups=True),
    Check("option_value", without_model=True, of_groups=True),
    Check("missing_lr", without_model=True, of_groups=True),
    Check("unused_optimizer", without_model=True),
    Check("never_reached", without_model=True),
    Check("matches_no_name", without_model=True, with_model=False),
    Check("possible_conflict", without_model=True, with_model=False),
    Check("frozen_away", about=freezing),
    Check("idle_part"),
    Check("misspelt_part"),
    Check("tied_freeze", about=tied),
    Check("tied_by_one_name", about=tied),
    Check("unused_tag", without_model=True, about=lambda context: context.rules.tags),
    Check("norms_parted"),
    Check("decay_reversed"),
    Check("label_contradicts"),
    Check("default_decay"),
    Check("word_takes_matrices"),
    Check("word_in_words"),
    Check("word_over_models"),
    Check("number_cut_short"),
    Check("anchored_branch"),
    Check("muon_parameters", about=muon),
    Check("adapters"),
    Check("layout_of_fan_in"),
    Check("siblings_parted"),
    Check("captures_of_two_lists"),
    Check("robbed_else"),
    Check("frozen_statistics", about=freezing),
    Check("state_space_decay"),
    Check("listed_decays"),
    Check("layer_rates"),
    Check("zero_lr"),
    Check("small_final", without_model=True),
    Check("high_warmup_start"),
)
