"""Values show themselves: a line in containers, the terminal's text printed, HTML in notebooks."""

import re
from html.parser import HTMLParser

import pytest
from support.builders import small_yolo
from support.hostile_names import groups_of_names, report_of_names

import grouper

RULES = """optimizer SGD lr=0.1 momentum=0.9
warmup steps=10
model.24.* -> head; else -> body lr*=0.1"""
TAGS = {
    "div", "h3", "pre", "code", "span", "table", "thead", "tbody", "tr", "th", "td", "details",
    "summary", "ul", "li", "p", "img",
}  # fmt: skip


def report():
    return grouper.check(small_yolo(), grouper.parse(RULES, "my.rules"))


def plan():
    return grouper.plan(small_yolo(), grouper.parse(RULES), steps_per_epoch=10, epochs=5)


def faulty():
    return grouper.check(small_yolo(), grouper.parse("model.0.* -> stem lr=1", "my.rules"))


VALUES = {
    "report": report,
    "faulty report": faulty,
    "report without a model": lambda: grouper.check(small_yolo(), grouper.parse("x =>")),
    "grouping": lambda: report().grouping,
    "plan": plan,
    "explanation": lambda: grouper.explain(small_yolo(), report(), "model.24"),
    "finding": lambda: faulty().findings[0],
    "rules": lambda: grouper.parse(RULES, "my.rules"),
    "faulty rules": lambda: grouper.parse("x =>", "my.rules"),
    "inventory": small_yolo,
    "hostile report": report_of_names,
    "hostile groups": lambda: groups_of_names().grouping,
    "hostile plan": lambda: grouper.plan(
        groups_of_names().inventory, groups_of_names(), steps_per_epoch=3, epochs=2
    ),
    "hostile explanation": lambda: grouper.explain(
        groups_of_names().inventory, groups_of_names(), "*"
    ),
    "hostile rules": lambda: groups_of_names().rules,
    "hostile inventory": lambda: groups_of_names().inventory,
    "hostile finding": lambda: report_of_names().findings[3],
}


class Page(HTMLParser):
    """Checks that every element is closed, and that none of them can act."""

    def __init__(self, text):
        super().__init__()
        self.open, self.text = [], ""
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        assert tag in TAGS
        if tag != "img":
            self.open.append(tag)
        for name, value in attributes:
            assert name in ("style", "align", "alt", "src")
            assert name != "src" or re.fullmatch(r"data:image/svg\+xml;base64,[\w+/=]+", value)
            assert name != "style" or not re.search(r"url|expression|[<>\"\\]", value)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, text):
        self.text += text
        if not {"pre", "code"} & set(self.open):  # where MathJax and Markdown look for theirs
            assert set(text).isdisjoint("$\\@#*_`")


@pytest.mark.parametrize("made", VALUES.values(), ids=VALUES)
def test_html_is_inert(made):
    pytest.importorskip("matplotlib")
    page = Page(made()._repr_html_())
    assert all(c.isprintable() or c == "\n" for c in page.text)
    assert page.text.strip()


@pytest.mark.parametrize("made", VALUES.values(), ids=VALUES)
def test_repr_is_one_line(made):
    value = made()
    assert re.fullmatch(r"<\w+ [^\n]+>", repr(value))
    assert repr(value).isprintable()
    assert len(repr(value)) < 300
    assert repr([value]) == f"[{value!r}]"


@pytest.mark.parametrize("made", VALUES.values(), ids=VALUES)
def test_what_is_printed_is_the_terminals_text(made):
    text = str(made())
    assert text or made().findings  # a text with errors has no rules
    assert not text.endswith("\n\n")
    if not isinstance(made(), grouper.RuleSet):  # these are written to be read again
        assert all(line.isprintable() for line in text.splitlines())


def test_a_report_prints_what_check_prints(capsys):
    from support.commands import run

    report = grouper.check("examples/yolov5s.pt", "yolov5", key="model")
    _, out, _ = run(capsys, "check", "examples/yolov5s.pt", "yolov5", "--key", "model")
    assert str(report).split() == out.split()  # where a line is broken apart


def test_the_lines():
    assert repr(report()) == "<Report my.rules on small.pt: 5 tensors, 2 groups, ok>"
    assert repr(faulty()) == "<Report my.rules on small.pt: 5 tensors, 1 group, 1 error>"
    assert repr(plan()) == "<Plan 2 groups, 50 steps (5 epochs of 10)>"
    assert repr(report().rules) == "<RuleSet my.rules: 2 rules>"
    assert repr(faulty().findings[0]).startswith("<Finding error GR101 unmatched-parameter: ")


def test_a_plan_without_matplotlib(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "matplotlib.style", None)
    page = plan()._repr_html_()
    assert "pip install matplotlib" in page
    assert "<img" not in page
    with pytest.raises(ImportError, match="pip install matplotlib"):
        plan().plot()


def test_a_plan_draws_what_the_command_draws(tmp_path, capsys):
    pytest.importorskip("matplotlib")
    from support.commands import run

    command = ("examples/yolov5s.pt", "yolov5")
    drawn = tmp_path / "command.svg"
    length = ("--epochs", "3", "--steps-per-epoch", "9")
    assert run(capsys, "plan", *command, *length, "--plot", str(drawn))[0] == 0
    plan = grouper.plan(*command, steps_per_epoch=9, epochs=3)
    picture = plan.plot(tmp_path / "plan.svg")
    assert (tmp_path / "plan.svg").read_bytes() == drawn.read_bytes() == picture.content
    assert picture._repr_svg_() == drawn.read_text("utf-8")
    assert plan.plot(tmp_path / "plan.png")._repr_png_().startswith(b"\x89PNG")
    assert plan.plot(tmp_path / "plan.png")._repr_svg_() is None
    with pytest.raises(ValueError, match=r"is not a \.png or \.svg file"):
        plan.plot("plan.pdf")
    with pytest.raises(FileNotFoundError):
        plan.plot(tmp_path / "none" / "plan.svg")


def test_a_plan_of_nothing():
    rules = grouper.parse("optimizer SGD lr=1\n* -> freeze\nallow GR113")
    plan = grouper.plan(small_yolo(), rules, steps_per_epoch=2, epochs=1)
    assert "no parameter to train" in str(plan)
    assert "no parameter to train" in plan._repr_html_()
    with pytest.raises(ValueError, match="nothing to draw"):
        plan.plot()


def test_groups_for_an_optimizer():
    torch = pytest.importorskip("torch")
    model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Linear(4, 2))
    rules = grouper.parse('optimizer AdamW lr=1e-3\n0.* -> "<b>stem"; else -> rest lr=1e-4')
    groups = grouper.param_groups(model, rules)
    assert repr(groups) == "<ParamGroups 2 groups, 4 tensors>"
    assert re.search(r"parameters +lr\n +<b>stem +2 +16 +0.001\n", str(groups))
    page = Page(groups._repr_html_())
    assert "<b>stem" in page.text
    assert "1.weight" in page.text
    assert torch.optim.AdamW(groups).param_groups[1]["lr"] == 1e-4
    assert groups[0]["name"] == "<b>stem"
