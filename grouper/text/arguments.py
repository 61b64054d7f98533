"""Refusals of arguments of the wrong type: one sentence that names the right one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping


def require(name: str, value: object, types: type | tuple[type, ...], expected: str) -> None:
    """Raise TypeError where an argument is of none of the types. A bool is not a number here."""
    wanted = types if isinstance(types, tuple) else (types,)
    if not isinstance(value, wanted) or (isinstance(value, bool) and bool not in wanted):
        raise wrong_type(name, value, expected)


def require_values(variables: Mapping[str, object]) -> None:
    """Raise TypeError where a variable is no value of the rules' language."""
    for name, value in variables.items():
        if not _is_value(value):
            expected = "a number, a str, True, False, None, or a tuple of these"
            raise wrong_type(name, value, expected)


def require_module(name: str, value: object, expected: str = "an nn.Module") -> None:
    """Raise TypeError where an argument is not an nn.Module."""
    if not is_module(value):
        hint = "`nn.ModuleList` makes one of several" if isinstance(value, list | tuple) else ""
        if isinstance(value, Mapping | Iterator):
            hint = "give the model itself"
        raise wrong_type(name, value, expected, hint)


def is_module(value: object) -> bool:
    """Whether it is an nn.Module, asked without importing torch."""
    classes = type(value).__mro__
    return any((c.__module__, c.__name__) == ("torch.nn.modules.module", "Module") for c in classes)


def wrong_type(name: str, value: object, expected: str, hint: str = "") -> TypeError:
    """``wrong_type("merge", "yes", "True or False")``: `merge` must be True or False, not 'yes'."""
    return TypeError(f"`{name}` must be {expected}, not {_in_words(value)}{hint and f': {hint}'}")


def _is_value(value: object) -> bool:
    if isinstance(value, tuple):
        return all(map(_is_value, value))
    return value is None or isinstance(value, bool | int | float | str)


def _in_words(value: object) -> str:
    if value is None or isinstance(value, bool | int | float | str):
        text = repr(value)
        return text if len(text) <= 60 else f"{text[:57]}..."
    if isinstance(value, type):
        return f"the class `{value.__name__}` itself"
    name = type(value).__name__
    return f"{'an' if name[:1] in 'aeiouAEIOU' else 'a'} `{name}`"
