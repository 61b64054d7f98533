"""Every row of the tables of output formats names a renderer that is there."""

from pathlib import Path
from pkgutil import resolve_name

import pytest
from support.commands import run

from grouper.monitor import formats as monitor_formats
from grouper.reports import formats
from grouper.reports.formats import CI

TABLES = {
    name: table
    for module in (formats, monitor_formats)
    for name, table in vars(module).items()
    if isinstance(table, formats.Formats)
}


@pytest.mark.parametrize("name", TABLES)
def test_every_row_names_a_renderer(name):
    for target in TABLES[name].renderers.values():
        assert callable(resolve_name(target)), target


def test_every_renderer_stands_in_a_table():
    package = Path(formats.__file__).parents[1]
    named = {target for table in TABLES.values() for target in table.renderers.values()}
    for path in package.rglob("*.py"):
        module = ".".join(path.relative_to(package.parent).with_suffix("").parts)
        for line in path.read_text("utf-8").splitlines():
            if line.startswith("def render_"):
                assert f"{module}:{line[4:].partition('(')[0]}" in named


def test_no_command_asks_for_a_format_by_its_name():
    for path in (Path(formats.__file__).parents[1] / "cli").glob("*.py"):
        assert "format ==" not in path.read_text("utf-8"), path.name


@pytest.mark.parametrize("name", CI)
@pytest.mark.parametrize("command", ["groups", "plan", "emit"])
def test_what_is_wrong_is_said_in_every_format(command, name, tmp_path, monkeypatch, capsys):
    rules = tmp_path / "short.rules"
    rules.write_text("optimizer SGD lr=0.1\nwarmup steps=100\nmodel.24.* -> head\n")
    length = () if command == "groups" else ("--steps", "40")
    arguments = (command, "examples/yolov5s.pt", str(rules), *length, "--format", name)
    status, out, err = run(capsys, *arguments)
    assert (status, err) == (1, "")
    assert "GR101" in out
    rules.write_text("optimizer SGD lr=0.1\nwarmup steps=100\n* -> all\n")
    status, out, err = run(capsys, *arguments)
    assert status == 0
    assert ("GR211" in out + err) == (command != "groups")
