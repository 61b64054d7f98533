"""The text of statements, selectors and expressions, each of which parses to an equal one."""

from __future__ import annotations

import re

from grouper.language.syntax import tree
from grouper.language.syntax.keywords import KEYWORDS
from grouper.text.printable import quoted

_PRECEDENCE = {"+": 1, "-": 1, "*": 2, "/": 2, "//": 2, "%": 2, "**": 4}
_PLAIN_LABEL = re.compile(r"[^\W\d][\w.-]*(?<![.-])")


def statement_text(statement: tree.Statement) -> str:
    """A statement on one line; of a split, its head."""
    match statement:
        case tree.Rule():
            return rule_text(statement)
        case tree.Let(name=name, value=value):
            return f"let {name} = {expression_text(value)}"
        case tree.Include(path=path):
            return f"include {quoted(path)}"
        case tree.Optimizer(name=name, alias=alias, options=options):
            given = f" as {alias}" if alias else ""
            return f"optimizer {name}{given} {options_text(options)}".rstrip()
        case tree.Warmup(options=options):
            return f"warmup {options_text(options)}".rstrip()
        case tree.Schedule(name=name, options=options, key=key):
            return " ".join(filter(None, ("schedule", key, name, options_text(options))))
        case tree.Split(name=name):
            return f"split {name}"
        case tree.Strict():
            return "strict"
        case tree.Expect(claim=claim, after_warmup=after_warmup):
            return f"expect {_claim_text(claim)}" + " after warmup" * after_warmup
        case tree.For(path=path):
            return f"for {quoted(path)}"
        case tree.BaseModel(path=path):
            return f"base_model {quoted(path)}"
        case tree.Tag(names=names):
            return f"tag {', '.join(names)}"
        case tree.Allow(code=code, selector=selector):
            return f"allow {code}" + (f" {selector_text(selector)}" if selector else "")
    raise TypeError(f"not a statement: {statement!r}")


def rule_cells(rule: tree.Rule) -> tuple[str, ...]:
    """A rule's selector, its arrow and label, and its options."""
    words = ["optional"] * rule.optional
    words += ["override"] * rule.override + ["else"] * rule.otherwise
    if rule.selector is not None:
        words.append(selector_text(rule.selector))
    if rule.condition is not None:
        words.append(f"where {condition_text(rule.condition)}")
    arrow = f"-> {label_text(rule.label)}" if rule.label else "->"
    options = (options_text(rule.options),) if rule.options else ()
    return " ".join(words), arrow, *options


def rule_text(rule: tree.Rule) -> str:
    return " ".join(rule_cells(rule))


def label_text(label: tree.Label) -> str:
    """A label; in quotes where it is no plain word."""
    text = "".join(
        f"{{{piece.name}}}" if isinstance(piece, tree.Word) else piece.text
        for piece in label.pieces
    )
    words = any(isinstance(piece, tree.Word) for piece in label.pieces)
    plain = "".join("x" if isinstance(p, tree.Word) else p.text for p in label.pieces)
    if words or (_PLAIN_LABEL.fullmatch(plain) and plain not in KEYWORDS):
        return text
    return quoted(text)


def options_text(options: tuple[tree.Option, ...], between: str = " ") -> str:
    """Options as they are written, with `between` between them."""
    return between.join(
        o.key if o.operator == "flag" else f"{o.key}{o.operator}{expression_text(o.value)}"
        for o in options
    )


def selector_text(selector: tree.Selector) -> str:
    """A selector that parses to an equal one."""
    match selector:
        case tree.Glob():
            return glob_text(selector)
        case tree.Regex(pattern=pattern):
            return "/" + re.sub(r"(?<!\\)((?:\\\\)*)/", r"\1\\/", pattern) + "/"
        case tree.Exact(name=name):
            return quoted(name)
        case tree.ClassName(name=name):
            return f"@{glob_text(name)}"
        case tree.Within(module=module):
            return f"in {selector_text(module)}"
        case tree.Comparison():
            return _comparison(selector)
        case tree.Flag(name=name):
            return name
        case tree.Has(name=name):
            return f"has {name}"
        case tree.Not(operand=operand):
            return f"not {_grouped(operand, tree.And, tree.Or)}"
        case tree.And(operands=operands):
            return " and ".join(_grouped(operand, tree.And, tree.Or) for operand in operands)
        case tree.Or(operands=operands):
            return " or ".join(_grouped(operand, tree.Or) for operand in operands)
    raise TypeError(f"not a selector: {selector!r}")


