"""The language read slowly and obviously, straight from its reference: which rules match each
parameter, the numbers of the model, and the options that follow. No caches, no compiling."""

from __future__ import annotations

import math
import re
from dataclasses import replace

from grouper.language.syntax import tree

ARITHMETIC = {
    "+": lambda a, b: a + b, "-": lambda a, b: a - b, "*": lambda a, b: a * b,
    "/": lambda a, b: a / b, "//": lambda a, b: a // b, "%": lambda a, b: a % b,
    "**": lambda a, b: a**b,
}  # fmt: skip
COMPARED = {
    "==": lambda a, b: a == b, "!=": lambda a, b: a != b, "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b, ">": lambda a, b: a > b, ">=": lambda a, b: a >= b,
}  # fmt: skip
FUNCTIONS = {
    "min": min, "max": max, "sqrt": math.sqrt, "log": math.log, "exp": math.exp, "abs": abs,
    "floor": math.floor, "ceil": math.ceil, "round": round, "sin": math.sin, "cos": math.cos,
}  # fmt: skip
FACTS = ("ndim", "numel", "dtype", "fan_in", "fan_out")


def ways(pieces, name, before=""):
    """The captures of each way in which a glob matches a name, the best first."""
    if not pieces:
        if not name:
            yield {}
        return
    first, rest = pieces[0], pieces[1:]
    if isinstance(first, tree.Star):
        for i in range(len(name) + 1):
            # A number beside a star is no part of a longer run of digits.
            cut = isinstance(rest[0] if rest else None, tree.Integer)
            if not (cut and (before + name[:i])[-1:].isdigit()):
                yield from ways(rest, name[i:], before + name[:i])
    elif isinstance(first, tree.Alternatives):
        for option in first.options:
            yield from ways((*option.pieces, *rest), name, before)
    elif isinstance(first, tree.Integer):
        digits = re.match(r"0|[1-9][0-9]*", name)
        for end in range(digits.end() if digits else 0, 0, -1):
            value, star = int(name[:end]), isinstance(rest[0] if rest else None, tree.Star)
            inside = first.first is None or first.first <= value <= first.last
            if inside and not (star and name[end : end + 1].isdigit()):
                for found in ways(rest, name[end:], before + name[:end]):
                    if first.capture is None:
                        yield found
                    elif found.get(first.capture, value) == value:
                        yield {first.capture: value, **found}
    elif isinstance(first, tree.Text):
        if name.startswith(first.text):
            yield from ways(rest, name[len(first.text) :], before + first.text)
    elif name and name[0] != "." and _one(first, name[0]):
        yield from ways(rest, name[1:], before + name[0])


def _one(piece, character):
    if isinstance(piece, tree.QuestionMark):
        return True
    return any(a <= character <= b for a, b in piece.ranges) != piece.negated


