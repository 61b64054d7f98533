"""The class of a pickled object: named by the file, or defined in it by cloudpickle or dill."""

from __future__ import annotations

from typing import Any

from grouper.model.class_bases import bases_of
from grouper.model.pickle.mappings import texts
from grouper.model.pickle.values import Call, Global, Reference

UNKNOWN = "unknown"
GRAPH = "torch.fx.graph_module.reduce_graph_module"
# Each graph gets its own class, all with the same name.
_OF_GRAPHS = (
    "torch.fx.graph_module.GraphModule.__new__.<locals>.GraphModuleImpl",
    ("torch.fx.graph_module.GraphModule", "torch.nn.modules.module.Module"),
)
# Builds objects of classes whose source is in the file, like StyleGAN's.
PERSISTENT = "torch_utils.persistence._reconstruct_persistent_obj"
MAX_NAME = 512  # characters
MAX_BASES = 8  # that are searched for a class defined in the file
# Build a class from its name, bases and attributes, like `type`.
_MAKERS = ("_make_skeleton_class", "_create_type")
_REBUILDERS = ("_reconstructor", "__newobj__", "__newobj_ex__")
_OBJECTS = ("builtins.object", "__builtin__.object")

Bases = tuple[str, ...] | None


def class_of(value: Call) -> tuple[str, Bases]:
    """The dotted name of an object's class, and its bases, nearest first; None if unknown."""
    maker, arguments = made_by(value), value.arguments
    if isinstance(maker, Global) and maker.dotted == GRAPH:
        return _OF_GRAPHS
    if isinstance(maker, Global) and maker.dotted == PERSISTENT:
        return _persistent(arguments), None
    rebuilt = isinstance(maker, Global) and maker.name in _REBUILDERS
    if rebuilt and isinstance(arguments, tuple) and arguments:
        maker = _without_source(arguments[0])
    return _name(maker), bases_of(maker.dotted) if isinstance(maker, Global) else _bases(maker)


def made_by(value: Call) -> Any:
    """The function or class that built an object."""
    return _without_source(value.function)


def _without_source(maker: Any) -> Any:
    """The class itself: files of torch before 1.6 store a class with its source."""
    if isinstance(maker, Reference) and isinstance(maker.value, tuple) and len(maker.value) > 1:
        return maker.value[1]
    return maker


def _persistent(arguments: Any) -> str:
    about = texts(arguments[0]) if isinstance(arguments, tuple) and arguments else None
    name = (about or {}).get("class_name")
    return name if isinstance(name, str) and len(name) < MAX_NAME else UNKNOWN


def _name(cls: Any) -> str:
    if isinstance(cls, Global):
        return cls.dotted
    _, name, _, own = _class_arguments(cls)
    module = (texts(own) or {}).get("__module__")
    if not isinstance(name, str) or not isinstance(module, str):
        return UNKNOWN
    return f"{module}.{name}" if len(module) + len(name) < MAX_NAME else UNKNOWN


def _bases(cls: Any) -> Bases:
    """The bases of a class defined in the file, from the bases it was built with."""
    names: dict[str, None] = {}
    pending, left = [cls], MAX_BASES
    while pending:
        bases = _class_arguments(pending.pop(0))[2]
        if not isinstance(bases, tuple) or len(bases) > left:
            return None
        left -= len(bases)
        for base in bases:
            name = _name(base)
            further: Bases = ()
            if not isinstance(base, Global):
                pending.append(base)
            elif name not in _OBJECTS:
                further = bases_of(name)
            if further is None:
                return None
            names |= dict.fromkeys((name, *further))
    return tuple(name for name in names if name not in _OBJECTS)


def _class_arguments(cls: Any) -> tuple[Any, ...]:
    """The arguments that built a class defined in the file; Nones for anything else."""
    maker = cls.function if isinstance(cls, Call) else None
    known = isinstance(maker, Global) and maker.name in _MAKERS
    if not known or not isinstance(cls.arguments, tuple) or len(cls.arguments) < 4:
        return (None,) * 4
    return cls.arguments[:4]
