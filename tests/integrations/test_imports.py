"""Frameworks are imported when they are asked for, and not before."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def run(code, *switches):
    done = subprocess.run(
        [sys.executable, *switches, "-c", f"import sys; sys.path.insert(0, {str(ROOT)!r}); {code}"],
        capture_output=True,
        text=True,
        cwd="/",
    )
    return done.returncode, done.stderr


def test_a_framework_is_imported_when_it_is_asked_for():
    code = "import grouper; grouper.integrations; print(sys.modules['grouper.integrations'])"
    assert run(f"{code}; assert not {{'torch', 'ultralytics'}} & set(sys.modules)") == (0, "")


def test_a_missing_framework_is_said_with_the_way_to_have_it():
    without_packages = "-S"
    status, said = run("import grouper.integrations.ultralytics", without_packages)
    assert status == 1
    assert "this needs Ultralytics: pip install 'ultralytics>=8.4.103'" in said


def test_an_unknown_framework_is_no_attribute():
    status, said = run("import grouper; grouper.integrations.nothing")
    assert status == 1
    assert "module 'grouper.integrations' has no attribute 'nothing'" in said


def test_every_file_stands_under_its_framework():
    from grouper.integrations import FRAMEWORKS

    folder = ROOT / "grouper" / "integrations"
    files = {path.stem for path in folder.iterdir() if path.suffix == ".py" or path.is_dir()}
    assert files - {"__init__", "__pycache__"} == {
        n for names in FRAMEWORKS.values() for n in names
    }
    assert all(names[0] == framework for framework, names in FRAMEWORKS.items())
