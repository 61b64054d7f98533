"""From the syntax tree to the rule set: includes expanded, names bound, words checked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from grouper.findings import Code, Edit, Finding, Label, in_order
from grouper.resources import shipped_rules
from grouper.ruleset import codes
from grouper.ruleset.expressions import FACTS, FUNCTIONS, BadValue, Scope, evaluate, show
from grouper.ruleset.includes import Expansion, find, read
from grouper.ruleset.model import PLAN_KEYS, Optimizer, Rule, RuleSet, Schedule, Value, Warmup
from grouper.ruleset.schedules import PLAN, SCHEDULES, WARMUP, Kind
from grouper.ruleset.words import calls, captures, comparisons, possible_captures, words
from grouper.source import Source, Span
from grouper.syntax import tree
from grouper.syntax.near import near, similar
from grouper.syntax.parser import parse_expression

EXPECT_FUNCTIONS = ("count", "numel")


def load(name: str | Path, variables: Mapping[str, Value] | None = None) -> RuleSet:
    """The rule set of a file, or of a shipped file by its name.

    Raises FileNotFoundError where there is neither, OSError where the file cannot be read; what
    is wrong inside the file is in `findings`.
    """
    path = find(str(name), Path())
    if path is None:
        hint = similar("shipped file", str(name), shipped_rules())
        raise FileNotFoundError(
            f"there is no rules file `{name}`, and no shipped one of that name"
            + (f"; {hint}" if hint else "")
        )
    return resolve(read(path), variables)


def resolve(source: Source, variables: Mapping[str, Value] | None = None) -> RuleSet:
    """The rule set of a text. `variables` replace the values of the `let`s of their names."""
    expansion = Expansion()
    statements = tuple(expansion.statements(source))
    resolver = Resolver(source, dict(variables or {}))
    for statement in statements:
        resolver.take(statement)
    rules = resolver.finish(complete=not expansion.findings)
    findings = in_order([*expansion.findings, *resolver.findings])
    return RuleSet(**{**rules, "findings": findings})


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


class Resolver:
    """Takes the statements in order. What is faulty is reported and left out."""

    def __init__(self, source: Source, overrides: dict[str, Value]) -> None:
        self.source = source
        self.overrides = overrides
        self.findings: list[Finding] = []
        self.variables: dict[str, Value] = {}
        self.lets: dict[str, tree.Let] = {}
        self.used: set[str] = set()
        self.rules: list[Rule] = []
        self.splits: dict[str, tree.Split] = {}
        self.optimizers: list[Optimizer] = []
        self.warmup: Warmup | None = None
        self.schedule: Schedule | None = None
        self.expects: list[tree.Expect] = []
        self.allows: list[tree.Allow] = []
        self.strict = False

    def take(self, statement: tree.Statement) -> None:
        """Resolve one statement."""
        match statement:
            case tree.Let():
                self._let(statement)
            case tree.Rule():
                self._rule(statement, None)
            case tree.Split():
                self._split(statement)
            case tree.Optimizer():
                self._optimizer(statement)
            case tree.Warmup():
                self._warmup(statement)
            case tree.Schedule():
                self._schedule(statement)
            case tree.Expect():
                self.expects.append(statement)
            case tree.Allow():
                self._comparisons(statement.selector)
                self.allows.append(statement)
            case tree.Strict():
                self.strict = True

    def finish(self, complete: bool) -> dict[str, Any]:
        """The rule set's fields. What could be said only of a whole file waits for `complete`."""
        if complete:
            self._optimizer_names()
            self._labels_of_splits()
            for expect in self.expects:
                self._expect(expect)
            self._overrides()
            if not self.findings:
                self._unused()
        return {
            "rules": tuple(self.rules),
            "splits": tuple(self.splits),
            "optimizers": tuple(self.optimizers),
            "warmup": self.warmup,
            "schedule": self.schedule,
            "expects": tuple(self.expects),
            "allows": tuple(self.allows),
            "strict": self.strict,
            "variables": MappingProxyType(dict(self.variables)),
            "path": self.source.path,
        }

    # --- variables ---

    def _let(self, let: tree.Let) -> None:
        if let.name in self.lets:
            self._twice(f"the variable `{let.name}`", let.name_span, self.lets[let.name].name_span)
            return
        if let.name in FACTS or let.name in FUNCTIONS:
            self._report(
                codes.DUPLICATE,
                f"`{let.name}` is a fact or a function, and cannot name a variable",
                let.name_span,
                "choose another name",
            )
            return
        self.lets[let.name] = let
        value = self._value(let.value)
        self.variables[let.name] = self.overrides.get(let.name, value)

    def _overrides(self) -> None:
        for name in self.overrides:
            if name not in self.lets:
                declared = ", ".join(f"`{name}`" for name in self.lets) or "none"
                self._report(
                    codes.UNKNOWN_OVERRIDE,
                    f"`{name}` is set by the caller, and no `let` of `{self.source.path}` declares"
                    " it",
                    None,
                    similar("variable", name, self.lets) or f"its variables: {declared}",
                )

    def _unused(self) -> None:
        for name, let in self.lets.items():
            own = let.span is not None and let.span.source is self.source
            if own and name not in self.used:
                self._report(
                    codes.UNUSED_LET,
                    f"the variable `{name}` is never used",
                    let.name_span,
                    "use it, or take it away",
                )

    # --- rules ---

    def _split(self, split: tree.Split) -> None:
        if split.name in self.splits:
            self._twice(f"the split `{split.name}`", split.span, self.splits[split.name].span)
            return
        self.splits[split.name] = split
        for rule in split.rules:
            self._rule(rule, split.name)

    def _rule(self, rule: tree.Rule, split: str | None) -> None:
        before = len(self.findings)
        sure, possible = captures(rule.selector), possible_captures(rule.selector)
        self._label(rule, sure, possible)
        self._keys(rule.options)
        self._comparisons(rule.selector)
        for option in rule.options:
            self._option(option, sure, possible)
        self._freeze(rule)
        if len(self.findings) == before:
            self.rules.append(
                Rule(
                    rule.selector,
                    rule.label,
                    rule.options,
                    split,
                    rule.otherwise,
                    rule.override,
                    rule.span,
                )
            )

    def _label(self, rule: tree.Rule, sure: frozenset[str], possible: frozenset[str]) -> None:
        for piece in rule.label.pieces if rule.label else ():
            if isinstance(piece, tree.Word):
                self._capture(piece, sure, possible)

    def _capture(self, word: tree.Word, sure: frozenset[str], possible: frozenset[str]) -> None:
        if word.name in sure:
            return
        if word.name in possible:
            self._report(
                codes.UNKNOWN_CAPTURE,
                f"`{word.name}` is captured only in some alternatives of the selector",
                word.span,
                "write a rule for each alternative",
            )
            return
        self._report(
            codes.UNKNOWN_CAPTURE,
            f"the selector captures no number `{word.name}`",
            word.span,
            similar("capture", word.name, possible)
            or f"write `{{{word.name}}}` in the selector where the number stands",
        )

    def _keys(self, options: Iterable[tree.Option]) -> None:
        first: dict[str, tree.Option] = {}
        for option in options:
            if option.key in first:
                self._twice(f"the key `{option.key}`", option.span, first[option.key].span)
            first.setdefault(option.key, option)

    def _option(self, option: tree.Option, sure: frozenset[str], possible: frozenset[str]) -> None:
        if option.key in ("optimizer", "schedule") and option.operator == "*=":
            self._report(
                codes.MISPLACED_OPTION,
                f"`{option.key}` is a word, and cannot be multiplied",
                option.span,
                f"write `{option.key}=...`",
            )
            return
        known = {*sure, *FACTS, *self.variables}
        faulty = self._words(option.value, known, option.key == "lr", sure, possible)
        if faulty or any(word.name in {*sure, *FACTS} for word, _ in words(option.value)):
            return
        if any(call.function == "max" for call in calls(option.value)) and possible:
            return
        value = self._value(option.value)
        kind = PLAN.get(option.key)
        if kind and option.operator == "=" and value is not _FAULTY:
            self._kind(option, value, kind)

    def _freeze(self, rule: tree.Rule) -> None:
        flags = [option for option in rule.options if option.operator == "flag"]
        others = [option for option in rule.options if option.operator != "flag"]
        if flags and others:
            self._report(
                codes.FROZEN_OPTIONS,
                f"`{others[0].key}` has no effect beside `freeze`",
                others[0].span,
                "frozen parameters are in no group: take away one or the other",
                also=flags[0].span,
            )

    def _words(
        self,
        expression: tree.Expression,
        known: Iterable[str],
        number_due: bool,
        sure: frozenset[str] = frozenset(),
        possible: frozenset[str] = frozenset(),
    ) -> bool:
        """Check the names in an expression; whether any of them is faulty."""
        before = len(self.findings)
        known = set(known)
        for call in calls(expression):
            if call.function not in FUNCTIONS:
                self._unknown("function", call.function, FUNCTIONS, call.span)
            if call.function == "max" and len(call.arguments) == 1:
                argument = call.arguments[0]
                if isinstance(argument, tree.Word):
                    self._capture(argument, sure, possible)
        if len(self.findings) > before:
            return True
        for word, due in words(expression, number_due):
            if word.name in self.variables:
                self.used.add(word.name)
            elif due and word.name not in known and word.name not in possible:
                self._unknown("variable", word.name, known, word.span)
            elif due and word.name in possible:
                self._capture(word, sure, possible)
        return len(self.findings) > before

    def _comparisons(self, selector: tree.Selector | None) -> None:
        for comparison in comparisons(selector):
            left = comparison.left
            numeric = not (isinstance(left, tree.Word) and left.name == "dtype")
            self._words(comparison.right, {*self.variables, *FACTS}, numeric)
            if isinstance(left, tree.Subscript):
                self._words(left.index, self.variables, True)

    # --- optimizers and the plan ---

    def _optimizer(self, statement: tree.Optimizer) -> None:
        options, spans = self._settings(statement.options, None, "optimizer")
        self.optimizers.append(
            Optimizer(statement.name, statement.alias, options, statement.span, spans)
        )

    def _optimizer_names(self) -> None:
        names = Counter(optimizer.alias or optimizer.name for optimizer in self.optimizers)
        seen: dict[str, Optimizer] = {}
        for optimizer in self.optimizers:
            name = optimizer.alias or optimizer.name
            if name in seen:
                self._twice(
                    f"an optimizer `{name}`",
                    optimizer.span,
                    seen[name].span,
                    "give each its own name: `optimizer SGD as body ...`",
                )
            seen.setdefault(name, optimizer)
        for rule in self.rules:
            for option in rule.options:
                if option.key == "optimizer":
                    self._declared(option, names)

    def _declared(self, option: tree.Option, names: Mapping[str, int]) -> None:
        value = self._value(option.value)
        if value not in names and value is not _FAULTY:
            self._unknown("optimizer", str(value), names, option.value.span)

    def _warmup(self, statement: tree.Warmup) -> None:
        if self.warmup is not None:
            self._twice("`warmup`", statement.span, self.warmup.span)
            return
        given, spans = self._settings(statement.options, WARMUP, "warmup")
        if "epochs" in given and "steps" in given:
            self._report(
                codes.BAD_VALUE,
                "a warm-up is so many epochs long or so many steps, not both",
                spans["steps"],
                "take one of them away",
                also=spans["epochs"],
            )
        values = {name: given.get(name, default) for name, (_, default) in WARMUP.items()}
        self.warmup = Warmup(**values, span=statement.span)  # type: ignore[arg-type]

    def _schedule(self, statement: tree.Schedule) -> None:
        if self.schedule is not None:
            self._twice("`schedule`", statement.span, self.schedule.span)
            return
        options = SCHEDULES.get(statement.name)
        if options is None:
            self._unknown("schedule", statement.name, SCHEDULES, statement.span)
            return
        given, spans = self._settings(statement.options, options, f"schedule {statement.name}")
        self._schedule_needs(statement, given, spans)
        self.schedule = Schedule(statement.name, given, statement.span)

    def _schedule_needs(
        self, statement: tree.Schedule, given: Mapping[str, Value], spans: Mapping[str, Span]
    ) -> None:
        pairs = {"step": ("size", "milestones"), "exponential": ("gamma", "final")}
        if statement.name not in pairs:
            return
        first, second = pairs[statement.name]
        if (first in given) == (second in given):
            self._report(
                codes.BAD_VALUE,
                f"`schedule {statement.name}` needs `{first}` or `{second}`"
                + (", not both" if first in given else ""),
                spans.get(second, statement.span),
                f"write one of them, such as `{first}=`",
            )

    def _settings(
        self,
        options: tuple[tree.Option, ...],
        known: Mapping[str, tuple[Kind, Value]] | None,
        where: str,
    ) -> tuple[Mapping[str, Value], Mapping[str, Span]]:
        """The evaluated options of a statement, and their places."""
        self._keys(options)
        values: dict[str, Value] = {}
        spans: dict[str, Span] = {}
        for option in options:
            if option.operator != "=" or (known is None and option.key in PLAN_KEYS):
                self._report(
                    codes.MISPLACED_OPTION,
                    f"`{option.key}{'' if option.operator == 'flag' else option.operator}` has no"
                    f" meaning in `{where}`",
                    option.span,
                    "statements only set (`key=value`); the plan's keys belong to"
                    " `warmup` and `schedule`",
                )
                continue
            if known is not None and option.key not in known:
                self._unknown("option", option.key, known, option.key_span)
                continue
            if self._words(option.value, self.variables, option.key == "lr"):
                continue
            value = self._value(option.value)
            if value is _FAULTY or (known and not self._kind(option, value, known[option.key][0])):
                continue
            values[option.key] = value
            if option.span is not None:
                spans[option.key] = option.span
        return MappingProxyType(values), MappingProxyType(spans)

    def _kind(self, option: tree.Option, value: Value, kind: Kind) -> bool:
        due, test = kind
        if test(value):
            return True
        candidates = [*self.variables, *(SCHEDULES if option.key == "schedule" else ())]
        hint = similar("name", value, candidates) if isinstance(value, str) else None
        self._report(
            codes.BAD_VALUE,
            f"`{option.key}` must be {due}, not {show(value)}",
            option.value.span,
            hint or f"give `{option.key}` {due}",
        )
        return False

    # --- claims ---

    def _expect(self, expect: tree.Expect) -> None:
        claim = expect.claim
        parts = (
            (claim.left, claim.right)
            if isinstance(claim, tree.Comparison)
            else (claim.value, claim.first, claim.last)
        )
        for part in parts:
            self._claim(part)

    def _claim(self, part: tree.Expression) -> None:
        labels = [rule.label for rule in self.rules if rule.label]
        for found in attributes(part):
            self._claimed_label(found.label, labels, found.span)
        for call in calls(part):
            if call.function in EXPECT_FUNCTIONS:
                for argument in call.arguments:
                    name = label_of(argument)
                    if name is None or len(call.arguments) != 1:
                        self._report(
                            codes.BAD_VALUE,
                            f"`{call.function}` takes one label",
                            call.span,
                            f"write `{call.function}(head)`",
                        )
                    else:
                        self._claimed_label(name, labels, argument.span)
            elif call.function not in FUNCTIONS:
                self._unknown("function", call.function, [*FUNCTIONS, *EXPECT_FUNCTIONS], call.span)
        inside = {id(a) for c in calls(part) if c.function in EXPECT_FUNCTIONS for a in c.arguments}
        for word, _ in words(part):
            if id(word) in inside or word.name == "frozen":
                continue
            if word.name in self.variables:
                self.used.add(word.name)

    def _claimed_label(self, name: str, labels: list[tree.Label], span: Span | None) -> None:
        if any(could_be(label, name) for label in labels):
            return
        self._unknown("label", name, [label_text(label) for label in labels], span)

    def _labels_of_splits(self) -> None:
        owner: dict[str, Rule] = {}
        for rule in self.rules:
            if rule.split is None or rule.label is None:
                continue
            name = label_text(rule.label)
            first = owner.setdefault(name, rule)
            if first.split != rule.split:
                self._twice(
                    f"the label `{name}`",
                    rule.label.span,
                    first.label.span if first.label else None,
                    f"the splits `{first.split}` and `{rule.split}` need labels of their own",
                )

    # --- reporting ---

    def _value(self, expression: tree.Expression) -> Any:
        """The value of an expression of variables, or _FAULTY, reported."""
        for word, _ in words(expression):
            if word.name in self.variables:
                self.used.add(word.name)
        if any(self.variables.get(word.name) is _FAULTY for word, _ in words(expression)):
            return _FAULTY
        try:
            return evaluate(expression, Scope(self.variables))
        except BadValue as error:
            named = [word.name for word, _ in words(expression) if word.name not in self.variables]
            hints = (similar("variable", name, self.variables) for name in named)
            help = error.help or next((h for h in hints if h), None)
            self._report(codes.BAD_VALUE, error.message, error.span, help or "correct the value")
            return _FAULTY

    def _unknown(self, kind: str, name: str, candidates: Iterable[str], span: Span | None) -> None:
        candidates = list(candidates)
        listed = ", ".join(f"`{candidate}`" for candidate in sorted(candidates)[:12])
        best = near(name, candidates, limit=1)
        exact = span is not None and span.text == name
        edit = (Edit(span, best[0]),) if best and span is not None and exact else ()
        self.findings.append(
            Finding(
                codes.UNKNOWN_NAME,
                f"there is no {kind} `{name}`",
                (Label(span),) if span else (),
                help=similar(kind, name, candidates)
                or (f"there are {listed}" if listed else f"no {kind} is declared"),
                edits=edit,
            )
        )

    def _twice(
        self, what: str, span: Span | None, first: Span | None, help: str = "keep one of them"
    ) -> None:
        self._report(codes.DUPLICATE, f"{what} is declared twice", span, help, also=first)

    def _report(
        self,
        code: Code,
        message: str,
        span: Span | None,
        help: str,
        also: Span | None = None,
    ) -> None:
        labels = [Label(span)] if span else []
        if also is not None:
            labels.append(Label(also, "the other one"))
        self.findings.append(Finding(code, message, tuple(labels), help=help))


