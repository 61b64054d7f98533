"""The inventory of a live `nn.Module`, whatever is wrapped around it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from grouper.findings import Finding
from grouper.model.codes import FLATTENED
from grouper.model.inventory import Inventory, Module, Parameter
from grouper.model.live_marks import marks_of
from grouper.model.wrappers import own_class, segment_of, unwrapped


def inventory_of(model: nn.Module, words: Iterable[str] = ()) -> Inventory:
    """Names, shapes, dtypes, ties and classes, in the order of `model.named_parameters()`.

    Shapes are those of whole tensors, on however many ranks their parts are. `words` are those that
    rules ask for with `has`.
    """
    live = dict(model.named_modules(remove_duplicate=False))
    modules = {path: _module(own_class(type(module))) for path, module in live.items()}
    segments = {path: segment_of((cls, *bases)) for path, (cls, bases) in modules.items()}
    wrappers = {path: segment for path, segment in segments.items() if segment is not None}
    tied: dict[int, tuple[Tensor, list[str]]] = {}
    for name, parameter in parameters_of(model):
        tied.setdefault(id(parameter), (parameter, []))[1].append(name)
    shapes = _flattened_shapes(live)
    named = {unwrapped(path, wrappers): path for path in live if path not in wrappers}
    parameters = tuple(_parameter(p, names, wrappers, shapes) for p, names in tied.values())
    named_tensors = [
        (tensor, parameter.names)
        for (tensor, _), parameter in zip(tied.values(), parameters, strict=True)
    ]
    marks, failed = marks_of(named_tensors, live, lambda path: unwrapped(path, wrappers), words)
    return Inventory(
        parameters,
        {name: Module(name, *modules[path]) for name, path in named.items()},
        path=modules[named[""]][0].rpartition(".")[2] if "" in named else type(model).__name__,
        kind="nn.Module",
        buffers=tuple(unwrapped(name, wrappers) for name, _ in model.named_buffers()),
        findings=(*(_flat(path) for path, module in live.items() if _is_flat(module)), *failed),
        marks=marks,
    )


def parameters_of(model: nn.Module) -> list[tuple[str, nn.Parameter]]:
    """Names, wrappers' segments included, and parameters; a tied one under each of its names.

    This is `nn.Module`'s own method: checkpoint wrappers have another, which hides where they are.
    """
    return list(nn.Module.named_parameters(model, remove_duplicate=False))


def qualified_name(cls: type) -> str:
    """A class's module and qualified name, as pickles name it."""
    return f"{cls.__module__}.{cls.__qualname__}"


def _module(cls: type) -> tuple[str, tuple[str, ...]]:
    bases = tuple(qualified_name(base) for base in cls.__mro__[1:] if base is not object)
    return qualified_name(cls), bases


def _parameter(
    parameter: Tensor,
    names: list[str],
    wrappers: Mapping[str, str],
    shapes: Mapping[int, tuple[int, ...]],
) -> Parameter:
    shape = shapes.get(id(parameter))
    if shape is None and not is_lazy(parameter):
        shape = tuple(parameter.shape)
    return Parameter(
        tuple(unwrapped(name, wrappers) for name in names),
        shape,
        str(parameter.dtype).removeprefix("torch."),
        parameter.requires_grad,
        names[0],
    )


def _flattened_shapes(modules: Mapping[str, nn.Module]) -> dict[int, tuple[int, ...]]:
    """The whole shapes of what `FullyShardedDataParallel(use_orig_params=True)` has cut, by id."""
    shapes: dict[int, tuple[int, ...]] = {}
    for module in modules.values():
        flat: Any = getattr(vars(module).get("_handle"), "flat_param", None)
        known = zip(
            getattr(flat, "_params", None) or (), getattr(flat, "_shapes", ()), strict=False
        )
        shapes.update((id(parameter), tuple(shape)) for parameter, shape in known)
    return shapes


def _is_flat(module: nn.Module) -> bool:
    return any(type(p).__name__ == "FlatParameter" for p in module._parameters.values())


def _flat(path: str) -> Finding:
    where = f"`{path.removesuffix('._fsdp_wrapped_module').removesuffix('_fsdp_wrapped_module')}`"
    return Finding(
        FLATTENED,
        f"FullyShardedDataParallel made one flat parameter of all in"
        f" {where if where != '``' else 'the model'}, so that no rule can tell them apart",
        help="shard with `fully_shard`, or give FullyShardedDataParallel `use_orig_params=True`",
    )
