"""Each check: what it says of a faulty file, and that it is silent about the corrected one."""

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
from support import builders
from support.builders import UNKNOWN, inventory, parameter, small_yolo

import grouper
import grouper.checks
from grouper.checks.catalog import ALL
from grouper.checks.context import Context, known_signatures
from grouper.checks.table import CHECKS
from grouper.model.inventory import Inventory
from grouper.reports.finding_text import finding_lines
from grouper.reports.output import Output
from grouper.reports.terminal import render_reports
from grouper.text.findings import Severity

TIED = inventory(parameter(("embed.weight", "head.weight")), "x.weight")
FROZEN = inventory(parameter("dfl.conv.weight", trainable=False), "x.weight")
YOLOV8 = inventory(
    "model.0.conv.weight",
    "model.21.cv1.conv.weight",
    "model.22.cv2.0.weight",
    classes={"model.22": builders.Module("", "ultralytics.nn.modules.head.Detect", ())},
)
STATE_DICT = Inventory((parameter("a.weight"),), None, kind="state dict")
UNSURE = inventory("a.weight", classes={"a": UNKNOWN})

# name: (model, faulty rules, corrected rules, codes that the faulty rules give)
CASES = {
    "unmatched": (small_yolo(), "model.24.* -> head", "model.24.* -> head; else -> rest", "GR101"),
    "conflicting": (
        small_yolo(),
        "model.24.* -> head lr=0.01\n*.bias -> bias lr=0.02\nelse -> rest",
        "model.24.* -> head lr=0.01\nelse *.bias -> bias lr=0.02\nelse -> rest",
        "GR102",
    ),
    "conflicting_overrides": (
        small_yolo(),
        "* -> all lr=1\noverride *.bias -> lr=2\noverride model.24.* -> lr=3",
        "* -> all lr=1\noverride *.bias -> lr=2\noverride model.24.*.weight -> lr=3",
        "GR102",
    ),
    "double_in_split": (
        small_yolo(),
        "split kind { *.bias -> bias; *.bn.* -> norm; else -> weight }",
        "split kind { *.bias -> bias; else *.bn.* -> norm; else -> weight }",
        "GR103",
    ),
    "composed": (
        small_yolo(),
        "strict\nmodel.24.* -> head lr=1\n*.bias -> bias warmup_start=0.1\nelse -> rest",
        "strict\nmodel.24.* -> head lr=1\nelse *.bias -> bias warmup_start=0.1\nelse -> rest",
        "GR104",
    ),
    "matches_nothing": (
        YOLOV8,
        "model.24.* -> head\nelse -> body",
        "model.22.* -> head\nelse -> body",
        "GR105",
    ),
    "misspelt_part": (
        inventory("blocks.0.attn.weight", "norm.weight", "pos_embed"),
        "optimizer SGD lr=1\noptional norm.* or Pos_embed -> stem lr*=0.1\nelse -> body",
        "optimizer SGD lr=1\noptional norm.* or pos_embed -> stem lr*=0.1\nelse -> body",
        "GR323",
    ),
    "condition_never_holds": (
        small_yolo(),
        "model.{i}.* where i > 99 -> head\nelse -> rest",
        "model.{i}.* where i >= 9 -> head\nelse -> rest",
        "GR105",
    ),
    "condition_never_holds_behind_else": (
        small_yolo(),
        "*.bias -> bias\nelse model.{i}.* where i > 99 -> head\nelse -> rest",
        "*.bias -> bias\nelse model.{i}.* where i >= 9 -> head\nelse -> rest",
        "GR105",
    ),
    "matches_nothing_class": (
        YOLOV8,
        "in @Detct -> head\nelse -> body",
        "in @Detect -> head\nelse -> body",
        "GR105",
    ),
    "never_decides": (
        small_yolo(),
        "* -> all\n*.bias -> lr=0.1\noverride *.bias -> lr=0.2",
        "* -> all\noverride *.bias -> lr=0.2",
        "GR106",
    ),
    "tied": (
        TIED,
        "embed.* -> embed lr=1\nhead.* -> head eps=1\nelse -> rest",
        "embed.* -> embed lr=1 eps=1\nelse -> rest",
        "GR107",
    ),
    "frozen": (FROZEN, "dfl.* -> dfl lr=1\nelse -> rest", "x.* -> rest", "GR108"),
    "unmatched_in_split": (
        small_yolo(),
        "split kind { *.bias -> bias }",
        "split kind { *.bias -> bias; else -> weight }",
        "GR109",
    ),
    "unanswerable": (STATE_DICT, "@Conv2d -> conv\nelse -> rest", "*.weight -> all", "GR110"),
    "unsure": (UNSURE, "@Conv2d -> conv\nelse -> rest", "@Block -> conv", "GR110"),
    "expectation": (
        small_yolo(),
        "model.24.* -> head lr=1\nelse -> body lr=3\nexpect head.lr / body.lr in 5..10",
        "model.24.* -> head lr=1\nelse -> body lr=0.1\nexpect head.lr / body.lr in 5..10",
        "GR111",
    ),
    "expect_count": (
        small_yolo(),
        "* -> all\nexpect count(all) == 4",
        "* -> all\nexpect count(all) == 5\nexpect numel(all) > 1e3\nexpect frozen == 0",
        "GR111",
    ),
    "plan_schedule": (
        small_yolo(),
        "*.bias -> bias schedule=step\nelse -> rest",
        "schedule step size=2\n*.bias -> bias\nelse -> rest schedule=constant",
        "GR210",
    ),
    "plan_final": (
        small_yolo(),
        "schedule linear final=0\n*.bias -> bias schedule=exponential\nelse -> rest",
        "schedule linear final=0\n*.bias -> bias schedule=exponential final=0.1\nelse -> rest",
        "GR210",
    ),
    "plan_without_final": (
        small_yolo(),
        "split a { *.bias -> bias final=0.1; else -> rest }\n"
        "split b { model.24.* -> head; else -> body }",
        "schedule linear\nsplit a { *.bias -> bias final=0.1; else -> rest }\n"
        "split b { model.24.* -> head; else -> body }",
        "GR210",
    ),
    "plan_lengths": (
        small_yolo(),
        "split a { *.bias -> bias warmup_steps=5; else -> rest }\n"
        "split b { model.24.* -> head warmup_epochs=1; else -> body }",
        "split a { *.bias -> bias warmup_steps=5; else -> rest }\n"
        "split b { model.24.* -> head warmup_steps=5; else -> body }",
        "GR210",
    ),
    "option_of_another": (
        small_yolo(),
        "optimizer SGD lr=0.1\n*.bias -> bias betas=(0.9, 0.99)\nelse -> rest",
        "optimizer Adam lr=0.1\ntag param_group\n*.bias -> bias betas=(0.9, 0.99)\n"
        "else -> rest param_group=rest",
        "GR201",
    ),
    "option_in_statement": (
        small_yolo(),
        "optimizer SGD lr=0.1 betas=(0.9, 0.99)\n* -> all",
        "optimizer AdamW lr=0.1 betas=(0.9, 0.99)\n* -> all",
        "GR201",
    ),
    "option_misspelt": (
        small_yolo(),
        "optimizer SGD lr=0.1\n* -> all weigth_decay=0.1",
        "optimizer SGD lr=0.1\n* -> all weight_decay=0.1",
        "GR201",
    ),
    "misspelt_option": (
        small_yolo(),
        "* -> all lr=0.1 weigth_decay=0",
        "* -> all lr=0.1 weigth_decay=0\nallow GR030",
        "GR030",
    ),
    "misspelt_plan_key": (
        small_yolo(),
        "* -> all lr=0.1 warmup_strat=0",
        "* -> all lr=0.1 warmup_start=0",
        "GR030",
    ),
    "option_of_the_constructor": (
        small_yolo(),
        "optimizer Adagrad lr=0.1\n* -> all initial_accumulator_value=1",
        "optimizer Adagrad lr=0.1 initial_accumulator_value=1\n* -> all",
        "GR201",
    ),
    "option_sent_elsewhere": (
        small_yolo(),
        "optimizer SGD lr=0.1\noptimizer AdamW as other lr=0.1\n"
        "split a { *.bias -> bias optimizer=other; else -> rest }\n"
        "split b { * -> all momentum=0.9 }",
        "optimizer SGD lr=0.1 momentum=0.9\noptimizer AdamW as other lr=0.1\n"
        "split a { *.bias -> bias optimizer=other; else -> rest }",
        "GR201",
    ),
    "value_in_statement": (
        small_yolo(),
        "optimizer AdamW lr=0.1 betas=0.9\n* -> all",
        "optimizer AdamW lr=0.1 betas=(0.9, 0.99)\n* -> all",
        "GR202",
    ),
    "value_of_a_rule": (
        small_yolo(),
        "optimizer SGD lr=0.1\n*.bias -> bias lr*=-1\nelse -> rest",
        "optimizer SGD lr=0.1\n*.bias -> bias lr*=0.5\nelse -> rest",
        "GR202",
    ),
    "value_nesterov": (
        small_yolo(),
        "optimizer SGD lr=0.1 momentum=0.9 nesterov=true\n*.bias -> bias momentum=0\nelse -> rest",
        "optimizer SGD lr=0.1 momentum=0.9 nesterov=true\n"
        "*.bias -> bias momentum=0 nesterov=false\nelse -> rest",
        "GR202",
    ),
    "missing_lr": (
        small_yolo(),
        "optimizer SGD\n*.bias -> bias lr=0.1\nelse -> rest",
        "optimizer SGD lr=0.2\n*.bias -> bias lr=0.1\nelse -> rest",
        "GR203",
    ),
    "missing_lr_planned": (
        small_yolo(),
        "optimizer SGD\nschedule cosine\n* -> all",
        "optimizer SGD lr=0.2\nschedule cosine\n* -> all",
        "GR203",
    ),
    "unknown_optimizer": (
        small_yolo(),
        "optimizer SDG lr=0.1\n* -> all",
        "optimizer torch.optim:SGD lr=0.1\n* -> all",
        "GR204",
    ),
    "unused_optimizer": (
        small_yolo(),
        "optimizer AdamW lr=0.1\noptimizer Muon as hidden lr=0.1\n* -> all",
        "optimizer AdamW lr=0.1\noptimizer Muon as hidden lr=0.1\n"
        "* -> all\n*.bn.* -> freeze\noptional *.bn.* -> optimizer=hidden\nallow GR316",
        "GR205",
    ),
    "muon": (
        small_yolo(),
        "optimizer AdamW lr=0.1\noptimizer Muon as hidden lr=0.1\n"
        "*.weight -> weight optimizer=hidden\nelse -> rest",
        "optimizer AdamW lr=0.1\n*.weight -> weight\nelse -> rest",
        "GR206",
    ),
    "lbfgs": (
        small_yolo(),
        "optimizer LBFGS lr=1\n*.bias -> bias\nelse -> rest",
        "optimizer LBFGS lr=1\n* -> all",
        "GR206",
    ),
    "unused_allow": (
        small_yolo(),
        "* -> all\nallow GR105",
        "* -> all\nmodel.9.* -> neck\nallow GR105",
        "GR112",
    ),
    "unknown_allow": (small_yolo(), "* -> all\nallow GR999", "* -> all", "GR112"),
}


