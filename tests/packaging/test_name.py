"""The distribution is `grouper-rules`; on the package index, `grouper` is a stranger's."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# `pip install grouper`, `uv pip install -U "grouper[plot]"`, `pip install -q 'grouper>=1'`, also
# over the end of a string or a line; and not `pip install path/to/grouper` or `grouper-rules`.
INSTALL = re.compile(
    r"""(?:pip3?|uv|pipx|poetry)\s+(?:install|add)\b[^`\n#;&|]*?[\s"'`]grouper(?![\w./-])"""
)
HISTORY = {"CHANGELOG.md"}  # says what was


def texts():
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True
    )
    if listed.returncode:
        pytest.skip("no checkout: the files of the project are not known")
    for name in listed.stdout.splitlines():
        path = ROOT / name
        if name in HISTORY or not path.is_file() or path.resolve() == Path(__file__).resolve():
            continue
        data = path.read_bytes()
        if b"\0" not in data:
            yield name, data.decode("utf-8", "replace")


def test_nothing_tells_to_install_the_strangers_package():
    found = [
        f"{name}:{text.count(chr(10), 0, match.start()) + 1}: {match[0]}"
        for name, text in texts()
        for match in INSTALL.finditer(text)
    ]
    assert not found


@pytest.mark.parametrize(
    ("command", "strangers"),
    [
        ("pip install grouper", True),
        ('pip install "grouper[plot]"', True),
        ("pip install -U 'grouper[ultralytics]'", True),
        ("python -m pip install -q torch grouper==1", True),
        ("uv add grouper", True),
        ("pip install .", False),
        ('pip install -e ".[test]"', False),
        ("pip install path/to/grouper", False),
        ("pip install grouper-rules", False),
        ("pip install . && grouper check model.pt my.rules", False),
    ],
)
def test_the_search_finds_what_it_is_for(command, strangers):
    assert bool(INSTALL.search(command)) == strangers


def test_the_distribution_has_another_name_than_the_package():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["name"] == "grouper-rules"
    assert project["scripts"] == {"grouper": "grouper.__main__:main"}
    assert (ROOT / "grouper" / "__init__.py").is_file()
