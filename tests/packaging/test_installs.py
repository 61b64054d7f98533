"""grouper finds its grammar and its shipped rules wherever it is installed from."""

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from importlib.util import find_spec
from pathlib import Path

import pytest

pytest.importorskip("hatchling")

ROOT = Path(__file__).parents[2]
TREE = [
    "pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md", "grouper", "grammars", "rules",
    "examples", "docs", "tests/constraints.txt",
]  # fmt: skip


def build(kind, folder, source, **environment):
    """Build with the project's own backend, in its own process as installers do."""
    code = f"from hatchling.build import {kind}; print({kind}({str(folder)!r}))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=source, capture_output=True, text=True, check=True, env={**os.environ, **environment},
    )  # fmt: skip
    return Path(folder) / done.stdout.splitlines()[-1]


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """A bare copy of the sources, without anything that was built in them."""
    folder = tmp_path_factory.mktemp("checkout")
    listed = subprocess.run(
        ["git", "ls-files", *TREE], cwd=ROOT, capture_output=True, text=True, check=True
    )
    for name in listed.stdout.splitlines():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((ROOT / name).read_bytes())
    return folder


def works(package, checkout, with_table):
    """Check the shipped checkpoint from another folder, with the package at hand there."""
    environment = {**os.environ, "PYTHONPATH": str(package), "PYTHONSAFEPATH": "1"}
    code = (
        "import sys, grouper, grouper.language.shipped as r\n"
        f"assert grouper.__file__.startswith({str(package)!r}), grouper.__file__\n"
        f"assert r.table_path().exists() is {with_table}, r.table_path()\n"
        "from grouper.cli.main import main\n"
        f"sys.exit(main(['check', {str(checkout / 'examples' / 'yolov5s.pt')!r}, 'yolov5.rules']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, cwd="/", capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "ok: 3 groups" in done.stdout


def test_from_a_bare_checkout(checkout):
    works(checkout, checkout, with_table=False)


def test_from_a_wheel(checkout, tmp_path):
    wheel = build("build_wheel", tmp_path, checkout)
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        archive.extractall(tmp_path / "site")
    assert not any(name.startswith(("tests", "rules", "grammars", "examples")) for name in names)
    assert "grouper/_shipped/grammars/rules.lark" in names
    assert "grouper/model/class_bases/torch.json" in names
    assert any(name.endswith("LICENSE") for name in names)
    works(tmp_path / "site", checkout, with_table=True)
    gives_pygments_a_lexer(tmp_path / "site")
    (checkout / "grammars" / "rules.table").unlink()


@pytest.mark.parametrize("kind", ["build_wheel", "build_sdist"])
def test_two_builds_are_one_file(kind, checkout, tmp_path):
    """Whoever builds a commit again gets the same bytes, wherever and whenever."""
    built = []
    for seed in ("1", "2"):
        source = tmp_path / f"source{seed}"
        shutil.copytree(checkout, source)
        epoch = {"SOURCE_DATE_EPOCH": "1700000000", "PYTHONHASHSEED": seed}
        built.append(build(kind, tmp_path / seed, source, **epoch).read_bytes())
    assert built[0] == built[1]


def gives_pygments_a_lexer(site):
    """Pygments, which rich brings, finds the language by its name and by a file's ending."""
    code = (
        "from pygments.lexers import get_lexer_by_name, get_lexer_for_filename as of\n"
        "assert get_lexer_by_name('grouper').name == of('a.rules').name == 'grouper'"
    )
    environment = {**os.environ, "PYTHONPATH": str(site), "PYTHONSAFEPATH": "1"}
    subprocess.run([sys.executable, "-c", code], env=environment, cwd="/", check=True)


def test_from_an_sdist(checkout, tmp_path):
    sdist = build("build_sdist", tmp_path, checkout)
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path / "unpacked", filter="data")
    (source,) = (tmp_path / "unpacked").iterdir()
    wheel = build("build_wheel", tmp_path, source)
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    works(tmp_path / "site", checkout, with_table=True)


def test_from_an_editable_install(checkout, tmp_path):
    wheel = build("build_editable", tmp_path, checkout)
    with zipfile.ZipFile(wheel) as archive:
        (pth,) = [name for name in archive.namelist() if name.endswith(".pth")]
        assert archive.read(pth).decode().strip() == str(checkout)
    works(checkout, checkout, with_table=True)
    (checkout / "grammars" / "rules.table").unlink()


def test_the_library_is_light():
    """`import grouper` and a check load neither torch nor numpy; and the test can fail."""
    code = (
        "import sys\n{first}\nimport grouper\n"
        "from grouper.cli.main import main\n"
        "status = main(['check', 'examples/yolov5s.pt', 'yolov5.rules', '-q'])\n"
        "assert status == 0\n"
        "assert not {{'torch', 'numpy', 'ultralytics'}} & set(sys.modules)\n"
    )
    run = [sys.executable, "-c"]
    subprocess.run([*run, code.format(first="")], cwd=ROOT, check=True, capture_output=True)
    fake = code.format(first="sys.modules['torch'] = sys")
    assert subprocess.run([*run, fake], cwd=ROOT, capture_output=True).returncode == 1


def test_public_names():
    import grouper

    assert grouper.__all__ == [
        "Audit",
        "Diff",
        "GroupingError",
        "GroupingWarning",
        "Inventory",
        "ModelError",
        "Monitor",
        "Plan",
        "Report",
        "RuleSet",
        "add_groups",
        "audit",
        "build",
        "build_optimizer",
        "check",
        "diff",
        "explain",
        "freeze_statistics",
        "init",
        "load",
        "load_optimizer_state",
        "param_groups",
        "parse",
        "plan",
    ]
    needs_torch = set() if find_spec("torch") else {"Monitor", "load_optimizer_state"}
    assert all(getattr(grouper, name) for name in grouper.__all__ if name not in needs_torch)
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = grouper.nonsense


def test_no_file_hides_a_public_name():
    """Importing a `grouper/plan.py` would replace the function `grouper.plan` by that module."""
    import grouper

    files = {path.stem for path in (ROOT / "grouper").iterdir()}
    assert not files & set(grouper.__all__)