@pytest.mark.parametrize("name", CASES)
def test_what_a_check_says(name, golden):
    model, faulty, corrected, code = CASES[name]
    report = grouper.check(model, grouper.parse(faulty, f"{name}.rules"))
    assert [finding.code.id for finding in report.findings] == [code]
    assert report.findings[0].help
    lines = [line.plain.rstrip() for f in report.findings for line in finding_lines(f)]
    golden(f"checks/{name}.txt", faulty + "\n\n" + "\n".join(lines) + "\n")
    assert not grouper.check(model, grouper.parse(corrected)).findings


@pytest.mark.parametrize("name", CASES)
def test_a_pipe_gets_what_rich_prints(name, monkeypatch):
    model, faulty, *_ = CASES[name]
    reports = [grouper.check(model, grouper.parse(faulty, f"{name}.rules"))]
    plain = render_reports(reports, Output())
    monkeypatch.setattr(Output, "_is_plain", False)
    assert render_reports(reports, Output()) == plain


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_a_check_that_is_not_asked_would_find_nothing(check):
    for model, *texts, _ in CASES.values():
        for text in texts:
            report = grouper.check(model, grouper.parse(text))
            context = Context(
                report.rules, report.inventory, report.assignment, report.grouping,
                known_signatures(report.rules),
            )  # fmt: skip
            if not check.about(context):
                assert not list(check.module.check(context))


