"""A rule matches no parameter of the model.

A layer was renamed, or the rule was written for another model, so its options have no effect.

    model.24.* -> head lr=0.1         # bad on a YOLOv8, whose head is `model.22`
    in @Detect -> head lr=0.1         # good on every YOLO
"""

from __future__ import annotations

from collections.abc import Iterator

from grouper.checks import empty_selector
from grouper.checks.context import Context
from grouper.checks.near_selectors import near_selectors, numbered_layers
from grouper.checks.rule_edits import optional, selector_text_of
from grouper.language.ruleset import Rule
from grouper.language.syntax import tree
from grouper.language.syntax.parser import parse_selector
from grouper.match.classes import ClassTest
from grouper.model.inventory import Inventory
from grouper.text.findings import Code, Edit, Finding, Fix, Severity, labels_at
from grouper.text.printable import count_phrase, quoted_list
from grouper.text.similar import near

CODE = Code("GR105", "rule-matches-nothing", Severity.ERROR, __doc__ or "")
CORRECT = "correct the selector, or remove the rule"
ACCEPT = "begin the rule with `optional` if only some models have it"
MOST_SUGGESTIONS = 20
MOST_NAMES = 200_000  # that are searched for suggestions, each of which searches all


def check(context: Context) -> Iterator[Finding]:
    """One finding for each rule whose selector matches nothing, even without the other rules."""
    count = 0
    most = context.inventory.passes(MOST_NAMES, MOST_SUGGESTIONS)
    for rule in context.without_matches:
        if rule.optional or (rule.selector is None and rule.condition is None):
            continue
        if context.candidates(rule):
            continue
        if rule.selector is None or (rule.condition and context.selected(rule.selector)):
            yield _never_holds(context, rule)
            continue
        place = rule.selector.span or rule.span
        name = f"`{place.text}`" if place else "a rule"
        count += 1
        help, fixes = _way_out(context, rule) if count <= most else (CORRECT, ())
        yield Finding(
            CODE,
            f"{name} matches no parameter",
            labels_at(place),
            help=help,
            candidates=fixes,
        )


def _never_holds(context: Context, rule: Rule) -> Finding:
    """The finding for a rule whose condition never holds although its selector matches."""
    selected = context.inventory.parameters
    if rule.selector is not None:
        members = context.selected(rule.selector)
        selected = tuple(p for p in selected if id(p) in members)
    place = rule.condition.span if rule.condition is not None else None
    text = place.text if place is not None else "its condition"
    matches = f"`{selector_text_of(rule)}` matches" if rule.selector is not None else "there are"
    says = empty_selector.why_condition_fails(context, rule) or "correct the condition"
    return Finding(
        CODE,
        f"`where {text}` holds for none of the {count_phrase(selected)} that {matches}",
        labels_at(place or rule.span),
        help=f"{says}; {ACCEPT}",
        candidates=empty_selector.last_number(rule),
    )


def _way_out(context: Context, rule: Rule) -> tuple[str, tuple[Fix, ...]]:
    """The help, and fixes with the selectors that may be meant."""
    assert rule.selector is not None
    if rule.selector.span is not None and _means_else(rule.selector.span.text):
        word = "`else` matches what no earlier rule matched, `*` matches everything"
        return f"{word}: `else -> ...`", ((Edit(rule.selector.span, "else"),),)
    without_parameters = _class_without_parameters(context, rule.selector)
    if without_parameters is not None:
        return without_parameters, (optional(rule),)
    dead = [part for part in _parts(rule.selector) if not context.selected(part)]
    texts: list[str] = []
    fixes: list[Fix] = []
    for part in dead:
        for text in near_selectors(context, part):
            texts.append(text)
            if part.span is not None:
                fixes.append((Edit(part.span, text),))
    words = [suggestion(rule, context.inventory) if len(dead) < 2 else None]
    whole = [rule.selector] if isinstance(rule.selector, tree.Not) else dead
    words += [empty_selector.why_fact_fails(context, part) for part in whole]
    if isinstance(rule.selector, tree.And) and not dead:
        words += [empty_selector.what_excludes(context, rule.selector)]
    if texts:
        classes = _classes_of(context, texts[0]) or _example_of(context, texts)
        words = [*words, f"try {quoted_list(texts[:3])}{classes}"]
    elif not any(words):
        words = [_what_is_there(context, rule.selector)]
    explanation = "; ".join(word for word in words if word)
    return f"{explanation or CORRECT}; {ACCEPT}", tuple(fixes)


