"""What is printed without rich is what rich prints where there are no colours."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import grouper
from grouper.reports import groups, terminal
from grouper.reports.lines import styled
from grouper.reports.output import Output
from grouper.text.printable import visible

RULES = sorted(Path("rules").glob("*.rules"))
TEXT = st.text(
    st.sampled_from("ab .0_[]/{}\\`é\u0301日🙂ﬁ\u200b\x1b\t") | st.characters(), max_size=9
).map(visible)
PIECES = TEXT | st.tuples(TEXT, st.sampled_from(["", "bold", "dim green"]))


@pytest.fixture
def by_rich(monkeypatch):
    """`by_rich(draw)`: the text of a drawing for an output that rich has drawn, without colours."""

    def drawn(draw, output):
        with monkeypatch.context() as patched:
            patched.setattr(Output, "_is_plain", False)
            return draw(output)

    return drawn


@given(pieces=st.lists(PIECES, max_size=4))
def test_lines(pieces):
    lines = [styled("x", *pieces), styled(), styled("a string")]
    plain = Output(color="never").text(lines)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Output, "_is_plain", False)
        assert Output(color="never").text(lines).splitlines() == [
            line.rstrip(" ") for line in plain.splitlines()
        ]


@pytest.mark.parametrize("quiet", [False, True])
@pytest.mark.parametrize("path", RULES, ids=lambda path: path.stem)
def test_reports(path, quiet, by_rich):
    report = grouper.check("examples/yolov5s.pt", path)
    draws = [
        lambda output: terminal.render_reports([report], output),
        lambda output: terminal.render_reports([report, report], output),
        lambda output: terminal.render_findings(report, output),
        lambda output: groups.render_groups(report, output),
        lambda output: groups.render_names(report, output),
    ]
    for draw in draws:
        assert draw(Output(quiet=quiet)) == by_rich(draw, Output(quiet=quiet))


@pytest.mark.parametrize(
    ("form", "variables", "colored"),
    [
        ({}, {}, False),
        ({}, {"FORCE_COLOR": "1"}, True),
        ({}, {"TTY_COMPATIBLE": "1"}, True),
        ({}, {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
        ({"color": "always"}, {"NO_COLOR": "1"}, True),
        ({"color": "never"}, {"FORCE_COLOR": "1"}, False),
    ],
)
def test_colours_where_they_are_asked_for(form, variables, colored, monkeypatch):
    for name in ("FORCE_COLOR", "TTY_COMPATIBLE", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    text = Output(**form).text([styled(("x", "bold red"))])
    assert ("\x1b[" in text) == colored
