"""The inventory of a live `nn.Module`."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from grouper.inventory.model import Inventory, Module, Parameter
from grouper.inventory.wrappers import WRAPPERS, unwrapped


def inventory_of(model: nn.Module) -> Inventory:
    """Names, shapes, dtypes, ties and classes, in the order of `model.named_parameters()`."""
    modules = dict(model.named_modules(remove_duplicate=False))
    wrappers = frozenset(path for path, m in modules.items() if qualified_name(type(m)) in WRAPPERS)
    tied: dict[int, tuple[Tensor, list[str]]] = {}
    for name, parameter in model.named_parameters(remove_duplicate=False):
        tied.setdefault(id(parameter), (parameter, []))[1].append(name)
    return Inventory(
        tuple(_parameter(p, names, wrappers) for p, names in tied.values()),
        {
            unwrapped(path, wrappers): _module(unwrapped(path, wrappers), type(m))
            for path, m in modules.items()
            if path not in wrappers
        },
        path=type(model).__name__,
        kind="nn.Module",
        buffers=tuple(unwrapped(name, wrappers) for name, _ in model.named_buffers()),
    )


def qualified_name(cls: type) -> str:
    """A class's module and qualified name, as pickles name it."""
    return f"{cls.__module__}.{cls.__qualname__}"


def _module(path: str, cls: type) -> Module:
    bases = tuple(qualified_name(base) for base in cls.__mro__[1:] if base is not object)
    return Module(path, qualified_name(cls), bases)


def _parameter(parameter: Tensor, names: list[str], wrappers: frozenset[str]) -> Parameter:
    lazy = is_lazy(parameter)
    return Parameter(
        tuple(unwrapped(name, wrappers) for name in names),
        None if lazy else tuple(parameter.shape),
        str(parameter.dtype).removeprefix("torch."),
        parameter.requires_grad,
        names[0],
    )
