"""A Python configuration as data: assignments of literals and of calls, read by `ast`, never run.

A call with keywords is a mapping (`dict(...)`, `ParamGroupConfig(...)`), with the name of the
called object under `_target_`. Names that were assigned above stand for their values, and
arithmetic on numbers is done. Everything else is `Opaque`: an error only where it is needed.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Sequence
from typing import Any

from grouper.generate.convert.errors import ConvertError
from grouper.generate.convert.section import TARGET, UNNAMED, Opaque
from grouper.options.values import is_number
from grouper.text.dataclass import replace

_OPERATORS: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
}
_EMPTY = ("dict", "ConfigDict", "ml_collections.ConfigDict", "Config", "CN", "CfgNode")


def read_python(text: str, path: str) -> dict[str, Any]:
    """What the file assigns, by name, and what its functions return or assign, by `name()`; what
    `get_config()` returns alone, where the file defines that."""
    try:
        module = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        line = f"line {error.lineno}: " if isinstance(error, SyntaxError) else ""
        reason = error.msg if isinstance(error, SyntaxError) else error
        raise ConvertError(f"`{path}` is not Python: {line}{reason}") from None
    reader = _Reader({}, {})
    reader.take(module.body)
    functions = [s for s in module.body if isinstance(s, ast.FunctionDef)]
    within = {function.name: reader.inside(function) for function in functions}
    config: Any = within.get("get_config")
    if isinstance(config, dict):
        return config
    if set(reader.scope) == {"_"} and isinstance(reader.scope["_"], dict):
        return reader.scope["_"]  # a file that is one literal
    names = {name: value for name, value in reader.scope.items() if name != "_"}
    return names | {f"{name}()": value for name, value in within.items()}


class _Reader:
    """Reads statements in order into a scope."""

    def __init__(self, scope: dict[str, Any], imports: dict[str, str]) -> None:
        self.scope = scope
        self.imports = imports
        self.returned: Any = None

    def inside(self, function: ast.FunctionDef) -> Any:
        """What a function returns or, where that is no mapping, the names that it assigns. Its
        arguments have no values."""
        given = function.args
        arguments = [a.arg for a in (*given.posonlyargs, *given.args, *given.kwonlyargs)]
        outer = {name: value for name, value in self.scope.items() if name not in arguments}
        reader = _Reader(dict(outer), dict(self.imports))
        reader.take(function.body)
        if isinstance(reader.returned, dict):
            return reader.returned
        return {n: v for n, v in reader.scope.items() if outer.get(n) is not v and n != "_"}

    def take(self, statements: Sequence[ast.stmt], sure: bool = True) -> None:
        """Read statements; what is assigned in branches and loops (not `sure`) is unknown."""
        for statement in statements:
            match statement:
                case ast.Assign(targets=targets, value=value):
                    for target in targets:
                        self._assign(target, self._value(value, sure))
                case ast.AnnAssign(target=target, value=ast.expr() as value):
                    self._assign(target, self._value(value, sure))
                case ast.AugAssign(target=target):
                    self._assign(target, self._opaque(statement))
                case ast.Import(names=names):
                    self.imports |= {a.asname or a.name: a.name for a in names}
                case ast.ImportFrom(module=module, names=names):
                    self.imports |= {a.asname or a.name: f"{module}.{a.name}" for a in names}
                case ast.Return(value=ast.expr() as value) if sure:
                    self.returned = self.evaluate(value)
                case ast.Expr(value=ast.expr() as value) if not self.scope:
                    self.scope["_"] = self.evaluate(value)
                case ast.With(
                    items=[ast.withitem(context_expr=ast.Call(func=ast.Name("read_base")))]
                ):
                    self._bases(statement.body)
                case ast.If() | ast.For() | ast.While() | ast.With() | ast.Try():
                    self._branches(statement)
                case _:
                    pass

    def _bases(self, imports: Sequence[ast.stmt]) -> None:
        """mmengine's `with read_base(): from .base import *`, as its `_base_` would name it."""
        for statement in imports:
            if isinstance(statement, ast.ImportFrom):
                above = "../" * (statement.level - 1)
                name = f"{above}{(statement.module or '').replace('.', '/')}.py"
                self.scope["_base_"] = [*self.scope.get("_base_", []), name]

    def _branches(self, statement: ast.stmt) -> None:
        sure = isinstance(statement, ast.With)
        for field in ("body", "orelse", "finalbody"):
            self.take(getattr(statement, field, []), sure)

    def _value(self, node: ast.expr, sure: bool) -> Any:
        return self.evaluate(node) if sure else replace(self._opaque(node), branch=True)

    def _assign(self, target: ast.expr, value: Any) -> None:
        match target:
            case ast.Name(id=name):
                self.scope[name] = value
            case ast.Attribute(value=holder, attr=key):
                self._put(holder, key, value)
            case ast.Subscript(value=holder, slice=ast.Constant(value=key)):
                self._put(holder, key, value)
            case ast.Tuple(elts=targets) | ast.List(elts=targets):
                several = isinstance(value, list | tuple) and len(value) == len(targets)
                for index, one in enumerate(targets):
                    self._assign(one, value[index] if several else self._opaque(target))
            case _:
                pass

    def _put(self, holder: ast.expr, key: Any, value: Any) -> None:
        inside = self.evaluate(holder)
        if isinstance(inside, dict):
            inside[key] = value

    def evaluate(self, node: ast.expr) -> Any:
        match node:
            case ast.Constant(value=value):
                return value if value is not Ellipsis else self._opaque(node)
            case ast.List(elts=items):
                return self._items(items)
            case ast.Tuple(elts=items):
                return tuple(self._items(items))
            case ast.Dict():
                return self._mapping(node)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                value = self.evaluate(operand)
                return -value if is_number(value) else self._opaque(node)
            case ast.BinOp():
                return self._arithmetic(node)
            case ast.Call():
                return self._call(node)
            case ast.Name(id=name):
                return self.scope.get(name, self._imported(node))
            case ast.Attribute():
                return self._attribute(node)
            case ast.Subscript(value=holder, slice=index):
                return self._subscript(node, self.evaluate(holder), self.evaluate(index))
            case ast.JoinedStr() | _:
                return self._opaque(node)

    def _items(self, items: list[ast.expr]) -> list[Any]:
        out: list[Any] = []
        for item in items:
            value = self.evaluate(item.value if isinstance(item, ast.Starred) else item)
            spread = isinstance(item, ast.Starred) and isinstance(value, list | tuple)
            out.extend(value if spread else [value])
        return out

    def _mapping(self, node: ast.Dict) -> Any:
        out: dict[Any, Any] = {}
        for key, inner in zip(node.keys, node.values, strict=True):
            value = self.evaluate(inner)
            if key is None:
                out |= value if isinstance(value, dict) else {}
                continue
            name = self.evaluate(key)
            out[name if isinstance(name, str | int | float) else str(name)] = value
        return out

    def _arithmetic(self, node: ast.BinOp) -> Any:
        left, right = self.evaluate(node.left), self.evaluate(node.right)
        compute = _OPERATORS.get(type(node.op))
        power = isinstance(node.op, ast.Pow) and is_number(left) and is_number(right)
        try:
            if power and abs(right) <= 64:
                return left**right
            texts = isinstance(left, str) and isinstance(right, str)
            lists = isinstance(left, list) and isinstance(right, list)
            joins = isinstance(node.op, ast.Add) and (texts or lists)
            if compute and (joins or (is_number(left) and is_number(right))):
                return compute(left, right)
        except (ArithmeticError, ValueError):
            pass
        return self._opaque(node)

    def _call(self, node: ast.Call) -> Any:
        name = self._target(node.func)
        given = {k.arg: self.evaluate(k.value) for k in node.keywords if k.arg is not None}
        for spread in (self.evaluate(k.value) for k in node.keywords if k.arg is None):
            given |= spread if isinstance(spread, dict) else {}
        if name in ("tuple", "list", "float", "int", "str") and len(node.args) == 1:
            return self._converted(name, self.evaluate(node.args[0]), node)
        if name in _EMPTY:
            first = self.evaluate(node.args[0]) if node.args else {}
            return {**first, **given} if isinstance(first, dict) else given
        if not node.keywords and not (name.rpartition(".")[2][:1].isupper() and not node.args):
            return self._opaque(node)
        unnamed = [self.evaluate(argument) for argument in node.args]
        return {TARGET: name, **({UNNAMED: unnamed} if unnamed else {}), **given}

    def _target(self, called: ast.expr) -> str:
        """What a call builds: `L(torch.optim.SGD)(...)` builds a `torch.optim.SGD`."""
        if isinstance(called, ast.Call) and len(called.args) == 1:
            return self._target(called.args[0])
        head, dot, rest = ast.unparse(called).partition(".")
        return f"{self.imports.get(head, head)}{dot}{rest}"

    def _converted(self, name: str, value: Any, node: ast.expr) -> Any:
        try:
            if name in ("tuple", "list") and isinstance(value, list | tuple):
                return tuple(value) if name == "tuple" else list(value)
            if name in ("float", "int", "str") and isinstance(value, str | int | float):
                return {"float": float, "int": int, "str": str}[name](value)
        except ValueError:
            pass
        return self._opaque(node)

    def _attribute(self, node: ast.Attribute) -> Any:
        holder = self.evaluate(node.value)
        if isinstance(holder, dict):
            return holder.get(node.attr, self._opaque(node))
        return self._imported(node)

    def _imported(self, node: ast.expr) -> Any:
        """A class by its dotted name, where the file imports it: `type=AdamW`."""
        name = self._target(node)
        head = ast.unparse(node).partition(".")[0]
        return name if head in self.imports else self._opaque(node)

    def _subscript(self, node: ast.expr, holder: Any, index: Any) -> Any:
        try:
            if isinstance(holder, dict | list | tuple) and isinstance(index, str | int):
                return holder[index]  # type: ignore[index]
        except (KeyError, IndexError, TypeError):
            pass
        return self._opaque(node)

    def _opaque(self, node: ast.AST) -> Opaque:
        text = " ".join(ast.unparse(node).split())
        return Opaque(text if len(text) <= 60 else f"{text[:57]}...", getattr(node, "lineno", 0))
