"""The documentation as a site: built strictly, and every page of it opened in a real browser."""

import os
import re
import subprocess
import sys

import pytest
from support.browser import browser, opened
from support.pages import ROOT
from support.static_files import built_playground, served

import grouper

pytestmark = pytest.mark.slow

PAGES = sorted(path.stem for path in (ROOT / "docs").glob("*.md"))


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The built site; a warning, such as of a link to nowhere, is an error."""
    for name in ("sphinx", "myst_parser", "furo"):
        pytest.importorskip(name)
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-d", folder / "trees"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [*command, ROOT / "docs", folder / "site"], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return folder / "site"


def test_every_page_and_every_finding_is_there(site):
    assert {path.stem for path in site.glob("*.html")} >= set(PAGES)
    findings = (site / "_generated" / "findings.html").read_text("utf-8")
    from grouper.checks.catalog import ALL

    assert all(f"{code.id} {code.name}" in findings for code in ALL)
    calls = (site / "_generated" / "api.html").read_text("utf-8")
    assert all(f">{name}<" in calls for name in grouper.__all__)


def test_a_list_for_machines_names_every_page(site):
    text = (site / "llms.txt").read_text("utf-8")
    links = re.findall(r"^- \[[^]]+\]\(([^)]+)\): \S", text, re.MULTILINE)
    assert {f"{name}.html" for name in PAGES} <= set(links)
    assert all((site / link).exists() for link in links)


def test_every_page_opens_without_an_error(site):
    with served(site) as address, browser() as chromium:
        for path in sorted(site.rglob("*.html")):
            page, seen = opened(chromium, f"{address}/{path.relative_to(site)}")
            page.wait_for_load_state()
            assert seen.errors == [], path
            assert [url for url in seen.requests if not url.startswith((address, "data:"))] == []
            page.close()


def test_the_playground_in_it_works(site):
    built_playground(site / "playground")
    with served(site) as address, browser() as chromium:
        page, seen = opened(chromium, f"{address}/playground.html")
        page.get_by_role("link", name="Open the playground").click()
        page.get_by_role("status").filter(has_text="tensors checked").wait_for(timeout=60_000)
        assert seen.errors == []
