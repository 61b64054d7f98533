"""The public names are seen: by `dir`, by `help`, by completion, and by type checkers."""

import inspect
import pydoc
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

import grouper
from grouper.integrations import FRAMEWORKS

ROOT = Path(__file__).parents[2]
RIGHT = [
    *(f"grouper.{name}" for name in grouper.__all__),
    *(f"grouper.integrations.{name}" for name in FRAMEWORKS),
    'grouper.check("m.pt", "yolov5", key="model").ok',
    "grouper.load('a.rules', base=0.02).findings",
    'grouper.plan("m.pt", "yolov5", steps_per_epoch=3, epochs=2).at(0)["head"]["lr"] * 2',
    'grouper.plan("m.pt", "yolov5", steps_per_epoch=3, epochs=2).plot("a.svg").save("b.svg")',
]
WRONG = {
    "grouper.chek": "chek",
    "grouper.parm_groups": "parm_groups",
    "grouper.integrations.ultralitics": "ultralitics",
    'grouper.check("m.pt", "yolov5").oks': "oks",
    'grouper.check("m.pt", "yolov5", kye="model")': "kye",
    'grouper.plan("m.pt", "yolov5", steps_per_epoch=3, epochs=2).schedular': "schedular",
    "grouper.load(3)": "",
}


def test_dir_shows_what_can_be_used():
    names = dir(grouper)
    needs_torch = set() if find_spec("torch") else {"Monitor", "load_optimizer_state"}
    assert set(grouper.__all__) - needs_torch < set(names)
    assert set(names) - set(grouper.__all__) == {"integrations", "__version__"}
    assert all(hasattr(grouper, name) for name in names)
    assert set(dir(grouper.integrations)) <= set(FRAMEWORKS)


def test_help_shows_the_calls():
    shown = pydoc.plain(pydoc.render_doc(grouper))
    for name in set(grouper.__all__) & set(dir(grouper)):
        kind = "class " if inspect.isclass(getattr(grouper, name)) else ""
        assert re.search(rf"^    {kind}{name}\b", shown, re.MULTILINE), name
    for name in re.findall(r"grouper\.(\w+)\(", grouper.__doc__):
        assert name in grouper.__all__


def test_help_without_torch():
    """Where nothing is installed but lark and rich, names that need torch are not shown."""
    code = (
        "import sys, pydoc; sys.modules['torch'] = None\n"
        "import importlib.util as u; find = u.find_spec\n"
        "u.find_spec = lambda name, *a: None if name == 'torch' else find(name, *a)\n"
        "import grouper; print('Monitor' in dir(grouper)); print(pydoc.render_doc(grouper)[:99])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("False\n")


def test_completion_of_a_session():
    completer = pytest.importorskip("IPython.core.completer")
    from IPython.core.interactiveshell import InteractiveShell

    shell = InteractiveShell.instance()
    shell.run_cell("import grouper")
    shell.Completer.use_jedi = False
    assert completer
    _, found = shell.complete("grouper.bu", "grouper.bu", 10)
    assert any(name.endswith("build_optimizer") for name in found)
    _, found = shell.complete("grouper.", "grouper.", 8)
    assert {name.removeprefix("grouper").removeprefix(".") for name in found} <= set(dir(grouper))


@pytest.fixture(scope="module")
def script(tmp_path_factory):
    """A script of right uses, and then of wrong ones."""
    path = tmp_path_factory.mktemp("typed") / "uses.py"
    path.write_text("\n".join(["import grouper", *RIGHT, *WRONG]) + "\n", "utf-8")
    return path


def faulty_lines(text):
    """The lines of the script of which a checker says something."""
    return {int(line) for line in re.findall(r"uses\.py:(\d+)", text)}


def is_told_apart(text):
    lines = faulty_lines(text)
    first = 2 + len(RIGHT)
    expected = set(range(first, first + len(WRONG)))
    assert lines - expected == set(), text
    assert expected - lines == set(), text
    assert all(word in text for word in WRONG.values())


@pytest.mark.skipif(find_spec("mypy") is None, reason="mypy is not installed")
@pytest.mark.slow
def test_mypy_sees_misspelt_names(script):
    settings = script.with_name("mypy.ini")
    settings.write_text(
        "[mypy]\nfollow_imports = silent\nignore_missing_imports = true\n"
        "[mypy-torch.*,ultralytics.*,matplotlib.*,numpy.*]\nfollow_imports = skip\n"
    )
    command = [sys.executable, "-m", "mypy", "--config-file", str(settings), "--no-incremental"]
    done = subprocess.run([*command, str(script)], capture_output=True, text=True, cwd=ROOT)
    is_told_apart(done.stdout)


@pytest.mark.skipif(find_spec("pyright") is None, reason="pyright is not installed")
@pytest.mark.slow
def test_pyright_sees_misspelt_names(script):
    settings = script.with_name("pyrightconfig.json")
    settings.write_text(f'{{"extraPaths": ["{ROOT}"], "reportUnusedExpression": false}}', "utf-8")
    command = [sys.executable, "-m", "pyright", "--pythonpath", sys.executable]
    done = subprocess.run(
        [*command, "-p", str(settings)], capture_output=True, text=True, cwd=script.parent
    )
    if "error: " not in done.stdout and done.returncode not in (0, 1):
        pytest.skip(f"pyright does not start: {done.stderr[-200:]}")
    errors = "\n".join(line for line in done.stdout.splitlines() if "error: " in line)
    is_told_apart(errors)
