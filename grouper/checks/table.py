"""Every check, one row each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from grouper.checks import (
    adapters,
    anchored_branch,
    captures_of_two_lists,
    composed,
    conflicting,
    decay_reversed,
    default_decay,
    double_in_split,
    expectation,
    frozen_away,
    frozen_model,
    frozen_options,
    frozen_statistics,
    high_warmup_start,
    idle_part,
    label_contradicts,
    layer_rates,
    layout_of_fan_in,
    listed_decays,
    matches_nothing,
    missing_lr,
    misspelt_option,
    muon_parameters,
    never_decides,
    never_reached,
    norms_parted,
    number_cut_short,
    option_value,
    parameter_or_buffer,
    plan_options,
    refused_parameters,
    robbed_else,
    siblings_parted,
    small_final,
    state_space_decay,
    tied_by_one_name,
    tied_conflict,
    tied_freeze,
    unanswerable,
    unknown_optimizer,
    unknown_option,
    unmatched,
    unmatched_in_split,
    unused_optimizer,
    unused_tag,
    word_in_words,
    word_over_models,
    word_takes_matrices,
    zero_lr,
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
    Check(never_reached, without_model=True),
    Check(frozen_away),
    Check(idle_part),
    Check(tied_freeze),
    Check(tied_by_one_name),
    Check(unused_tag, without_model=True),
    Check(norms_parted),
    Check(decay_reversed),
    Check(label_contradicts),
    Check(default_decay),
    Check(word_takes_matrices),
    Check(word_in_words),
    Check(word_over_models),
    Check(number_cut_short),
    Check(anchored_branch),
    Check(muon_parameters),
    Check(adapters),
    Check(layout_of_fan_in),
    Check(siblings_parted),
    Check(captures_of_two_lists),
    Check(robbed_else),
    Check(frozen_statistics),
    Check(state_space_decay),
    Check(listed_decays),
    Check(layer_rates),
    Check(zero_lr),
    Check(small_final, without_model=True),
    Check(high_warmup_start),
)
