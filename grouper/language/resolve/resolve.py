"""From the syntax tree to the rule set: includes expanded, names bound, words checked."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import assert_never

from grouper.language.expressions import Scope, evaluate
from grouper.language.resolve import codes
from grouper.language.resolve.diagnostics import Diagnostics
from grouper.language.resolve.includes import FILES, Expansion, Files, find, read
from grouper.language.resolve.labels import LabelCheck
from grouper.language.resolve.option_check import OptionCheck
from grouper.language.resolve.rules import RuleResolver, block_captures
from grouper.language.resolve.schedule_options import check_beside
from grouper.language.resolve.training_statements import TrainingStatements
from grouper.language.resolve.variables import Variables
from grouper.language.resolve.word_check import WordCheck
from grouper.language.ruleset import Rule, RuleSet
from grouper.language.shipped import shipped_rules
from grouper.language.syntax import tree
from grouper.language.syntax.parser import parse_expression
from grouper.language.value_errors import BadValue
from grouper.options.plan_keys import PLAN
from grouper.options.read_only import ReadOnly
from grouper.options.values import Value
from grouper.text.addresses import without_secrets
from grouper.text.dataclass import replace
from grouper.text.findings import Severity, in_order
from grouper.text.printable import shortened, visible
from grouper.text.similar import did_you_mean
from grouper.text.source import Source, Span


def load(name: str | Path, variables: Mapping[str, Value] | None = None) -> RuleSet:
    """The rule set of a file, or of a shipped file by its name.

    Raises FileNotFoundError where there is neither, OSError where the file cannot be read; what
    is wrong inside the file is in `findings`.
    """
    path = find(str(name), Path())
    if path is None:
        raise _not_found(str(name))
    return resolve(read(path), variables)


def _not_found(name: str) -> OSError:
    shown = visible(shortened(without_secrets(name)))
    if name and os.path.exists(name):
        return OSError(
            f"`{shown}` is not a regular file: read rules from elsewhere as text, and"
            " `grouper.parse(text)` that"
        )
    hint = did_you_mean(name, shipped_rules())
    return FileNotFoundError(
        f"there is no rules file `{shown}`, and no shipped one of that name"
        + (f"; {hint}" if hint else "")
    )


def resolve(
    source: Source, variables: Mapping[str, Value] | None = None, files: Files = FILES
) -> RuleSet:
    """The rule set of a text. `variables` replace the values of the `let`s of their names."""
    expansion = Expansion(files)
    statements = tuple(expansion.statements(source))
    resolver = _Resolver(source, dict(variables or {}))
    resolver.take(statements)
    rules = resolver.finish(complete=not expansion.findings)
    findings = in_order([*expansion.findings, *resolver.diagnostics.findings])
    return replace(rules, findings=findings)


def assignment(text: str) -> tuple[str, Value]:
    """`x=expr`, as `--set` takes it. Raises ValueError with the reason."""
    name, equals, value = text.partition("=")
    if not equals or not name.strip().isidentifier():
        raise ValueError(f"`{text}` is not of the form `name=value`")
    try:
        return name.strip(), evaluate(parse_expression(value), Scope())
    except BadValue as error:
        raise ValueError(f"`{text}`: {error.message}") from None
    except ValueError as error:
        raise ValueError(f"`{text}`: {error}") from None


class _Resolver:
    """Resolves the statements in order. Faulty ones are reported and left out."""

    def __init__(self, source: Source, overrides: Mapping[str, Value]) -> None:
        self.source = source
        self.diagnostics = Diagnostics()
        self.variables = Variables(self.diagnostics, overrides)
        self.words = WordCheck(self.variables, self.diagnostics)
        self.options = OptionCheck(self.variables, self.words, self.diagnostics)
        self.training = TrainingStatements(self.variables, self.options, self.diagnostics)
        self.rule_resolver = RuleResolver(
            self.variables, self.words, self.options, self.diagnostics
        )
        self.rules: list[Rule] = []
        self.splits: dict[str, tree.Split] = {}
        self.expects: list[tree.Expect] = []
        self.allows: list[tree.Allow] = []
        self.tags: dict[str, Span | None] = {}
        self.models: list[str] = []
        self.base_model: tree.BaseModel | None = None
        self.strict = False

    def take(self, statements: Iterable[tree.Statement]) -> None:
        """Resolve statements in order."""
        statements = tuple(statements)
        later = {s.name: s for s in reversed(statements) if isinstance(s, tree.Let)}
        top_level = block_captures(s for s in statements if isinstance(s, tree.Rule))
        for statement in statements:
            if isinstance(statement, tree.BaseModel):
                self._base_model(statement)
        for statement in statements:
            if isinstance(statement, tree.Let):
                later.pop(statement.name, None)
                self.variables.declare(statement, later)
            else:
                self._statement(statement, top_level)

    def _statement(self, statement: tree.Statement, top_level: frozenset[str]) -> None:
        match statement:
            case tree.Rule():
                self.rules += self.rule_resolver.rules([statement], None, top_level)
            case tree.Split():
                self._split(statement)
            case tree.Optimizer():
                self.training.optimizer(statement)
            case tree.Warmup():
                self.training.take_warmup(statement)
            case tree.Schedule():
                self.training.take_schedule(statement)
            case tree.Expect():
                self.expects.append(statement)
            case tree.Allow():
                self.rule_resolver.selector(statement.selector)
                self.allows.append(statement)
            case tree.Tag(names=names, name_spans=spans):
                for index, name in enumerate(names):
                    self._tag(name, spans[index] if spans else None)
            case tree.For(path=path):
                # That of an included file speaks of that file alone.
                if statement.span is None or statement.span.source is self.source:
                    self.models.append(_beside(path, statement.span))
            case tree.Strict():
                self.strict = True
            case tree.Let() | tree.Include() | tree.BaseModel():
                pass  # taken already
            case _:
                assert_never(statement)

    def _tag(self, name: str, span: Span | None) -> None:
        if name in PLAN or name in ("lr", "optimizer", "freeze", "params", "name"):
            self.diagnostics.report(
                codes.MISPLACED_OPTION,
                f"`{name}` is read by grouper, and cannot be a tag",
                span,
                "remove it, or give the key another name",
            )
        self.tags.setdefault(name, span)

    def _base_model(self, statement: tree.BaseModel) -> None:
        if self.base_model is not None:
            self.diagnostics.twice("`base_model`", statement.span, self.base_model.span)
            return
        self.base_model = statement
        self.words.base_model = _beside(statement.path, statement.span)

    def _split(self, split: tree.Split) -> None:
        if split.name in self.splits:
            first = self.splits[split.name]
            self.diagnostics.twice(f"the split `{split.name}`", split.span, first.span)
            return
        self.splits[split.name] = split
        self.rules += self.rule_resolver.rules(split.rules, split.name, block_captures(split.rules))

    def finish(self, complete: bool) -> RuleSet:
        """The rule set. What could be said only of a whole file waits for `complete`."""
        if complete:
            self.training.check_optimizer_names(self.rules)
            check_beside(self.rules, self.tags, self.variables.values, self.diagnostics)
            labels = LabelCheck(self.rules, self.variables, self.diagnostics)
            labels.splits()
            for call in self.words.labels:
                labels.call(call)
            for expect in self.expects:
                labels.claim(expect)
            self._overrides()
            if not any(f.severity is Severity.ERROR for f in self.diagnostics.findings):
                self._unused()
        return RuleSet(
            rules=tuple(self.rules),
            splits=tuple(self.splits),
            optimizers=tuple(self.training.optimizers),
            warmup=self.training.warmup,
            schedule=self.training.schedule,
            schedules=ReadOnly(self.training.schedules),
            tags=tuple(self.tags),
            tag_spans=dict(self.tags),
            variable_spans=self.variables.spans(),
            models=tuple(self.models),
            base_model=self.words.base_model,
            expects=tuple(self.expects),
            allows=tuple(self.allows),
            strict=self.strict,
            variables=ReadOnly(self.variables.known()),
            path=self.source.path,
        )

    def _overrides(self) -> None:
        for name in self.variables.overrides:
            if name not in self.variables.lets:
                declared = ", ".join(f"`{name}`" for name in self.variables.lets) or "none"
                self.diagnostics.report(
                    codes.UNKNOWN_OVERRIDE,
                    f"`{name}` is set by the caller, and no `let` of `{self.source.path}` declares"
                    " it",
                    None,
                    did_you_mean(name, self.variables.lets) or f"its variables: {declared}",
                )

    def _unused(self) -> None:
        for name, let in self.variables.lets.items():
            own = let.span is not None and let.span.source is self.source
            if own and name not in self.variables.used:
                self.diagnostics.report(
                    codes.UNUSED_LET,
                    f"the variable `{name}` is never used",
                    let.name_span,
                    "use it, or remove it",
                )


def _beside(path: str, span: Span | None) -> str:
    """A path, relative to the folder of the file in which it stands."""
    if span is None or span.source.path.startswith("<"):
        return path
    return str(Path(span.source.path).parent / path)
