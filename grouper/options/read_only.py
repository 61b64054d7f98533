"""A read-only dict: unlike a MappingProxyType, it can be pickled and copied."""

from __future__ import annotations

from typing import Any, NoReturn, TypeVar

V = TypeVar("V")


class ReadOnly(dict[str, V]):
    """A dict that cannot be changed. It subclasses dict for speed: options of 100,000 parameters
    are looked up, compared and unpacked."""

    def _refuse(self, *_: object, **__: object) -> NoReturn:
        raise TypeError("these options cannot be changed: copy them with `dict(options)`")

    __setitem__ = __delitem__ = __ior__ = _refuse
    clear = pop = popitem = setdefault = update = _refuse

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (dict(self),)