class _Faulty:
    """The value of an expression whose fault is reported already."""


_FAULTY: Any = _Faulty()


def attributes(expression: tree.Expression) -> list[tree.Attribute]:
    """Every `label.key` of an expression."""
    match expression:
        case tree.Attribute():
            return [expression]
        case tree.Unary(operand=operand):
            return attributes(operand)
        case tree.Binary(left=left, right=right):
            return attributes(left) + attributes(right)
        case tree.Call(arguments=items) | tree.Tuple(items=items):
            return [found for item in items for found in attributes(item)]
    return []


def label_of(expression: tree.Expression) -> str | None:
    """The label that the argument of `count` or `numel` names."""
    match expression:
        case tree.Word(name=name) | tree.String(value=name):
            return name
    return None


def label_text(label: tree.Label) -> str:
    """A label as it is written: `block{i}`."""
    return "".join(
        f"{{{piece.name}}}" if isinstance(piece, tree.Word) else piece.text
        for piece in label.pieces
    )


def could_be(label: tree.Label, name: str) -> bool:
    """Whether a label can read `name` once its captures are filled in."""
    rest = [name]
    for piece in label.pieces:
        take: Callable[[str], list[str]] = (
            _without_number if isinstance(piece, tree.Word) else _without(piece.text)
        )
        rest = [tail for head in rest for tail in take(head)]
    return "" in rest


def _without(text: str) -> Callable[[str], list[str]]:
    return lambda name: [name[len(text) :]] if name.startswith(text) else []


def _without_number(name: str) -> list[str]:
    digits = len(name) - len(name.lstrip("0123456789"))
    return [name[i:] for i in range(1, digits + 1)]