class Reading:
    """A rule set on a model; `base` is the base model's parameters by name."""

    def __init__(self, rules, model, base=None):
        self.rules, self.model, self.base = rules, model, base or {}

    def matches(self, selector, parameter):
        """The captures, or None."""
        if selector is None or isinstance(selector, tree.Flag | tree.Has):
            return {} if self._is(selector, parameter) else None
        if isinstance(selector, tree.Glob | tree.Exact | tree.Regex | tree.Within):
            return next(
                (f for n in parameter.names if (f := self._name(selector, n)) is not None), None
            )
        if isinstance(selector, tree.ClassName):
            owners = [self.model.modules[n.rpartition(".")[0]] for n in parameter.names]
            return {} if any(_is_class(selector, owner) for owner in owners) else None
        if isinstance(selector, tree.Comparison):
            return {} if self.holds(selector, parameter, {}, None) else None
        if isinstance(selector, tree.Not):
            return {} if self.matches(selector.operand, parameter) is None else None
        found = [self.matches(operand, parameter) for operand in selector.operands]
        if isinstance(selector, tree.Or):
            return next((one for one in found if one is not None), None)
        if any(one is None for one in found):
            return None
        merged = {}
        for one in found:
            if any(merged.get(key, value) != value for key, value in one.items()):
                return None
            merged |= one
        return merged

    def _is(self, selector, parameter):
        if selector is None:
            return True
        if isinstance(selector, tree.Has):
            return bool(self.model.marks.parameters.get(selector.name, set()) & {*parameter.names})
        return parameter.trainable if selector.name == "trainable" else len(parameter.names) > 1

    def _name(self, selector, name):
        if isinstance(selector, tree.Glob):
            return next(ways(selector.pieces, name), None)
        if isinstance(selector, tree.Exact):
            return {} if selector.name == name else None
        if isinstance(selector, tree.Regex):
            found = re.search(selector.pattern, name)
            groups = found.groupdict().items() if found else ()
            return {k: int(v) for k, v in groups if v} if found else None
        path = name.rpartition(".")[0]
        while True:  # from the owner upwards
            if isinstance(selector.module, tree.ClassName):
                found = {} if _is_class(selector.module, self.model.modules[path]) else None
            else:
                found = self._name(selector.module, path)
            if found is not None or not path:
                return found
            path = path.rpartition(".")[0]

    def family(self, split, names):
        """What the captures take together, over all that one of the block's selectors matches."""
        taken = set()
        for rule in self.rules.rules:
            if rule.split == split and rule.selector is not None:
                for parameter in self.model.parameters:
                    if self.matches(rule.selector, parameter) is None:
                        continue
                    for name in parameter.names:
                        one = replace(parameter, names=(name, name))
                        found = self.matches(rule.selector, one) or {}
                        if any(n in found for n in names):
                            taken.add(tuple(found.get(n) for n in names))
        return taken

    def number(self, function, names, captures, split):
        taken = self.family(split, names)
        whole = sorted(one for one in taken if None not in one)
        if function == "count":
            return len(whole)
        if function == "rank":
            return sum(one < tuple(captures.get(n, -1) for n in names) for one in whole)
        return (min if function == "min" else max)(n for (n,) in taken if n is not None)

    def trained_under(self, label):
        """The parameters that are trained under a label, or a label with numbers."""
        for parameter in self.model.parameters:
            found = self.rules_of(parameter)
            if self.is_frozen(parameter, found):
                continue
            if any(label in (label_of(r, c), _stem(r)) for r, c in found if r.label):
                yield parameter

    def value(self, expression, parameter, captures, split):
        def of(part):
            return self.value(part, parameter, captures, split)

        match expression:
            case tree.Number(value=value) | tree.Constant(value=value) | tree.String(value=value):
                return value
            case tree.Tuple(items=items):
                return tuple(map(of, items))
            case tree.Unary(operator=sign, operand=operand):
                return -of(operand) if sign == "-" else of(operand)
            case tree.Binary(operator=operator, left=left, right=right):
                return ARITHMETIC[operator](of(left), of(right))
            case tree.Subscript(of=tree.Attribute(), index=index):
                return self.base[parameter.name].shape[of(index)]
            case tree.Subscript(of=tree.Word(name="shape"), index=index):
                return parameter.shape[of(index)]
            case tree.Subscript(of=tree.Word(name=name), index=index):
                return self.rules.variables[name][of(index)]
            case tree.Attribute(key=key):
                return _fact(key, self.base[parameter.name])
            case tree.Word(name=name):
                if name in captures:
                    return captures[name]
                if name in self.rules.variables:
                    return self.rules.variables[name]
                if name not in FACTS:
                    return math.pi if name == "pi" else name
                return _fact(name, parameter)
            case tree.Call(function=function, arguments=arguments):
                names = tuple(a.name for a in arguments if isinstance(a, tree.Word))
                known = len(names) == len(arguments) and self.family(split, names)
                if known and function in ("rank", "count", "min", "max"):
                    return self.number(function, names, captures, split)
                if function in ("count", "numel"):
                    trained = list(self.trained_under(names[0]))
                    return len(trained) if function == "count" else sum(p.numel for p in trained)
                return FUNCTIONS[function](*map(of, arguments))

    def holds(self, condition, parameter, captures, split):
        if isinstance(condition, tree.Not):
            return not self.holds(condition.operand, parameter, captures, split)
        if isinstance(condition, tree.And | tree.Or):
            join = all if isinstance(condition, tree.And) else any
            return join(self.holds(c, parameter, captures, split) for c in condition.operands)
        try:
            left = self.value(condition.left, parameter, captures, split)
            right = self.value(condition.right, parameter, captures, split)
        except (IndexError, LookupError):
            return False  # what a parameter does not have compares with nothing
        return COMPARED[condition.operator](left, right)

    def rules_of(self, parameter):
        """The rules that take a parameter, in file order, with their captures."""
        taken, found = set(), []
        for rule in self.rules.rules:
            captures = self.matches(rule.selector, parameter)
            if captures is None or (rule.otherwise and rule.split in taken):
                continue
            if rule.condition is None or self.holds(
                rule.condition, parameter, captures, rule.split
            ):
                taken.add(rule.split)
                found.append((rule, captures))
        return found

    def is_frozen(self, parameter, found):
        return parameter.trainable is False or any(rule.freezes for rule, _ in found)

    def result(self, parameter):
        """Labels, options, the keys in conflict, and whether it is frozen."""
        found = self.rules_of(parameter)
        labels = [label_of(rule, captures) for rule, captures in found if rule.label]
        if self.is_frozen(parameter, found):
            return list(dict.fromkeys(labels)), None, None, True
        values = {}
        for rule, captures in found:
            for option in rule.options:
                value = self.value(option.value, parameter, captures, rule.split)
                values.setdefault((option.operator, option.key), []).append((rule.override, value))
        options = dict(self.rules.optimizers[0].options)
        conflicts = set()
        for (operator, key), given in values.items():
            if operator == "=":
                strong = {v for override, v in given if override} or {v for _, v in given}
                if len(strong) > 1:
                    conflicts.add(key)
                else:
                    (options[key],) = strong
        for (operator, key), given in values.items():
            if operator == "*=":
                for factor in sorted(v for _, v in given):
                    options[key] = options[key] * factor
        return list(dict.fromkeys(labels)), options, conflicts, False


def label_of(rule, captures):
    pieces = rule.label.pieces
    return "".join(p.text if isinstance(p, tree.Text) else str(captures[p.name]) for p in pieces)


def _stem(rule):
    return "".join(p.text for p in rule.label.pieces if isinstance(p, tree.Text))


def _fact(name, parameter):
    shape = parameter.shape
    if name in ("fan_in", "fan_out"):
        return (
            shape[1 if name == "fan_in" else 0] * math.prod(shape[2:])
            if len(shape) > 1
            else shape[9]
        )
    return {"ndim": len(shape), "numel": math.prod(shape), "dtype": parameter.dtype}[name]


def _is_class(selector, module):
    names = [module.cls, *(module.bases or ())]
    if selector.dotted:
        names += [f"torch.nn.{n.rpartition('.')[2]}" for n in names if "torch.nn.modules" in n]
    else:
        names = [name.rpartition(".")[2] for name in names]
    return any(next(ways(selector.name.pieces, name), None) is not None for name in names)
