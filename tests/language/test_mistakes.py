"""What users read about malformed files: one golden file for each."""

import pytest

from grouper.language.resolve.resolve import resolve
from grouper.reports.finding_text import finding_lines
from grouper.text.source import Source

MALFORMED = {
    "wrong_arrow": "model.24.* => head lr=0.01",
    "unicode_arrow": "model.24.* → head lr=0.01",
    "colon_for_arrow": "model.24.* : head",
    "no_arrow": "model.24.* head lr=0.01",
    "else_no_arrow": "else *.bias",
    "two_arrows": "a -> b -> c",
    "misspelt_statement": "optimzer SGD lr=0.1",
    "no_label_or_option": "*.bias ->",
    "keyword_label": "*.bias -> else",
    "keyword_variable": "let freeze = 3",
    "no_selector": "-> head",
    "in_nothing": "in -> head",
    "in_regex": "in /model/ -> head",
    "dangling_and": "*.bias and -> head",
    "not_nothing": "not -> head",
    "open_string": '"model.24 -> head',
    "open_regex": "/model.24 -> head",
    "open_brace": "{conv1,conv2.weight -> head",
    "spaced_braces": (
        "{*a.weight, b.weight} -> head\nmodel.{0 .. 3}.{a, {b, c}}.* -> body\n{a b} -> c\n"
        "split kind {a, b}\na -> {b, c}"
    ),
    "open_bracket": "layer[0-3.weight -> head",
    "open_parenthesis": "(a or b -> head\n*.bias -> bias lr=oops(1)",
    "open_split": "split kind {\n    *.bias -> bias\n",
    "stray_brace": "*.bias -> bias\n}",
    "empty_range": "model.{9..0}.* -> head",
    "empty_braces": "model.{}.* -> head",
    "one_alternative": "model.{a-b}.* -> head",
    "backward_class": "[c-a].weight -> head",
    "bare_at": "@ -> head",
    "option_colon": "*.bias -> bias lr:0.1",
    "option_space": "*.bias -> bias lr 0.1",
    "option_double_equals": "*.bias -> bias lr==0.1",
    "option_no_value": "*.bias -> bias lr= weight_decay=0",
    "option_comma": "*.bias -> bias lr=0.1, weight_decay=0",
    "bad_number": "*.bias -> bias lr=1e",
    "hex_number": "*.bias -> bias lr=0x10",
    "grouped_number": "*.bias -> bias lr=1_000",
    "operator_twice": "*.bias -> bias lr=1 + * 2",
    "ends_in_operator": "*.bias -> bias lr=1 +",
    "freeze_with_value": "*.bias -> bias freeze=true",
    "single_quotes": "'model.24' -> head",
    "smart_quotes": "“model.24” -> head",
    "control_character": "*.bias -> bias\x07",
    "include_without_quotes": "include warmup.rules",
    "missing_include": 'include "warmpu.rules"',
    "nested_split": "split a {\n    split b { *.bias -> bias }\n    else -> rest\n}",
    "let_in_split": "split a {\n    let x = 1\n    * -> all\n}",
    "override_in_split": "split a {\n    override * -> all lr=1\n}",
    "split_without_block": "split kind",
    "block_without_split": "head {\n    *.bias -> bias\n}",
    "split_without_name": "split {\n    * -> all\n}",
    "bad_regex": "/layers.(/ -> block",
    "costly_regex": "/(a+)+$/ -> block",
    "many_alternatives": "{a,b,c,d}" * 8 + " -> block",
    "deep_nesting": "not " * 200 + "a -> b",
    "unknown_variable": "let base = 0.01\n* -> all lr=base\n*.bias -> bias lr=bsae * 2",
    "unknown_function": "* -> all lr=squrt(2)",
    "unknown_capture": "layer.{i}.* -> block{j}",
    "capture_in_one_branch": "layer.{i}.* or head.* -> block{i}",
    "division_by_zero": "let base = 1 / 0\n* -> all lr=base",
    "too_large": "* -> all lr=9**9**9",
    "duplicate_key": "* -> all lr=0.1 lr=0.2",
    "duplicate_let": "let a = 1\nlet a = 2\n* -> all lr=a",
    "label_in_two_splits": (
        "split a { *.bias -> x; else -> y }\nsplit b { *.weight -> x; else -> z }"
    ),
    "unknown_schedule": "schedule cosin final=0.1",
    "unknown_schedule_option": "schedule cosine finl=0.1",
    "schedule_needs": "schedule step gamma=0.1",
    "warmup_both": "warmup epochs=3 steps=100",
    "warmup_word": "warmup epochs=three",
    "unknown_optimizer": "optimizer SGD as body lr=0.1\n* -> all optimizer=bodi",
    "same_optimizer_twice": "optimizer SGD lr=0.1\noptimizer SGD lr=0.2",
    "plan_key_multiplied": "optimizer SGD warmup_start*=2",
    "freeze_and_options": "*.bias -> bias freeze lr=0.1",
    "unknown_label": "* -> head lr=1\nexpect haed.lr == 1",
    "unused_let": "let base = 0.01\n* -> all lr=0.1",
    "several": "a => b\n*.bias -> bias lr=\n{9..0} -> x\nc -> d",
}


@pytest.mark.parametrize("name", MALFORMED)
def test_what_is_said_about(name, golden):
    rules = resolve(Source(MALFORMED[name] + "\n", f"{name}.rules"))
    lines = [
        getattr(line, "plain", "").rstrip()
        for finding in rules.findings
        for line in [*finding_lines(finding), ""]
    ]
    assert lines
    for finding in rules.findings:
        said = [finding.message, finding.help or ""]
        assert finding.help, finding.message
        assert all(not text[:1].isupper() and text.isprintable() for text in said)
    shown = "\n".join(lines[:-1])
    golden(f"malformed/{name}.txt", f"{MALFORMED[name]}\n\n{shown}\n")


def test_each_fault_is_reported_once():
    rules = resolve(Source(MALFORMED["several"], "several.rules"))
    assert [finding.span.line for finding in rules.findings] == [1, 2, 3]
    assert len(rules.rules) == 1