def test_the_head_of_another_yolo_is_found_for_the_user():
    report = grouper.check(YOLOV8, grouper.parse("model.24.* -> head; else -> body"))
    assert "`model.22`" in report.findings[0].help
    assert "`Detect`" in report.findings[0].help


def test_a_model_that_is_frozen_as_a_whole_is_one_finding():
    parts = (parameter(f"x.{name}", trainable=False) for name in ("weight", "bias"))
    text = "*.bias -> bias lr=1\nelse -> rest\nexpect count(rest) == 1"
    report = grouper.check(inventory(*parts), grouper.parse(text))
    assert [finding.code.id for finding in report.findings] == ["GR113"]
    assert "requires_grad_(True)" in report.findings[0].help
    assert grouper.check(inventory(), grouper.parse("else -> rest")).ok


def test_notes_and_warnings_build_groups_and_errors_do_not():
    text = "model.24.* -> head lr=1; *.bias -> bias eps=1; else -> rest"
    report = grouper.check(small_yolo(), grouper.parse(text))
    assert [f.severity for f in report.findings] == [Severity.NOTE]
    assert report.ok
    assert not grouper.check(small_yolo(), grouper.parse(f"strict; {text}")).ok


def test_nothing_is_claimed_of_what_is_all_frozen():
    rules = "dfl.* -> dfl lr=9\nelse -> rest lr=1\nexpect dfl.lr / rest.lr < 2"
    assert {f.code.id for f in grouper.check(FROZEN, grouper.parse(rules)).findings} == {"GR108"}
    frozen = grouper.parse("x.* -> x freeze\ndfl.* -> dfl\nexpect x.lr < 2\nallow GR113")
    assert grouper.check(FROZEN, frozen).ok
    nothing = grouper.parse("* -> all\nz.* -> z lr=1\nexpect z.lr < 2")
    assert "GR111" in {f.code.id for f in grouper.check(FROZEN, nothing).findings}


