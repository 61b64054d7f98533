"""Replaces the `include` statements of a file by the statements of the included files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from grouper.language.resolve import codes
from grouper.language.shipped import shipped_rules
from grouper.language.syntax import tree
from grouper.language.syntax.parser import MAX_SIZE, Parsed, parse
from grouper.text.dataclass import dataclass, field
from grouper.text.findings import Code, Finding, Label
from grouper.text.printable import shortened
from grouper.text.similar import did_you_mean
from grouper.text.source import Source

SUFFIX = ".rules"
MAX_DEPTH = 20
MAX_FILES = 200


def read(path: Path) -> Source:
    """The text of a rules file; bytes that are not UTF-8 are replaced, which the parser reports."""
    with open(path, "rb") as file:
        content = file.read(4 * MAX_SIZE + 1)
    return Source(content.decode("utf-8", "replace"), str(path))


@dataclass(frozen=True)
class Files:
    """How files are read and parsed. An editor has text that is not saved yet, and parses again
    and again."""

    read: Callable[[Path], Source] = read
    parse: Callable[[Source], Parsed] = parse


FILES = Files()


@dataclass
class Expansion:
    """Expands includes.

    `findings` are those of parsing all files and of finding them; `paths` are the included files.
    """

    access: Files = FILES
    findings: list[Finding] = field(default_factory=list)
    files: int = 0
    paths: list[Path] = field(default_factory=list)

    def statements(self, source: Source, above: tuple[Path, ...] = ()) -> Iterator[tree.Statement]:
        """All statements in order, none of them an `include`."""
        parsed = self.access.parse(source)
        self.findings.extend(parsed.findings)
        here = (*above, Path(source.path).resolve())
        for statement in parsed.file.statements:
            if isinstance(statement, tree.Include):
                yield from self._included(statement, source, here)
            else:
                yield statement

    def _included(
        self, include: tree.Include, source: Source, above: tuple[Path, ...]
    ) -> Iterator[tree.Statement]:
        path = find(include.path, Path(source.path).parent)
        if path is None:
            self._missing(include)
            return
        if not (path.suffix == path.resolve().suffix == SUFFIX):
            # a stranger's file must not have others printed: reports quote lines
            self._missing(include, f"only files whose names end in `{SUFFIX}` are included")
            return
        self.files += 1
        self.paths.append(path)
        if path.resolve() in above or len(above) > MAX_DEPTH or self.files > MAX_FILES:
            self._circle(include)
            return
        try:
            included = self.access.read(path)
        except OSError as error:
            self._missing(include, str(error.strerror))
            return
        yield from self.statements(included, above)

    def _missing(self, include: tree.Include, why: str = "") -> None:
        reason = f": {why}" if why else ""
        self._report(
            codes.MISSING_FILE,
            f"`{shortened(include.path)}` cannot be included{reason or ': there is no such file'}",
            include,
            did_you_mean(include.path, shipped_rules())
            or "write its path relative to this file, or the name of a shipped one",
        )

    def _circle(self, include: tree.Include) -> None:
        self._report(
            codes.INCLUDE_CYCLE,
            f"`{shortened(include.path)}` includes itself, or the includes go too far",
            include,
            "put what both files need into a third one",
        )

    def _report(self, code: Code, message: str, include: tree.Include, help: str) -> None:
        labels = (Label(include.span),) if include.span else ()
        self.findings.append(Finding(code, message, labels, help=help))


def included_files(source: Source) -> tuple[Path, ...]:
    """The files that a text includes, and those that they include."""
    expansion = Expansion()
    for _ in expansion.statements(source):
        pass
    return tuple(dict.fromkeys(expansion.paths))


def find(name: str, folder: Path) -> Path | None:
    """A rules file beside `folder`'s files, else a shipped one by its name."""
    beside = folder / name
    try:
        if beside.is_file():
            return beside
    except (OSError, ValueError):  # a name that no file can have
        return None
    return shipped_rules().get(name)
