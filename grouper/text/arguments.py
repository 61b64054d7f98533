"""Type checks of arguments: each error is one sentence that names the expected type."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sized
from operator import index

from grouper.text.printable import shortened


def require(name: str, value: object, types: type | tuple[type, ...], expected: str) -> None:
    """Raise TypeError unless an argument has one of the types. A bool is not a number."""
    allowed = types if isinstance(types, tuple) else (types,)
    if not isinstance(value, allowed) or (isinstance(value, bool) and bool not in allowed):
        raise wrong_type(name, value, expected)


def require_integer(name: str, value: object, least: int, expected: str) -> int:
    """The value as an int; numpy integers are accepted. Raises TypeError for anything else (a bool,
    4.0) and ValueError for a value below `least`."""
    expected = f"{expected}, an integer of at least {least}"
    try:
        number = None if isinstance(value, bool) else index(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, RuntimeError):  # a tensor of several numbers
        number = None
    if number is None:
        has_length = isinstance(value, Sized) and not isinstance(value, str | bytes | type)
        raise wrong_type(name, value, expected, "its `len()` may be meant" if has_length else "")
    if number < least:
        raise ValueError(f"`{name}` must be {expected}, not {number}")
    return number


def require_all(name: str, values: object, cls: type, expected: str) -> None:
    """Raise TypeError unless an argument is a tuple of instances of a class."""
    if not isinstance(values, tuple):
        raise wrong_type(name, values, expected)
    for value in values:
        if not isinstance(value, cls):
            raise wrong_type(f"{name}[...]", value, f"a {cls.__name__} of grouper")


def require_values(variables: Mapping[str, object], also: tuple[type, ...] = ()) -> None:
    """Raise TypeError unless every variable is a value of the rules' language or of a type in
    `also`."""
    for name, value in variables.items():
        if not (_is_value(value) or isinstance(value, also)):
            expected = "a number, a str, True, False, None, or a tuple of these"
            raise wrong_type(name, value, expected)


def require_module(name: str, value: object, expected: str = "an nn.Module") -> None:
    """Raise TypeError unless an argument is an nn.Module."""
    if not is_module(value):
        hint = "`nn.ModuleList` makes one of several" if isinstance(value, list | tuple) else ""
        if isinstance(value, Mapping | Iterator):
            hint = "give the model itself"
        raise wrong_type(name, value, expected, hint)


def is_module(value: object) -> bool:
    """Whether a value is an nn.Module, determined without importing torch."""
    classes = type(value).__mro__
    return any((c.__module__, c.__name__) == ("torch.nn.modules.module", "Module") for c in classes)


def wrong_type(name: str, value: object, expected: str, hint: str = "") -> TypeError:
    """The TypeError for a wrong argument: `merge` must be True or False, not 'yes'."""
    return TypeError(f"`{name}` must be {expected}, not {in_words(value)}{hint and f': {hint}'}")


def in_words(value: object) -> str:
    """A value as messages show it: itself if it is short and plain, otherwise its type."""
    if value is None or isinstance(value, bool | int | float | str):
        return shortened(repr(value))
    if isinstance(value, type):
        return f"the class `{value.__name__}` itself"
    name = type(value).__name__
    return f"{'an' if name[:1] in 'aeiouAEIOU' else 'a'} `{name}`"


def _is_value(value: object) -> bool:
    if isinstance(value, tuple):
        return all(map(_is_value, value))
    return value is None or isinstance(value, bool | int | float | str)
