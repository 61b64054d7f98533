"""A replacement for `dataclasses.dataclass` that creates classes twenty times as fast.

A command creates over a hundred classes before it does anything, and few instances of most. So no
code is generated when a class is created: `__init__` is generated after the first few instances,
and `__eq__`, `__hash__` and `__repr__` loop over the fields. tests/text/test_dataclass.py checks
that the result equals a dataclass; `dataclasses.fields`, `asdict` and `replace` accept it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from operator import attrgetter
from reprlib import recursive_repr
from types import MemberDescriptorType
from typing import Any, NamedTuple, TypeVar, dataclass_transform, overload

T = TypeVar("T")
MISSING: Any = object()  # no default, or a value that a factory makes
FEW = 30  # instances of a class up to which generating a function takes longer
_FIELDS = "__grouper_fields__"


class Field(NamedTuple):
    """A field: its default or default factory, and whether it is compared, is part of the repr and
    is keyword-only."""

    default: Any = MISSING
    default_factory: Any = MISSING
    compare: bool = True
    repr: bool = True
    kw_only: bool = False


def field(
    *,
    default: Any = MISSING,
    default_factory: Callable[[], Any] = MISSING,
    compare: bool = True,
    repr: bool = True,
    kw_only: bool = False,
) -> Any:
    """The settings of a field besides its type, like `dataclasses.field`."""
    return Field(default, default_factory, compare, repr, kw_only)


@overload
@dataclass_transform(field_specifiers=(field,))
def dataclass(cls: type[T], /) -> type[T]: ...


@overload
@dataclass_transform(field_specifiers=(field,))
def dataclass(
    *,
    frozen: bool = False,
    eq: bool = True,
    repr: bool = True,
    slots: bool = False,
    kw_only: bool = False,
) -> Callable[[type[T]], type[T]]: ...


def dataclass(cls: Any = None, /, **form: bool) -> Any:
    """Make a class a dataclass, like `dataclasses.dataclass` with these arguments."""
    return _made(cls) if cls is not None else lambda cls: _made(cls, **form)


def replace(value: T, /, **changes: Any) -> T:
    """A copy of the value with some fields changed, like `dataclasses.replace`."""
    for name in getattr(type(value), _FIELDS):
        if name not in changes:
            changes[name] = getattr(value, name)
    return type(value)(**changes)


def _made(
    cls: Any,
    frozen: bool = False,
    eq: bool = True,
    repr: bool = True,
    slots: bool = False,
    kw_only: bool = False,
) -> Any:
    own = _own_fields(cls, kw_only)
    fields: dict[str, Field] = {}
    for base in cls.__mro__[:0:-1]:
        fields |= vars(base).get(_FIELDS, {})
    fields |= own
    if slots:
        cls = _with_slots(cls, own, fields, frozen)
    setattr(cls, _FIELDS, fields)
    cls.__dataclass_fields__ = _OF_DATACLASSES
    _set(cls, "__match_args__", tuple(n for n, one in fields.items() if not one.kw_only))
    _set(cls, "__init__", _first_init(cls, fields, frozen))
    cls.__replace__ = replace
    if repr:
        _set(cls, "__repr__", _repr_of([name for name, one in fields.items() if one.repr]))
    if eq:
        _compared(cls, [name for name, one in fields.items() if one.compare], frozen)
    if frozen:
        cls.__setattr__, cls.__delattr__ = _frozen(cls, fields)
    return cls


def _own_fields(cls: Any, kw_only: bool) -> dict[str, Field]:
    """The fields that a class adds. Only their defaults are left as class attributes."""
    own = {}
    for name, annotation in cls.__annotations__.items():
        if str(annotation).startswith("ClassVar"):
            continue
        value = vars(cls).get(name, MISSING)
        one = value if isinstance(value, Field) else Field(value)
        own[name] = one._replace(kw_only=True) if kw_only else one
        if one.default is not MISSING:
            setattr(cls, name, one.default)
        elif value is not MISSING:
            delattr(cls, name)
    return own


def _with_slots(cls: Any, own: Mapping[str, Field], fields: Any, frozen: bool) -> Any:
    """A new class with slots: they cannot be added to an existing class."""
    inherited = {name for base in cls.__mro__[1:] for name in vars(base).get("__slots__", ())}
    content = {
        key: value
        for key, value in vars(cls).items()
        if key not in own and key not in ("__dict__", "__weakref__")
    }
    content["__slots__"] = tuple(name for name in fields if name not in inherited)
    new_class: Any = type(cls)(cls.__name__, cls.__bases__, content)
    new_class.__qualname__ = cls.__qualname__
    if frozen:  # otherwise a frozen value could not be unpickled
        _set(new_class, "__getstate__", lambda self: [getattr(self, name) for name in fields])
        _set(new_class, "__setstate__", _set_state)
    return new_class


def _set_state(value: Any, state: list[Any]) -> None:
    for name, item in zip(getattr(type(value), _FIELDS), state, strict=True):
        object.__setattr__(value, name, item)


def _set(cls: Any, name: str, value: Any) -> None:
    """Set an attribute of a class unless the class defines it."""
    if name not in vars(cls):
        setattr(cls, name, value)


def _first_init(cls: Any, fields: Mapping[str, Field], frozen: bool) -> Any:
    """The `__init__` of the first instances of a class: most classes have few."""
    positional = [name for name, one in fields.items() if not one.kw_only]
    put: Any = object.__setattr__ if frozen else setattr
    left = FEW

    def __init__(self: Any, /, *given: Any, **named: Any) -> None:  # noqa: N807
        nonlocal left
        left -= 1
        values = _values(fields, positional, given, named) if left else None
        if values is None:
            made = cls.__init__ = _init(cls, fields, frozen)
            made(self, *given, **named)
            return
        for name, value in values.items():
            put(self, name, value)
        if hasattr(cls, "__post_init__"):
            self.__post_init__()

    return __init__


def _values(
    fields: Mapping[str, Field], positional: list[str], given: tuple[Any, ...], named: Any
) -> dict[str, Any] | None:
    """The values of the fields; None for wrong arguments: the generated `__init__` raises."""
    values = dict(zip(positional, given, strict=False))
    if len(values) < len(given) or not values.keys().isdisjoint(named):
        return None
    values_by_name = {}
    for name, one in fields.items():
        value = values[name] if name in values else named.get(name, one.default)
        if value is MISSING and one.default_factory is not MISSING:
            value = one.default_factory()
        values_by_name[name] = value
    complete = not any(value is MISSING for value in values_by_name.values())
    return values_by_name if complete and values_by_name.keys() >= named.keys() else None


def _init(cls: Any, fields: Mapping[str, Field], frozen: bool) -> Any:
    """Generates the function that takes all fields as arguments and sets them."""
    names: dict[str, Any] = {"_set": object.__setattr__, "_missing": MISSING}
    arguments: dict[bool, list[str]] = {False: [], True: []}
    body = []
    for name, one in fields.items():
        default, value = "", name
        if one.default_factory is not MISSING:
            names[f"_new_{name}"] = one.default_factory
            default, value = "=_missing", f"_new_{name}() if {name} is _missing else {name}"
        elif one.default is not MISSING:
            names[f"_of_{name}"] = one.default
            default = f"=_of_{name}"
        arguments[one.kw_only].append(name + default)
        body.append(_assigned(cls, name, value, names) if frozen else f"self.{name} = {value}")
    if hasattr(cls, "__post_init__"):
        body.append("self.__post_init__()")
    by_name = ["*", *arguments[True]] if arguments[True] else []
    head = ", ".join(["self", *arguments[False], *by_name])
    exec(f"def __init__({head}):\n " + "\n ".join(body or ["pass"]), names)
    init = names["__init__"]
    init.__qualname__, init.__module__ = f"{cls.__qualname__}.__init__", cls.__module__
    return init


def _assigned(cls: Any, name: str, value: str, names: dict[str, Any]) -> str:
    """The statement that sets a field of a frozen class: a slot by its own descriptor, which is
    faster."""
    slot = getattr(cls, name, None)
    if not isinstance(slot, MemberDescriptorType):
        return f"_set(self, {name!r}, {value})"
    names[f"_set_{name}"] = slot.__set__
    return f"_set_{name}(self, {value})"


def _repr_of(shown: list[str]) -> Any:
    @recursive_repr()
    def __repr__(self: Any) -> str:  # noqa: N807
        values = ", ".join(f"{name}={getattr(self, name)!r}" for name in shown)
        return f"{type(self).__qualname__}({values})"

    return __repr__


def _compared(cls: Any, names: list[str], frozen: bool) -> None:
    values: Any = attrgetter(*names) if len(names) > 1 else lambda self: _few(self, names)

    def __eq__(self: Any, other: object) -> Any:  # noqa: N807
        if other.__class__ is self.__class__:
            return values(self) == values(other)
        return NotImplemented

    def __hash__(self: Any) -> int:  # noqa: N807
        return hash(values(self))

    _set(cls, "__eq__", __eq__)
    if vars(cls).get("__hash__") is None:
        cls.__hash__ = __hash__ if frozen else None


def _few(value: Any, names: list[str]) -> tuple[Any, ...]:
    return tuple(getattr(value, name) for name in names)


def _frozen(cls: Any, fields: Mapping[str, Field]) -> tuple[Any, Any]:
    def refused(self: Any, name: str, what: str) -> None:
        from dataclasses import FrozenInstanceError

        if type(self) is cls or name in fields:
            raise FrozenInstanceError(f"cannot {what} field {name!r}")

    def __setattr__(self: Any, name: str, value: Any) -> None:  # noqa: N807
        refused(self, name, "assign to")
        super(cls, self).__setattr__(name, value)

    def __delattr__(self: Any, name: str) -> None:  # noqa: N807
        refused(self, name, "delete")
        super(cls, self).__delattr__(name)

    return __setattr__, __delattr__


class _OfDataclasses:
    """The fields in the form of `dataclasses`, created on first access."""

    def __get__(self, instance: object, cls: Any) -> Any:
        from dataclasses import field, make_dataclass

        specs = []
        for name, one in getattr(cls, _FIELDS).items():
            form = {k: v for k, v in one._asdict().items() if v is not MISSING}
            specs.append((name, _annotation(cls, name), field(**form)))
        made: Any = make_dataclass(cls.__name__, specs)
        cls.__dataclass_fields__ = made.__dataclass_fields__
        return made.__dataclass_fields__


def _annotation(cls: Any, name: str) -> Any:
    return next(b.__annotations__[name] for b in cls.__mro__ if name in b.__annotations__)


_OF_DATACLASSES = _OfDataclasses()
