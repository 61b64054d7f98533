"""One version of a rules file in an editor, and everything that is computed from its text.

Each step is computed once, when it is needed. A document never changes: an edit makes a new one.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Protocol

from grouper.api.check import check_rules
from grouper.checks.context import known_signatures
from grouper.checks.pipeline import checked, has_errors
from grouper.checks.report import Report
from grouper.editor.models import Models, is_looked_at, not_looked_at, stamp_of
from grouper.editor.names import Name, names_of
from grouper.editor.positions import Lines
from grouper.editor.scan import Scanned, all_tokens, scan, scan_one
from grouper.editor.tokens import Token
from grouper.language.resolve.includes import Files, find
from grouper.language.resolve.resolve import resolve
from grouper.language.ruleset import RuleSet
from grouper.language.syntax import tree
from grouper.language.syntax.parser import Parsed
from grouper.language.syntax.statements import Cut, Statement, cut
from grouper.match.assignment import Matches
from grouper.match.match_rules import match_rules
from grouper.model.base_model import BaseParameters, base_parameters
from grouper.model.errors import ModelError
from grouper.model.inventory import Inventory, Parameter
from grouper.text.dataclass import dataclass, field, replace
from grouper.text.findings import Finding, in_order, labels_at
from grouper.text.source import Source, Span


class Surroundings(Protocol):
    """What a document needs from the workspace: other files, and the models."""

    models: Models
    default_model: str | None

    def parse(self, source: Source, pieces: Cut | None = None) -> Parsed: ...

    def file(self, path: Path) -> Document: ...

    def stamp(self, path: str) -> object: ...


@dataclass(frozen=True)
class ModelReport:
    """The report on the rules for one model. `name` is the model's name in the file."""

    name: str
    report: Report


@dataclass(frozen=True)
class Taken:
    """The parameters of one model that a rule takes. `sure` is False if a statement above it that
    cannot be read might take some of them."""

    model: Inventory
    parameters: tuple[Parameter, ...]
    sure: bool = True