def _grouped(selector: tree.Selector, *kinds: type) -> str:
    text = selector_text(selector)
    return f"({text})" if isinstance(selector, kinds) else text


def condition_text(condition: tree.Selector) -> str:
    """What follows `where`. It has no parentheses: `or` holds `and`, which holds `not`."""
    return selector_text(condition)


def _claim_text(claim: tree.Comparison | tree.Between) -> str:
    if isinstance(claim, tree.Comparison):
        return _comparison(claim)
    parts = (expression_text(part) for part in (claim.value, claim.first, claim.last))
    return "{} in {}..{}".format(*parts)


def _comparison(comparison: tree.Comparison) -> str:
    left, right = expression_text(comparison.left), expression_text(comparison.right)
    return f"{left} {comparison.operator} {right}"


def glob_text(glob: tree.Glob) -> str:
    """A glob as it is written."""
    return "".join(map(_piece, glob.pieces))


def _piece(piece: tree.Piece) -> str:
    match piece:
        case tree.Text(text=text):
            return text
        case tree.Star():
            return "*"
        case tree.QuestionMark():
            return "?"
        case tree.CharacterClass(ranges=ranges, negated=negated):
            inside = "".join(a if a == b else f"{a}-{b}" for a, b in ranges)
            return f"[{'!' * negated}{inside}]"
        case tree.Alternatives(options=options):
            return f"{{{','.join(map(glob_text, options))}}}"
        case tree.Integer(capture=capture, first=None):
            return f"{{{capture}}}"
        case tree.Integer(capture=capture, first=first, last=last):
            return f"{{{f'{capture}:' if capture else ''}{first}..{last}}}"
    raise TypeError(f"not a piece of a glob: {piece!r}")


def expression_text(expression: tree.Expression, around: int = 0) -> str:
    """An expression that parses to an equal one; `around` is the precedence of what holds it."""
    match expression:
        case tree.Number(value=value, text=text):
            return text or repr(value)
        case tree.Constant(value=value):
            return {None: "none", True: "true", False: "false"}[value]
        case tree.String(value=value):
            return quoted(value)
        case tree.Word(name=name):
            return name
        case tree.Attribute(label=label, key=key):
            plain = re.fullmatch(r"[^\W\d]\w*", label)
            return f"{label if plain else quoted(label)}.{key}"
        case tree.Subscript(of=of, index=index):
            return f"{expression_text(of)}[{expression_text(index)}]"
        case tree.Tuple(items=items):
            inside = ", ".join(map(expression_text, items))
            return f"({inside},)" if len(items) == 1 else f"({inside})"
        case tree.Call(function=function, arguments=arguments):
            return f"{function}({', '.join(map(expression_text, arguments))})"
        case tree.Configured(name=name, options=options):
            return f"{name}({options_text(options, ', ')})"
        case tree.Unary(operator=operator, operand=operand):
            text = f"{operator}{expression_text(operand, 3)}"
            return f"({text})" if around > 3 else text
        case tree.Binary():
            return _binary(expression, around)
    raise TypeError(f"not an expression: {expression!r}")


def _binary(expression: tree.Binary, around: int) -> str:
    own = _PRECEDENCE[expression.operator]
    power = expression.operator == "**"
    left = expression_text(expression.left, own + 1 if power else own)
    right = expression_text(expression.right, 3 if power else own + 1)
    text = f"{left}**{right}" if power else f"{left} {expression.operator} {right}"
    return f"({text})" if own < around else text
