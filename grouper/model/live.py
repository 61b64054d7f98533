"""The inventory of a live `nn.Module`, with wrappers removed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from grouper.model.codes import FLATTENED
from grouper.model.inventory import Inventory, Module, Parameter
from grouper.model.live_marks import marks_of
from grouper.model.wrappers import own_class, segment_of, unwrapped
from grouper.text.dataclass import dataclass
from grouper.text.findings import Finding


def inventory_of(model: nn.Module, words: Iterable[str] = ()) -> Inventory:
    """The inventory of a model, in the order of `model.named_parameters()`.

    Shapes are those of full tensors, also when they are sharded over ranks. `words` are the ones
    that rules use with `has`.
    """
    walk = walked(model)
    live, classes, wrappers = walk.modules, walk.classes, walk.wrappers
    tied: dict[int, tuple[Tensor, list[str]]] = {}
    for name, parameter in walk.parameters:
        tied.setdefault(id(parameter), (parameter, []))[1].append(name)
    shapes = _flattened_shapes(live[path] for path in wrappers)
    parameters = tuple([_parameter(p, names, wrappers, shapes) for p, names in tied.values()])
    tensors = [tensor for tensor, _ in tied.values()]
    marks, failed = marks_of(
        list(zip(tensors, [p.names for p in parameters], strict=True)),
        live,
        lambda path: unwrapped(path, wrappers),
        words,
    )
    named = {unwrapped(path, wrappers): path for path in live if path not in wrappers}
    return Inventory(
        parameters,
        {name: Module(name, *classes[type(live[path])]) for name, path in named.items()},
        path=classes[type(live[named[""]])][0].rpartition(".")[2]
        if "" in named
        else type(model).__name__,
        kind="nn.Module",
        buffers=tuple(
            [unwrapped(name, wrappers) for name, _ in model.named_buffers()]
            if wrappers
            else _buffers(live)
        ),
        findings=(*_flat_modules(tensors, live), *failed),
        marks=marks,
    )


def _buffers(modules: Mapping[str, nn.Module]) -> Iterator[str]:
    """The names of `named_buffers()`: each module and each tensor under its first name."""
    seen: set[int] = set()
    for path, module in modules.items():
        if module._buffers and id(module) not in seen:
            seen.add(id(module))
            for name, buffer in module._buffers.items():
                if buffer is not None and id(buffer) not in seen:
                    seen.add(id(buffer))
                    yield f"{path}.{name}" if path else name


def tensors_of(model: nn.Module) -> dict[str, nn.Parameter]:
    """The parameters by each of their names in the model's inventory."""
    walk = walked(model)
    if not walk.wrappers:
        return dict(walk.parameters)
    return {unwrapped(name, walk.wrappers): tensor for name, tensor in walk.parameters}


@dataclass(frozen=True)
class Walk:
    """The modules and parameters of a model by path, in its order, shared ones under each of their
    names; the classes of its modules, with their bases; and the segments of wrappers.

    Equals what `nn.Module`'s own methods find. Checkpoint wrappers override those methods and hide
    their own segment, so they are not called.
    """

    modules: dict[str, nn.Module]
    parameters: list[tuple[str, nn.Parameter]]
    classes: dict[type, tuple[str, tuple[str, ...]]]
    wrappers: dict[str, str]


def walked(model: nn.Module) -> Walk:
    """Walks over a model once."""
    modules: dict[str, nn.Module] = {}
    parameters: list[tuple[str, nn.Parameter]] = []
    waiting: list[tuple[str, nn.Module]] = [("", model)]
    while waiting:
        path, module = waiting.pop()
        modules[path] = module
        prefix = f"{path}." if path else ""
        if module._parameters:
            parameters += [(prefix + n, p) for n, p in module._parameters.items() if p is not None]
        if module._modules:
            below = [(prefix + n, m) for n, m in module._modules.items() if m is not None]
            waiting += reversed(below)
    classes = {cls: _class(own_class(cls)) for cls in set(map(type, modules.values()))}
    segments = {cls: segment_of((name, *bases)) for cls, (name, bases) in classes.items()}
    wrapping = {cls: segment for cls, segment in segments.items() if segment is not None}
    wrappers = {
        path: wrapping[type(module)]
        for path, module in (modules.items() if wrapping else ())
        if type(module) in wrapping
    }
    return Walk(modules, parameters, classes, wrappers)


def qualified_name(cls: type) -> str:
    """A class's module and qualified name, like in pickles."""
    return f"{cls.__module__}.{cls.__qualname__}"


def _class(cls: type) -> tuple[str, tuple[str, ...]]:
    bases = tuple(qualified_name(base) for base in cls.__mro__[1:] if base is not object)
    return qualified_name(cls), bases


def _parameter(
    parameter: Tensor,
    names: list[str],
    wrappers: Mapping[str, str],
    shapes: Mapping[int, tuple[int, ...]],
) -> Parameter:
    shape = shapes.get(id(parameter)) if shapes else None
    if shape is None and (type(parameter) is nn.Parameter or not is_lazy(parameter)):
        shape = tuple(parameter.shape)
    return Parameter(
        tuple([unwrapped(name, wrappers) for name in names]) if wrappers else tuple(names),
        shape,
        _dtype(parameter.dtype),
        parameter.requires_grad,
        names[0],
    )


@cache
def _dtype(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")


def _flattened_shapes(wrappers: Iterable[nn.Module]) -> dict[int, tuple[int, ...]]:
    """Full shapes of parameters sharded by `FullyShardedDataParallel(use_orig_params=True)`."""
    shapes: dict[int, tuple[int, ...]] = {}
    for module in wrappers:
        flat: Any = getattr(vars(module).get("_handle"), "flat_param", None)
        pairs = zip(
            getattr(flat, "_params", None) or (), getattr(flat, "_shapes", ()), strict=False
        )
        shapes.update((id(parameter), tuple(shape)) for parameter, shape in pairs)
    return shapes


def _flat_modules(tensors: Iterable[Tensor], modules: Mapping[str, nn.Module]) -> Iterator[Finding]:
    flat = {cls for cls in set(map(type, tensors)) if cls.__name__ == "FlatParameter"}
    for path, module in modules.items() if flat else ():
        if any(type(parameter) in flat for parameter in module._parameters.values()):
            yield _flat(path)


def _flat(path: str) -> Finding:
    where = f"`{path.removesuffix('._fsdp_wrapped_module').removesuffix('_fsdp_wrapped_module')}`"
    return Finding(
        FLATTENED,
        f"FullyShardedDataParallel flattened all parameters of"
        f" {where if where != '``' else 'the model'} into one, so rules cannot select them",
        help="shard with `fully_shard`, or pass `use_orig_params=True` to FullyShardedDataParallel",
    )
