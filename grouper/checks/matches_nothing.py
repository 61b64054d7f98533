"""A rule matches no parameter of the model.

A layer was renamed, or the rule was written for another model: its options reach nothing.

    model.24.* -> head lr=0.1         # bad on a YOLOv8, whose head is `model.22`
    in @Detect -> head lr=0.1         # good on every YOLO
"""

from __future__ import annotations

from collections.abc import Iterator

from grouper.checks.context import Context
from grouper.findings import Code, Finding, Severity, labels_at
from grouper.language.ruleset import Rule
from grouper.language.syntax import tree
from grouper.model.inventory import Inventory
from grouper.text.printable import quoted_list
from grouper.text.similar import near

CODE = Code("GR105", "rule-matches-nothing", Severity.ERROR, __doc__ or "")


def check(context: Context) -> Iterator[Finding]:
    """One finding for each rule without a match; an `else` rule may have none left to match."""
    matched = {id(m.rule) for first, *_ in context.assignment.treated_alike for m in first.matches}
    unanswered = {id(unanswered.rule) for unanswered in context.assignment.unanswered}
    for rule in context.rules.rules:
        if id(rule) in matched or rule.optional or rule.otherwise or rule.selector is None:
            continue
        if id(rule) in unanswered:
            continue  # that it has no answer is reported already
        span = rule.selector.span or rule.span
        name = f"`{span.text}`" if span else "a rule"
        yield Finding(
            CODE,
            f"{name} matches no parameter",
            labels_at(span),
            help=suggestion(rule, context.inventory) or "correct the selector, or remove the rule",
        )


def suggestion(rule: Rule, inventory: Inventory) -> str | None:
    """What the model has that is most like what the rule names, in words."""
    selector = rule.selector
    if isinstance(selector, tree.Within):
        selector = selector.module
    if isinstance(selector, tree.ClassName):
        return _near_class(selector, inventory)
    if isinstance(selector, tree.Glob | tree.Exact):
        return _near_path(selector, inventory)
    return None


def _near_class(selector: tree.ClassName, inventory: Inventory) -> str | None:
    if inventory.modules is None or selector.span is None:
        return None
    word = selector.span.text.removeprefix("@").strip("*")
    classes = {module.cls.rpartition(".")[2] for module in inventory.modules.values() if module.cls}
    likely = near(word, sorted(classes))
    return f"the model has {quoted_list(f'@{name}' for name in likely)}" if likely else None


def _near_path(selector: tree.Glob | tree.Exact, inventory: Inventory) -> str | None:
    """How far the selector's literal segments lead, and what there is where they end."""
    children = _children(inventory)
    path = ""
    for segment in _literal_segments(selector):
        below = children.get(path, ())
        if segment in below:
            path = f"{path}.{segment}" if path else segment
            continue
        return _instead(path, segment, tuple(below), inventory)
    return _elsewhere(selector, path, inventory)


def _literal_segments(selector: tree.Glob | tree.Exact) -> list[str]:
    if isinstance(selector, tree.Exact):
        return selector.name.split(".")
    text = ""
    for piece in selector.pieces:
        if not isinstance(piece, tree.Text):
            break
        text += piece.text
    whole = len(selector.pieces) == 1
    return [part for part in (text if whole else text.rpartition(".")[0]).split(".") if part]


def _children(inventory: Inventory) -> dict[str, dict[str, None]]:
    children: dict[str, dict[str, None]] = {}
    for name in inventory.by_name:
        parts = name.split(".")
        for i, part in enumerate(parts):
            children.setdefault(".".join(parts[:i]), {})[part] = None
    return children


def _instead(path: str, segment: str, below: tuple[str, ...], inventory: Inventory) -> str | None:
    prefix = f"{path}." if path else ""
    if segment.isdigit() and below and all(part.isdigit() for part in below):
        last = max(below, key=int)
        cls = (inventory.modules or {}).get(prefix + last)
        kind = f", a `{cls.cls.rpartition('.')[2]}`" if cls else ""
        return f"`{path}` has no `{segment}`: its last one is `{prefix}{last}`{kind}"
    likely = near(segment, below)
    if likely:
        return f"there is {quoted_list(prefix + name for name in likely)}"
    deeper = [n for n in inventory.by_name if f".{segment}." in f".{n}."]
    if deeper:
        at = deeper[0].split(".").index(segment)
        return f"`{segment}` is further in: `{'.'.join(deeper[0].split('.')[: at + 1])}`"
    names = quoted_list(prefix + name for name in below[:4])
    return f"there is {names}{' ...' * (len(below) > 4)}" if below else None


def _elsewhere(selector: tree.Selector, path: str, inventory: Inventory) -> str | None:
    """The names most like the whole pattern."""
    text = selector.span.text if selector.span else ""
    last = text.rpartition(".")[2]
    ends = dict.fromkeys(name.rpartition(".")[2] for name in inventory.by_name)
    likely = near(last, ends)
    if likely and last not in ends:
        return f"parameters end in {quoted_list(likely)}"
    below = [name for name in inventory.by_name if not path or name.startswith(f"{path}.")]
    likely = near(text, below[:2000], limit=2)
    return f"there is {quoted_list(likely)}" if likely else None
