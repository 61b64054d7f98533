"""`grouper view` in a real browser: every interaction, no request, no error, nothing injected."""

import re

import pytest
from support.browser import browser, opened
from support.builders import inventory, parameter
from support.hostile_names import NAMES as HOSTILE

import grouper
from grouper.reports.page.page import html_page

pytestmark = pytest.mark.slow

YOLO = "examples/yolov5s.pt"
RUN = {"steps_per_epoch": 100, "epochs": 30}
TEXT = """
optimizer SGD lr=0.1 momentum=0.9
warmup epochs=3
schedule cosine
blocks.{i}.* -> block{i} lr*=0.5 ** (count(i) - rank(i))
head.*       -> head
stem.*       -> freeze
"""


def names(blocks):
    yield "stem.weight", (8, 8)
    for i in range(blocks):
        yield f"blocks.{i}.weight", (8, 8)
        yield f"blocks.{i}.bias", (8,)
    yield "head.weight", (8, 8)
    yield "lost", (3,)


def report_of(blocks=12, text=TEXT):
    model = inventory(*(parameter(name, shape) for name, shape in names(blocks)))
    return grouper.check(model, grouper.parse(text, "my.rules"))


@pytest.fixture(scope="module")
def chromium():
    with browser() as found:
        yield found


@pytest.fixture
def page(chromium, tmp_path):
    """Opens the page of a report, and holds it to no error and no request when it is closed."""
    pages = []

    def open_(report, plan=None, **options):
        path = tmp_path / f"{len(pages)}.html"
        path.write_text(html_page(report, plan), "utf-8")
        pages.append((*opened(chromium, path.as_uri(), **options), path.as_uri()))
        return pages[-1][0]

    yield open_
    for page, seen, address in pages:
        page.close()
        assert seen.errors == []
        assert seen.requests == [address]


def yolo():
    report = grouper.check(YOLO, "yolov5.rules")
    return report, grouper.plan(report.inventory, report, **RUN)


def rows(page):
    return page.locator("[role=treeitem] .name").all_inner_texts()


def test_the_tree_is_folded_opened_and_searched(page):
    shown = page(report_of())
    tree = shown.get_by_role("tree")
    first = ["stem", "weight", "blocks", "0 … 11", "head", "weight", "lost"]
    assert rows(shown) == first
    tree.focus()
    shown.keyboard.press("ArrowLeft")
    assert rows(shown) == ["stem", *first[2:]]
    for key in ("ArrowRight", "ArrowDown", "ArrowDown", "ArrowDown"):
        shown.keyboard.press(key)
    assert rows(shown) == first
    shown.keyboard.press("Enter")
    assert rows(shown)[3:6] == ["0 … 11", "0", "1"]
    assert len(rows(shown)) == 19
    shown.keyboard.press("ArrowLeft")
    shown.keyboard.press("End")
    shown.keyboard.press("Enter")
    assert "lost" in shown.locator("#parameter").inner_text()
    assert "not matched by any rule" in shown.locator("#parameter").inner_text()
    shown.get_by_label("Find a parameter").fill("11.w")
    assert rows(shown) == ["blocks.11.weight"]
    assert shown.locator("#found").inner_text() == "1 row"
    shown.get_by_label("Find a parameter").fill("nothing")
    assert shown.get_by_text("No parameter matches.").is_visible()


def test_a_click_on_a_parameter_shows_its_derivation(page):
    shown = page(report_of())
    shown.get_by_label("Find a parameter").fill("blocks.11.bias")
    shown.get_by_role("treeitem").click()
    text = shown.locator("#parameter").inner_text()
    assert "block11" in text
    assert re.search(r"lr +0.05 = 0.1 \(optimizer, line 2\) \* ", text)
    lit = shown.locator(".ruleline.at .source").all_inner_texts()
    assert lit == ["blocks.{i}.* -> block{i} lr*=0.5 ** (count(i) - rank(i))"]


def test_a_click_on_a_rule_or_a_group_shows_what_it_matches(page):
    shown = page(report_of(2))
    shown.get_by_role("button", name=re.compile("^blocks")).click()
    assert rows(shown) == ["blocks.0.weight", "blocks.0.bias", "blocks.1.weight", "blocks.1.bias"]
    shown.get_by_role("button", name="matched by line 5").click()
    shown.get_by_role("button", name="head (1)").click()
    assert rows(shown) == ["head.weight"]
    shown.get_by_role("button", name="frozen by the rules (1)").click()
    assert rows(shown) == ["stem.weight"]


