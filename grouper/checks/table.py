"""Every check, one row each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from grouper.checks import (
    composed,
    conflicting,
    double_in_split,
    expectation,
    frozen_model,
    frozen_options,
    matches_nothing,
    missing_lr,
    misspelt_option,
    never_decides,
    option_value,
    parameter_or_buffer,
    plan_options,
    refused_parameters,
    tied_conflict,
    unanswerable,
    unknown_optimizer,
    unknown_option,
    unmatched,
    unmatched_in_split,
    unused_optimizer,
)
from grouper.checks.context import Context
from grouper.findings import Code, Finding


class Module(Protocol):
    """A file of checks/: its code, whose page is the file's docstring, and its question."""

    CODE: Code

    def check(self, context: Context) -> Iterator[Finding]: ...


@dataclass(frozen=True)
class Check:
    """`without_model`: it can be asked of rules alone. `of_groups`: it is about groups, and so is
    asked again of those that are thawed."""

    module: Module
    without_model: bool = False
    of_groups: bool = False


CHECKS = (
    Check(unmatched),
    Check(conflicting),
    Check(double_in_split),
    Check(composed),
    Check(matches_nothing),
    Check(never_decides),
    Check(plan_options, of_groups=True),
    Check(tied_conflict),
    Check(frozen_options),
    Check(frozen_model),
    Check(unmatched_in_split),
    Check(unanswerable),
    Check(parameter_or_buffer),
    Check(expectation),
    Check(refused_parameters, of_groups=True),
    Check(unknown_optimizer, without_model=True),
    Check(misspelt_option, without_model=True),
    Check(unknown_option, without_model=True, of_groups=True),
    Check(option_value, without_model=True, of_groups=True),
    Check(missing_lr, without_model=True, of_groups=True),
    Check(unused_optimizer, without_model=True),
)
