"""The playground in a real browser, from a plain static server: grouper runs in the page, on files
of any size, and nothing is asked of any other host."""

import json
import shutil

import pytest
from support.browser import browser, opened
from support.pages import ROOT
from support.static_files import built_playground, served

pytestmark = pytest.mark.slow

YOLO = ROOT / "examples" / "yolov5s.pt"
FINE = "optimizer SGD lr=0.01\n* -> all\n"


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """Where the built playground is served."""
    with served(built_playground(tmp_path_factory.mktemp("playground"))) as found:
        yield found


@pytest.fixture(scope="module")
def chromium():
    with browser() as found:
        yield found


@pytest.fixture
def playground(chromium, address):
    """Opens the playground; at the end there was no error, and no request to anybody else."""
    pages = []

    def open_(fragment="", **options):
        page, seen = opened(chromium, f"{address}/index.html{fragment}", **options)
        pages.append((page, seen))
        page.set_default_timeout(60_000)
        page.get_by_role("status").filter(has_text="tensors checked").wait_for()
        return page

    yield open_
    for page, seen in pages:
        page.close()
        assert seen.errors == []
        strange = [url for url in seen.requests if not url.startswith((address, "about:", "data:"))]
        assert strange == []


def findings(page):
    return page.get_by_role("region", name="findings")


def write(page, rules):
    """Type rules, and wait for what they give."""
    page.get_by_label("my.rules").fill(rules)


def test_examples_are_checked_as_one_types(playground):
    page = playground()
    assert "177 tensors" in page.get_by_role("status").inner_text()
    findings(page).filter(has_text="ok:").wait_for()
    write(page, "model.24.* -> head lr=0.01\n")
    findings(page).filter(has_text="GR101").wait_for()
    write(page, "model.24.* -> head lr=0.01\nmodel.24.* -> -> x")
    findings(page).filter(has_text="GR001").wait_for()
    write(page, FINE)
    findings(page).filter(has_text="ok: 1 group").wait_for()
    report = page.frame_locator("#report")
    report.get_by_role("treeitem").first.wait_for()
    page.get_by_label("Example").select_option(index=1)
    findings(page).filter(has_text="3 groups").wait_for()


def test_a_plan_that_cannot_be_made_is_said(playground):
    page = playground()
    page.get_by_label("steps per epoch").fill("0")
    findings(page).filter(has_text="no plan").wait_for()
    page.get_by_label("steps per epoch").fill("20")
    findings(page).filter(has_not_text="no plan").wait_for()


def test_a_file_of_the_users_is_read_where_it_is(playground, tmp_path):
    page = playground()
    write(page, FINE)
    path = tmp_path / "of mine.pt"
    shutil.copyfile(YOLO, path)
    page.get_by_label("or your own model file").set_input_files(path)
    findings(page).filter(has_text="of mine.pt").wait_for()
    (tmp_path / "no model.pt").write_bytes(b"no model")
    page.get_by_label("or your own model file").set_input_files(tmp_path / "no model.pt")
    findings(page).filter(has_text="no model.pt: ").wait_for()
    page.get_by_label("or your own model file").set_input_files(path)
    findings(page).filter(has_text="ok: 1 group").wait_for()


def test_a_file_that_is_larger_than_memory_is_read_by_slices(playground, tmp_path):
    """Eight gigabytes, which no page can hold: a safetensors file with a hole for its numbers."""
    size, rows = 2 << 30, 2 << 18
    header = {
        f"layers.{i}.weight": {
            "dtype": "F32", "shape": [rows, 1024], "data_offsets": [i * size, (i + 1) * size]
        }
        for i in range(4)
    }  # fmt: skip
    text = json.dumps(header).encode()
    path = tmp_path / "huge.safetensors"
    with path.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        file.truncate(8 + len(text) + 4 * size)
    page = playground()
    write(page, FINE)
    page.get_by_label("or your own model file").set_input_files(path)
    findings(page).filter(has_text="2,147,483,648").wait_for()
    page.get_by_role("status").filter(has_text="4 tensors").wait_for()


def test_a_link_carries_the_rules(playground):
    page = playground()
    write(page, f"# Grüße\n{FINE}")
    page.get_by_label("Example").select_option(index=1)
    write(page, f"# Grüße\n{FINE}")
    page.get_by_role("button", name="Copy a link").click()
    fragment = page.evaluate("location.hash")
    assert fragment.startswith("#1.")
    other = playground(fragment)
    assert other.get_by_label("my.rules").input_value() == f"# Grüße\n{FINE}"
    assert other.get_by_label("Example").input_value() == "1"


@pytest.mark.parametrize("fragment", ["#0.!!!", "#0.gICA"])
def test_a_broken_link_opens_the_example(playground, fragment):
    assert "->" in playground(fragment).get_by_label("my.rules").input_value()


def test_a_link_to_an_example_that_is_gone_keeps_its_rules(playground):
    page = playground("#99.KiAtPiBhbGw")
    assert page.get_by_label("my.rules").input_value() == "* -> all"


def test_rules_and_names_are_never_markup(playground):
    page = playground()
    write(page, '# </script><img src=x onerror=alert(1)>\n* -> "<b>x</b>" lr=1\n')
    findings(page).filter(has_text="<b>x</b>").wait_for()
    report = page.frame_locator("#report")
    report.get_by_role("treeitem").first.wait_for()
    assert report.locator("img").count() == 0


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 390)])
def test_it_is_accessible(playground, scheme, width):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    page = playground(color_scheme=scheme, viewport={"width": width, "height": 900})
    violations = axe.Axe().run(page).response["violations"]
    assert [(v["id"], [n["html"] for n in v["nodes"]][:3]) for v in violations] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