@pytest.mark.parametrize(
    "text",
    [
        "x.* -> x; else dfl.* -> dfl lr=1",
        "x.* -> x; else -> rest lr=1",
        "optional dfl.* -> dfl lr=1; else -> rest",
        "split kind { dfl.* -> dfl lr=1; else -> rest }",
    ],
)
def test_rules_that_may_match_nothing_may_match_only_what_is_frozen(text):
    assert not grouper.check(FROZEN, grouper.parse(text)).findings


def test_a_file_for_several_models_may_accept_what_one_of_them_lacks(tmp_path):
    def codes(text):
        file = tmp_path / "my.rules"
        file.write_text(text)
        return [f.code.id for f in grouper.check(small_yolo(), grouper.load(file)).findings]

    (tmp_path / "base.rules").write_text("* -> all lr=1\nallow GR105\n")
    assert codes("* -> all\nallow GR105") == ["GR112"]
    assert codes('include "base.rules"') == []
    assert codes('for "a.pt"\n* -> all\nallow GR105') == ["GR112"]
    assert codes('for "a.pt"\nfor "b.pt"\n* -> all\nallow GR105') == []
    assert codes("* -> all\noptional x.* -> lr=1\nallow GR105") == []
    assert codes('for "a.pt"\nfor "b.pt"\n* -> all\nallow GR999') == ["GR112"]


@pytest.mark.parametrize(
    "text",
    [
        "optimizer AdamW\n* -> all lr=1e-3\nmodel.24.* -> head lr=1e-2",
        "optimizer SGD lr=1\n* -> all momentum=0.9 nesterov=true\n*.bias -> b momentum=0.8",
        "optimizer SGD as a lr=1\noptimizer Muon as b lr=1\n"
        "* -> all optimizer=a\n*.bias -> bias optimizer=b",
    ],
)
def test_of_an_option_in_conflict_nothing_else_is_said(text):
    report = grouper.check(small_yolo(), grouper.parse(text))
    assert {finding.code.id for finding in report.findings} - {"GR205"} == {"GR102"}


def test_allow_takes_parameters_out_of_a_finding():
    text = "model.24.* -> head; allow GR101 *.bn.*"
    report = grouper.check(small_yolo(), grouper.parse(text))
    (finding,) = report.findings
    assert finding.parameters == ("model.0.conv.weight",)
    report = grouper.check(small_yolo(), grouper.parse(f"{text}; allow GR101 *.conv.*"))
    assert report.ok


def test_a_faulty_file_is_reported_and_not_matched():
    report = grouper.check(small_yolo(), grouper.parse("* => all"))
    assert not report.ok
    assert report.grouping is None
    assert [f.code.id for f in report.findings] == ["GR001"]


def test_every_code_has_a_page_and_its_own_number():
    assert len({code.id for code in ALL}) == len({code.name for code in ALL}) == len(ALL)
    for code in ALL:
        assert len(code.page.strip()) > 60, code.id
        assert max(map(len, code.page.splitlines())) <= 100


def test_every_file_of_checks_stands_in_the_table():
    elsewhere = {"allowed", "unreached_lr", "plan_claims"}  # asked of `allow`s and of plans
    files = {path.stem for path in Path(grouper.checks.__file__).parent.glob("[a-z]*.py")}
    pages = {f for f in files if hasattr(import_module(f"grouper.checks.{f}"), "CODE")}
    in_table = {check.name for check in CHECKS}
    assert pages - elsewhere == in_table
    assert len(in_table) == len(CHECKS)


def test_a_report_loads_no_checks():
    code = (
        "import sys, grouper.reports.terminal, grouper.reports.json\n"
        "assert 'grouper.checks.report' in sys.modules\n"
        "assert 'grouper.checks.table' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_claim_speaks_of_all_numbered_labels():
    model = inventory("blocks.0.w", "blocks.1.w", "head.w")
    rules = "optimizer SGD lr=1\nblocks.{i}.* -> block{i} lr*=0.5 ** (count(i) - i)\nelse -> head\n"
    held = "expect count(block) == 2\nexpect head.lr / block.lr in 2..4\nexpect numel(block) == 24"
    assert not grouper.check(model, grouper.parse(rules + held)).findings
    (failed,) = grouper.check(model, grouper.parse(rules + "expect block.lr < 0.5")).findings
    assert "`block.lr` is 0.5" in failed.message
    (unknown,) = grouper.parse(rules + "expect count(blocks) > 0").findings
    assert "no label `blocks`" in unknown.message
