"""The lists of CONTRIBUTING.md: their files exist, and tables have every file of their folders."""

import ast
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

import grouper
from grouper.checks.audit.table import AUDITS
from grouper.checks.table import CHECKS
from grouper.cli.main import COMMANDS
from grouper.generate.convert.systems import SYSTEMS
from grouper.integrations import FRAMEWORKS
from grouper.model.read import files, folders
from grouper.options.schedules import SCHEDULES
from grouper.reports import formats

ROOT = Path(grouper.__file__).parent.parent
TEXT = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
LISTS = dict(re.findall(r"### (To add .*?)\n(.*?)(?=\n##|\Z)", TEXT, re.S))


def files_of(folder: str) -> set[str]:
    return {path.stem for path in (ROOT / "grouper" / folder).glob("*.py")} - {"__init__"}


def modules_in(rows: object) -> set[str]:
    return {row.__name__.rpartition(".")[2] for row in rows}  # type: ignore[attr-defined]


def imports_of(path: Path) -> Iterator[str]:
    """The full names that a file's `from` imports bring in, wherever in it they stand."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def reached_from(start: str, folder: str) -> set[str]:
    """The files of a folder that a module imports, or that those import, and so on."""
    package = f"grouper.{folder}.".replace("/", ".")
    reached: set[str] = set()
    waiting = [ROOT / "grouper" / f"{start}.py"]
    while waiting:
        names = {n.removeprefix(package).split(".")[0] for n in imports_of(waiting.pop())}
        new = (names & files_of(folder)) - reached
        reached |= new
        waiting += [ROOT / "grouper" / folder / f"{name}.py" for name in new]
    return reached


@pytest.mark.parametrize("title", LISTS)
def test_listed_files_exist(title: str) -> None:
    named = re.findall(
        r"`((?:grouper|grammars|tests|docs|examples)/[\w/.]*|README\.md)`", LISTS[title]
    )
    assert named
    missing = [name for name in named if "NAME" not in name and not (ROOT / name).exists()]
    assert not missing


def test_there_are_nine_lists() -> None:
    assert [title.split()[-1] for title in LISTS] == [
        "selector", "check", "audit", "schedule", "format", "format", "trainer", "command",
        "system",
    ]  # fmt: skip


def test_every_check_is_in_the_table() -> None:
    pages = {
        name
        for name in files_of("checks")
        if hasattr(import_module(f"grouper.checks.{name}"), "CODE")
    }
    of_plans = {"unreached_lr", "plan_claims"}  # `run_on_plan` asks them
    assert pages - {"allowed", *of_plans} == modules_in(check.module for check in CHECKS)


def test_every_check_of_an_audit_is_in_the_table() -> None:
    pages = {
        name
        for name in files_of("checks/audit")
        if hasattr(import_module(f"grouper.checks.audit.{name}"), "CODE")
    }
    assert pages == modules_in(AUDITS)


def test_every_schedule_is_in_the_table() -> None:
    homes = {schedule.function.__module__.rpartition(".")[2] for schedule in SCHEDULES.values()}
    assert files_of("options/schedules") - {"schedule_type"} == homes


def test_every_model_format_is_reached_from_the_tables() -> None:
    """A row reads a format; some rows are families, such as JSON files, whose file has the rest."""
    assert modules_in((*files(), *folders())) <= files_of("model/formats")
    assert files_of("model/formats") == reached_from("model/read", "model/formats")


def test_every_trainer_is_in_the_table() -> None:
    listed = {name for files in FRAMEWORKS.values() for name in files}
    assert files_of("integrations") == listed
    assert all(name == files[0] for name, files in FRAMEWORKS.items())


def test_every_command_is_in_the_table() -> None:
    commands = {
        name
        for name in files_of("cli")
        if {"add", "run"} <= vars(import_module(f"grouper.cli.{name}")).keys()
    }
    assert commands == set(COMMANDS)


def test_every_output_format_is_in_the_table() -> None:
    tables = [value for value in vars(formats).values() if isinstance(value, formats.Formats)]
    rows = {row for table in tables for row in table.renderers.values()}
    modules = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for path in (ROOT / "grouper" / "reports").rglob("*.py")
    ]
    renderers = {
        f"{module}:{name}"
        for module in modules
        for name, function in vars(import_module(module)).items()
        if name.startswith("render_") and function.__module__ == module
    }
    assert renderers == rows


def test_every_system_is_in_the_table() -> None:
    systems = {
        name
        for name in files_of("generate/convert")
        if {"recognises", "convert"}
        <= vars(import_module(f"grouper.generate.convert.{name}")).keys()
    }
    assert systems == {s.convert.__module__.rpartition(".")[2] for s in SYSTEMS.values()}