def _what_is_there(context: Context, selector: tree.Selector) -> str | None:
    if isinstance(selector, tree.ClassName):
        return empty_selector.present_classes(context)
    return numbered_layers(context) or (
        empty_selector.top_classes(context) if isinstance(selector, tree.Within) else None
    )


def _example_of(context: Context, texts: list[str]) -> str:
    """One parameter that the pattern matches, if there is only one pattern."""
    selected = context.selected(parse_selector(texts[0]))
    names = [p.name for p in context.parameters(selected)]
    return f" (`{names[0]}`)" if len(texts) == 1 and names and names[0] != texts[0] else ""


def _classes_of(context: Context, text: str) -> str:
    """The classes that a class pattern matches, in words."""
    selector = parse_selector(text)
    module_class = selector.module if isinstance(selector, tree.Within) else selector
    if not isinstance(module_class, tree.ClassName):
        return ""
    is_class = ClassTest(module_class)
    modules = (context.inventory.modules or {}).values()
    names = dict.fromkeys(m.cls.rpartition(".")[2] for m in modules if is_class(m))
    return f" (the class {quoted_list(list(names)[:2])})" if names else ""


def _means_else(text: str) -> bool:
    """Whether a name is a word for the remaining or for all parameters in other tools."""
    words = ("else", "default", "rest", "others", "other", "everything", "all", "remaining", "any")
    return text.lower().rstrip(":") in words


def _parts(selector: tree.Selector) -> list[tree.Selector]:
    """The operands of `and` and `or`, without those of `not`."""
    if isinstance(selector, tree.And | tree.Or):
        return [part for operand in selector.operands for part in _parts(operand)]
    return [] if isinstance(selector, tree.Not) else [selector]


def _class_without_parameters(context: Context, selector: tree.Selector) -> str | None:
    """The help for a class that the model has, but without parameters."""
    modules = context.inventory.modules
    if not isinstance(selector, tree.ClassName) or modules is None:
        return None
    is_class = ClassTest(selector)
    paths = [path for path, module in modules.items() if is_class(module)]
    if not paths or any(other.startswith(f"{path}.") for path in paths[:1] for other in modules):
        return None
    cls = modules[paths[0]].cls.rpartition(".")[2]
    return (
        f"the model has {count_phrase(paths, 'module')} of the class `{cls}`, but without"
        " parameters: their tensors are buffers, which are not trained; remove the rule, or begin"
        " it with `optional`"
    )


def suggestion(rule: Rule, inventory: Inventory) -> str | None:
    """The names of the model that are most similar to the rule's, in words."""
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
    """Which of the selector's literal segments the model has, and what it has after them."""
    numbers = _numbers(selector, inventory)
    if numbers is not None:
        return numbers
    path = ""
    for segment in _literal_segments(selector):
        below = inventory.children.get(path, ())
        if segment in below:
            path = f"{path}.{segment}" if path else segment
            continue
        return _instead(path, segment, tuple(below), inventory)
    return _elsewhere(selector, path, inventory)


def _numbers(selector: tree.Glob | tree.Exact, inventory: Inventory) -> str | None:
    """The numbers of a list of modules, for a range outside of them."""
    match selector:
        case tree.Glob(pieces=(tree.Text(text=text), tree.Integer(), *_)) if text.endswith("."):
            rests = (n.removeprefix(text) for n in inventory.by_name if n.startswith(text))
            numbers = sorted({int(b.partition(".")[0]) for b in rests if b[:1].isdigit()})
            return f"`{text[:-1]}` has {numbers[0]} to {numbers[-1]} here" if numbers else None
    return None


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
        return f"`{segment}` is nested: `{'.'.join(deeper[0].split('.')[: at + 1])}`"
    names = quoted_list(prefix + name for name in below[:4])
    return f"there is {names}{' ...' * (len(below) > 4)}" if below else None


def _elsewhere(selector: tree.Selector, path: str, inventory: Inventory) -> str | None:
    """The names most similar to the whole pattern."""
    text = selector.span.text if selector.span else ""
    last = text.rpartition(".")[2]
    ends = dict.fromkeys(name.rpartition(".")[2] for name in inventory.by_name)
    likely = near(last, ends)
    if likely and last not in ends:
        return f"parameters end in {quoted_list(likely)}"
    below = [name for name in inventory.by_name if not path or name.startswith(f"{path}.")]
    likely = near(text, below[:2000], limit=2)
    return f"there is {quoted_list(likely)}" if likely else None
