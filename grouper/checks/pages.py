"""The table of all kinds of findings, ordered by code, with the file of each manual page.

Pages are read from the source files, so no check is imported.
"""

from __future__ import annotations

import ast
from importlib.util import find_spec
from typing import Any, NamedTuple

CHECKS = "checks."


class Row(NamedTuple):
    """A code, its name and severity, and the file of grouper that defines it."""

    code: str
    name: str
    severity: str
    home: str


ROWS = (
    Row("GR001", "syntax-error", "error", "language.syntax.codes"),
    Row("GR002", "unclosed", "error", "language.syntax.codes"),
    Row("GR003", "bad-pattern", "error", "language.syntax.codes"),
    Row("GR004", "bad-regex", "error", "language.syntax.codes"),
    Row("GR005", "costly-regex", "error", "language.syntax.codes"),
    Row("GR006", "reserved-word", "error", "language.syntax.codes"),
    Row("GR007", "empty-rule", "error", "language.syntax.codes"),
    Row("GR008", "too-large", "error", "language.syntax.codes"),
    Row("GR009", "stray-brace", "error", "language.syntax.codes"),
    Row("GR010", "misplaced-statement", "error", "language.syntax.codes"),
    Row("GR011", "unknown-statement", "error", "language.syntax.codes"),
    Row("GR012", "bad-number", "error", "language.syntax.codes"),
    Row("GR020", "missing-include", "error", "language.resolve.codes"),
    Row("GR021", "include-cycle", "error", "language.resolve.codes"),
    Row("GR022", "unknown-override", "error", "language.resolve.codes"),
    Row("GR023", "unknown-name", "error", "language.resolve.codes"),
    Row("GR024", "duplicate", "error", "language.resolve.codes"),
    Row("GR025", "unknown-capture", "error", "language.resolve.codes"),
    Row("GR026", "bad-value", "error", "language.resolve.codes"),
    Row("GR027", "unused-let", "warning", "language.resolve.codes"),
    Row("GR028", "frozen-options", "error", "language.resolve.codes"),
    Row("GR029", "misplaced-option", "error", "language.resolve.codes"),
    Row("GR030", "misspelt-option", "warning", "checks.misspelt_option"),
    Row("GR060", "bad-result", "error", "match.codes"),
    Row("GR061", "nothing-to-multiply", "error", "match.codes"),
    Row("GR062", "bad-selector", "error", "match.codes"),
    Row("GR063", "too-much-work", "error", "match.codes"),
    Row("GR064", "numbers-differ", "error", "match.codes"),
    Row("GR065", "tied-numbers", "error", "match.codes"),
    Row("GR101", "unmatched-parameter", "error", "checks.unmatched"),
    Row("GR102", "conflicting-options", "error", "checks.conflicting"),
    Row("GR103", "double-matched", "error", "checks.double_in_split"),
    Row("GR104", "composed-match", "note", "checks.composed"),
    Row("GR105", "rule-matches-nothing", "error", "checks.matches_nothing"),
    Row("GR106", "rule-never-decides", "warning", "checks.never_decides"),
    Row("GR107", "tied-pulled-two-ways", "warning", "checks.tied_conflict"),
    Row("GR108", "frozen-parameter-options", "warning", "checks.frozen_options"),
    Row("GR109", "unmatched-in-split", "error", "checks.unmatched_in_split"),
    Row("GR110", "unanswerable-question", "error", "checks.unanswerable"),
    Row("GR111", "failed-expectation", "error", "checks.expectation"),
    Row("GR112", "unused-allow", "warning", "checks.allowed"),
    Row("GR113", "nothing-to-train", "error", "checks.frozen_model"),
    Row("GR114", "rule-never-reached", "error", "checks.never_reached"),
    Row("GR115", "frozen-by-another-rule", "error", "checks.frozen_away"),
    Row("GR116", "idle-part", "note", "checks.idle_part"),
    Row("GR117", "tied-and-frozen", "error", "checks.tied_freeze"),
    Row("GR118", "unused-tag", "warning", "checks.unused_tag"),
    Row("GR119", "parameter-or-buffer", "note", "checks.parameter_or_buffer"),
    Row("GR120", "tied-by-one-name", "warning", "checks.tied_by_one_name"),
    Row("GR121", "possible-conflict", "warning", "checks.possible_conflict"),
    Row("GR122", "matches-no-name", "error", "checks.matches_no_name"),
    Row("GR201", "unknown-option", "error", "checks.unknown_option"),
    Row("GR202", "option-value", "error", "checks.option_value"),
    Row("GR203", "missing-lr", "warning", "checks.missing_lr"),
    Row("GR204", "unknown-optimizer", "error", "checks.unknown_optimizer"),
    Row("GR205", "unused-optimizer", "warning", "checks.unused_optimizer"),
    Row("GR206", "refused-parameters", "error", "checks.refused_parameters"),
    Row("GR210", "impossible-plan", "error", "checks.plan_options"),
    Row("GR211", "unreached-lr", "warning", "checks.unreached_lr"),
    Row("GR212", "claim-awaits-plan", "note", "checks.claim_awaits_plan"),
    Row("GR301", "norms-parted", "warning", "checks.norms_parted"),
    Row("GR302", "decay-reversed", "warning", "checks.decay_reversed"),
    Row("GR303", "label-contradicts", "warning", "checks.label_contradicts"),
    Row("GR304", "default-decay", "warning", "checks.default_decay"),
    Row("GR305", "word-takes-matrices", "warning", "checks.word_takes_matrices"),
    Row("GR306", "word-in-words", "warning", "checks.word_in_words"),
    Row("GR307", "word-over-models", "warning", "checks.word_over_models"),
    Row("GR308", "number-cut-short", "warning", "checks.number_cut_short"),
    Row("GR309", "anchor-of-one-branch", "warning", "checks.anchored_branch"),
    Row("GR310", "muon-parameters", "warning", "checks.muon_parameters"),
    Row("GR311", "adapters-and-others", "warning", "checks.adapters"),
    Row("GR312", "fan-in-of-another-layout", "warning", "checks.layout_of_fan_in"),
    Row("GR313", "siblings-parted", "warning", "checks.siblings_parted"),
    Row("GR314", "captures-of-two-lists", "warning", "checks.captures_of_two_lists"),
    Row("GR315", "robbed-else", "warning", "checks.robbed_else"),
    Row("GR316", "frozen-statistics", "note", "checks.frozen_statistics"),
    Row("GR317", "recurrence-decays", "warning", "checks.state_space_decay"),
    Row("GR318", "listed-decays", "note", "checks.listed_decays"),
    Row("GR319", "layer-rates", "warning", "checks.layer_rates"),
    Row("GR320", "zero-lr", "warning", "checks.zero_lr"),
    Row("GR321", "small-final", "warning", "checks.small_final"),
    Row("GR322", "high-warmup-start", "warning", "checks.high_warmup_start"),
    Row("GR323", "misspelt-part", "warning", "checks.misspelt_part"),
    Row("GR401", "not-a-model", "error", "model.codes"),
    Row("GR402", "broken-file", "error", "model.codes"),
    Row("GR403", "over-a-limit", "error", "model.codes"),
    Row("GR404", "unsupported-format", "error", "model.codes"),
    Row("GR405", "no-such-key", "error", "model.codes"),
    Row("GR406", "not-installed", "error", "model.codes"),
    Row("GR407", "unreachable", "error", "model.codes"),
    Row("GR408", "not-built", "error", "model.codes"),
    Row("GR409", "several-models", "note", "model.codes"),
    Row("GR410", "no-optimizer", "error", "model.codes"),
    Row("GR411", "failed-list", "error", "model.codes"),
    Row("GR412", "no-base-model", "error", "model.codes"),
    Row("GR501", "ranks-disagree", "error", "group.compare"),
    Row("GR502", "flattened-parameters", "error", "model.codes"),
    Row("GR503", "lock-changed", "error", "group.lock"),
    Row("GR601", "in-no-group", "error", "checks.audit.in_no_group"),
    Row("GR602", "in-two-groups", "error", "checks.audit.in_two_groups"),
    Row("GR603", "frozen-in-group", "note", "checks.audit.frozen_in_group"),
    Row("GR604", "not-of-model", "error", "checks.audit.not_of_model"),
    Row("GR605", "unread-key", "warning", "checks.audit.unread_key"),
    Row("GR606", "default-in-group", "warning", "checks.audit.default_in_group"),
    Row("GR607", "not-matched", "error", "checks.audit.not_matched"),
)


def find(word: str) -> Row | None:
    """The row with a code or name; None if there is none."""
    return next((row for row in ROWS if word.upper() == row.code or word == row.name), None)


def page(row: Row) -> str:
    """The page of a finding: the docstring of its check's file, or the text given with its code."""
    file = ast.parse(_source(f"grouper.{row.home}"))
    if row.home.startswith(CHECKS):
        return _clean(ast.get_docstring(file, clean=False) or "")
    for node in ast.walk(file):
        match node:
            case ast.Call(args=[ast.Constant(row.code), *_, ast.Constant(str(text))]):
                return _clean(text)
            case _:
                pass
    raise AssertionError(f"{row.home} does not define {row.code}")


def _clean(text: str) -> str:
    """Like `inspect.cleandoc`, whose import takes longer than everything else here."""
    first, *lines = text.expandtabs().split("\n")
    margin = min((len(line) - len(line.lstrip()) for line in lines if line.strip()), default=0)
    return "\n".join([first.lstrip(), *(line[margin:] for line in lines)]).strip("\n")


def _source(module: str) -> str:
    spec = find_spec(module)
    assert spec is not None
    loader: Any = spec.loader
    text: str = loader.get_source(module)
    return text