def test_a_shipped_file_goes_by_its_name(page):
    shown = page(*yolo())
    assert shown.locator("h1").inner_text() == "yolov5.rules"
    assert shown.locator("h3").all_inner_texts() == ["yolov5.rules"]
    assert rows(shown)[:2] == ["model", "0"]
    assert shown.locator("[role=treeitem] .facts").nth(1).inner_text() == "Conv · 3 tensors, 3.52 k"


def test_findings_lead_to_the_line_and_to_the_parameters(page):
    report = report_of(2, TEXT + "heat.* -> heat\n")
    assert {f.code.id for f in report.findings} == {"GR101", "GR105"}
    shown = page(report)
    assert shown.get_by_text("errors").is_visible()
    shown.locator("#findings").get_by_role("button", name="line 8").first.click()
    assert shown.locator(".ruleline.at .source").inner_text() == "heat.* -> heat"
    shown.locator("#findings").get_by_role("button", name="1 tensor").click()
    assert rows(shown) == ["lost"]


def test_the_plan_has_a_cursor_at_any_step(page):
    report, plan = yolo()
    shown = page(report, plan)
    shown.get_by_label("step", exact=True).first.fill("150")
    shown.keyboard.press("Tab")
    for group, row in zip(plan.groups, shown.locator("#values tr").all(), strict=True):
        name, lr, momentum = row.locator("th, td").all_inner_texts()
        at = plan.at(
            shown.evaluate(
                "report.plan.steps.reduce((a, b) => Math.abs(b - 150) < Math.abs(a - 150) ? b : a)"
            )
        )
        assert name.strip() == group.name
        assert float(lr) == pytest.approx(at[group.name]["lr"], rel=1e-3)
        assert float(momentum) == pytest.approx(at[group.name]["momentum"], rel=1e-3)
    assert shown.locator("#plan polyline").count() == 3
    shown.get_by_role("button", name="momentum").click()
    shown.get_by_role("button", name="logarithmic").click()
    shown.locator("#step").focus()
    shown.keyboard.press("End")
    assert "2,999 of 3,000" in shown.locator("#at-step").inner_text()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_it_is_accessible(page, scheme, width):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    report, plan = yolo()
    shown = page(report, plan, color_scheme=scheme, viewport={"width": width, "height": 900})
    shown.get_by_role("treeitem").first.click()
    shown.get_by_label("Find a parameter").fill("24.m")
    shown.get_by_role("treeitem").first.click()
    found = axe.Axe().run(shown).response["violations"]
    assert [(v["id"], [n["html"] for n in v["nodes"]][:3]) for v in found] == []
    assert shown.evaluate("document.documentElement.scrollWidth") <= width


def test_names_and_rules_are_never_markup(page):
    model = inventory(*(parameter(f"a.{name}", (2,)) for name in HOSTILE))
    text = '# </script><img src=x onerror=alert(1)>\n* -> "<b>x</b>" lr=1\n'
    report = grouper.check(model, grouper.parse(text, "</title><script>alert(1)</script>.rules"))
    shown = page(report)
    assert shown.locator("script").count() == 2
    assert shown.locator("img, b:has-text('x'), title > *").count() == 0
    shown.get_by_role("treeitem").first.click()
    shown.get_by_label("Find a parameter").fill("script")
    assert shown.locator("#tree script, #parameter script").count() == 0


def test_a_hundred_thousand_parameters_do_not_stutter(page):
    shown = page(
        report_of(50_000, TEXT.replace("block{i} lr*=0.5 ** (count(i) - rank(i))", "block"))
    )
    assert shown.locator("[role=treeitem]").count() == 7
    shown.get_by_label("Find a parameter").fill("bias")
    assert "50,000 rows" in shown.locator("#found").inner_text()
    slow = shown.evaluate("""() => {
        const tree = document.getElementById("tree"), times = [];
        for (let i = 0; i < 50; i++) {
            const start = performance.now();
            tree.scrollTop = i * 20000;
            tree.dispatchEvent(new Event("scroll"));
            times.push(performance.now() - start);
        }
        return times.sort((a, b) => a - b)[25];
    }""")
    assert shown.locator("[role=treeitem]").count() < 60
    assert slow < 50  # milliseconds: some twenty pictures a second on a busy machine