@dataclass
class Document:
    """A rules file; `stamps` are those of the files that its results depend on."""

    source: Source
    around: Surroundings
    stamps: dict[str, object] = field(default_factory=dict)
    _matches: dict[int, Matches] = field(default_factory=dict, repr=False)

    @property
    def text(self) -> str:
        return self.source.text

    @property
    def path(self) -> str:
        return self.source.path

    @property
    def folder(self) -> Path:
        """The folder that paths in the file are relative to."""
        return Path() if self.path.startswith("<") else Path(self.path).parent

    def is_current(self) -> bool:
        """Whether all files that it depends on are unchanged."""
        return all(self.around.stamp(path) == stamp for path, stamp in self.stamps.copy().items())

    @cached_property
    def _pieces(self) -> Cut:
        return cut(self.source)

    @cached_property
    def statements(self) -> tuple[Scanned, ...]:
        return scan(self._pieces)

    @cached_property
    def tokens(self) -> list[Token]:
        return all_tokens(self._pieces, self.statements)

    @cached_property
    def names(self) -> tuple[Name, ...]:
        return names_of(self.source, self.statements)

    @cached_property
    def parsed(self) -> Parsed:
        return self.around.parse(self.source, self._pieces)

    @cached_property
    def included(self) -> tuple[Document, ...]:
        """The files that this one includes, directly or indirectly, each once."""
        documents: dict[str, Document] = {}
        self._include(documents)
        return tuple(documents.values())

    def _include(self, known: dict[str, Document]) -> None:
        for statement in self.statements:
            path = self.included_path(statement)
            if path is None or str(path) in known or str(path) == self.path or len(known) > 200:
                continue
            try:
                self.stamps[str(path)] = self.around.stamp(str(path))
                document = self.around.file(path)
            except OSError:
                continue
            known[str(path)] = document
            document._include(known)

    def included_path(self, statement: Scanned) -> Path | None:
        """The file that an `include` names."""
        name = _string(statement) if statement.word == "include" else None
        return find(name, self.folder) if name is not None else None

    @cached_property
    def rules(self) -> RuleSet:
        return resolve(self.source, files=Files(self._read, self._parse))

    def _read(self, path: Path) -> Source:
        self.stamps[str(path)] = self.around.stamp(str(path))
        return self.around.file(path).source

    def _parse(self, source: Source) -> Parsed:
        if source is self.source:
            return self.parsed
        return next((d.parsed for d in self.included if d.source is source), None) or (
            self.around.parse(source)
        )

    @cached_property
    def model_paths(self) -> tuple[str, ...]:
        """The models that the file names, or else the editor's default model."""
        heads = (item.span for item in self._pieces.items if isinstance(item, Statement))
        scanned = [scan_one(span) for span in heads if span.text.startswith("for")]
        names = [path for s in scanned if s.word == "for" and (path := _string(s))]
        if names:
            paths = names if self.path.startswith("<") else [str(self.folder / n) for n in names]
            return tuple(dict.fromkeys(paths))
        return () if self.around.default_model is None else (self.around.default_model,)

    @cached_property
    def _models(self) -> tuple[tuple[tuple[str, Inventory], ...], tuple[Finding, ...]]:
        models, findings = [], []
        for path in self.model_paths:
            if not is_looked_at(path):
                findings.append(self._at_for(path, not_looked_at(path)))
                continue
            self.stamps[path] = stamp_of(path)
            try:
                models.append((path, self.around.models.read(path)))
            except ModelError as error:
                findings.append(self._at_for(path, error.finding))
        return tuple(models), tuple(findings)

    @property
    def models(self) -> tuple[tuple[str, Inventory], ...]:
        """The models that can be read, by path."""
        return self._models[0]

    def _at_for(self, path: str, finding: Finding) -> Finding:
        """A finding on a model, placed at the statement that names the model."""
        names = [
            statement.span
            for statement in self.parsed.file.statements
            if isinstance(statement, tree.For) and path.endswith(statement.path)
        ]
        return replace(finding, labels=labels_at(names[0] if names else Span(self.source, 0, 0)))

    @cached_property
    def _base(self) -> BaseParameters:
        path = self.rules.base_model
        if path is not None:
            self.stamps[path] = stamp_of(path)
        return base_parameters(path, self.around.models.read)

    def _read_base(self, _path: str | None) -> BaseParameters:
        return self._base

    @property
    def _base_is_looked_at(self) -> bool:
        return self.rules.base_model is None or is_looked_at(self.rules.base_model)

    @cached_property
    def reports(self) -> tuple[ModelReport, ...]:
        """The report on each model; empty if there is no model to read."""
        if not self._base_is_looked_at:
            return ()
        return tuple(ModelReport(path, self._report(inventory)) for path, inventory in self.models)

    def _report(self, inventory: Inventory) -> Report:
        signatures = known_signatures(self.rules)
        return checked(inventory, self.rules, signatures, self._read_base, self._match)

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """All findings on the file, with its models or on the rules alone."""
        others = list(self._models[1])
        base = self.rules.base_model
        if base is not None and not self._base_is_looked_at:
            others.append(not_looked_at(base))
        if not self.reports:
            return in_order((*check_rules(self.rules).findings, *others))
        findings: dict[tuple[object, ...], Finding] = {}
        for model in self.reports:
            for finding in model.report.findings:
                key = (finding.code.id, finding.span, finding.message)
                note = f"on `{model.name}`"
                several = len(self.reports) > 1
                with_note = replace(finding, notes=(*finding.notes, note)) if several else finding
                findings.setdefault(key, with_note)
        return in_order((*findings.values(), *others))

    @cached_property
    def taken(self) -> Mapping[int, tuple[Taken, ...]]:
        """The parameters that each rule of this file takes in each model, by the rule's offset."""
        by_rule: dict[int, list[Taken]] = {}
        if not self._base_is_looked_at:
            return {}
        whole = not has_errors(self.rules)
        for _, inventory in self.models:
            of_rules = self._of_rules(inventory)
            for rule in self.rules.rules:
                if rule.span is not None and rule.span.source is self.source:
                    sure = whole or not rule.otherwise
                    taken = Taken(inventory, tuple(of_rules.get(id(rule), ())), sure)
                    by_rule.setdefault(rule.span.start, []).append(taken)
        return {start: tuple(each) for start, each in by_rule.items()}

    def _of_rules(self, inventory: Inventory) -> Mapping[int, list[Parameter]]:
        """The parameters of each rule, by the rule's `id`, without rules that have errors."""
        matches = self._match(self.rules, inventory, self._base.parameters)
        if matches.limit is not None:
            return {}
        of_rules: dict[int, list[Parameter]] = {}
        for parameter, combination in zip(inventory.parameters, matches.combinations, strict=True):
            for rule in combination.rules:
                of_rules.setdefault(id(rule), []).append(parameter)
        return of_rules

    def _match(
        self, rules: RuleSet, inventory: Inventory, base: Mapping[str, Parameter] | None
    ) -> Matches:
        """What the rules match in a model, computed once for hints and for the report."""
        matches = self._matches.get(id(inventory))
        if matches is None:
            matches = self._matches[id(inventory)] = match_rules(rules, inventory, base)
        return matches

    def lines(self, encoding: str) -> Lines:
        """The lines of the text, with columns in a client's units."""
        known: dict[str, Lines] = self.__dict__.setdefault("_lines", {})
        return known.setdefault(encoding, Lines(self.text, encoding))  # type: ignore[arg-type]

    def statement_at(self, offset: int) -> Scanned | None:
        """The statement at an offset; in a split, the rule or the split's head."""
        return _statement_at(self.statements, offset)


def _statement_at(statements: tuple[Scanned, ...], offset: int) -> Scanned | None:
    for statement in statements:
        if statement.span.start <= offset <= statement.span.end:
            return statement
        if statement.block is not None and offset <= statement.block.span.end:
            inner = _statement_at(statement.inside, offset)
            if inner is not None:
                return inner
    return None


def _string(statement: Scanned) -> str | None:
    strings = [token.text for token in statement.tokens if token.text.startswith('"')]
    return strings[0].strip('"') if strings else None
