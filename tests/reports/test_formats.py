"""Every row of the tables of output formats names a renderer that is there."""

from pathlib import Path
from pkgutil import resolve_name

import pytest

from grouper.monitor import formats as monitor_formats
from grouper.reports import formats

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
