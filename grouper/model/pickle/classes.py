"""The class of a pickled object: by its name, or, from cloudpickle and dill, in the file itself."""

from __future__ import annotations

from typing import Any

from grouper.model.class_bases import bases_of
from grouper.model.pickle.mappings import texts
from grouper.model.pickle.values import Call, Global, Reference

UNKNOWN = "unknown"
GRAPH = "torch.fx.graph_module.reduce_graph_module"
# For each graph there is a class of its own, without another name.
_OF_GRAPHS = (
    "torch.fx.graph_module.GraphModule.__new__.<locals>.GraphModuleImpl",
    ("torch.fx.graph_module.GraphModule", "torch.nn.modules.module.Module"),
)
# What makes an object of a class whose source is in the file, as StyleGAN's are saved.
PERSISTENT = "torch_utils.persistence._reconstruct_persistent_obj"
MAX_NAME = 512  # characters
MAX_BASES = 8  # that are looked at for a class of the file
# What makes a class of a name, its bases and what it has, as `type` does.
_MAKERS = ("_make_skeleton_class", "_create_type")
_REBUILDERS = ("_reconstructor", "__newobj__", "__newobj_ex__")
_OBJECTS = ("builtins.object", "__builtin__.object")

Bases = tuple[str, ...] | None


def class_of(value: Call) -> tuple[str, Bases]:
    """The dotted name of an object's class, and its bases, nearest first; None for unknown ones."""
    made, given = made_by(value), value.arguments
    if isinstance(made, Global) and made.dotted == GRAPH:
        return _OF_GRAPHS
    if isinstance(made, Global) and made.dotted == PERSISTENT:
        return _persistent(given), None
    rebuilt = isinstance(made, Global) and made.name in _REBUILDERS
    if rebuilt and isinstance(given, tuple) and given:
        made = _without_source(given[0])
    return _name(made), bases_of(made.dotted) if isinstance(made, Global) else _bases(made)


def made_by(value: Call) -> Any:
    """The function or class that made an object."""
    return _without_source(value.function)


def _without_source(made: Any) -> Any:
    """In files before 1.6 a class comes with its source."""
    if isinstance(made, Reference) and isinstance(made.value, tuple) and len(made.value) > 1:
        return made.value[1]
    return made


def _persistent(given: Any) -> str:
    about = texts(given[0]) if isinstance(given, tuple) and given else None
    name = (about or {}).get("class_name")
    return name if isinstance(name, str) and len(name) < MAX_NAME else UNKNOWN


def _name(cls: Any) -> str:
    if isinstance(cls, Global):
        return cls.dotted
    _, name, _, own = _given(cls)
    module = (texts(own) or {}).get("__module__")
    if not isinstance(name, str) or not isinstance(module, str):
        return UNKNOWN
    return f"{module}.{name}" if len(module) + len(name) < MAX_NAME else UNKNOWN


def _bases(cls: Any) -> Bases:
    """The bases of a class that is in the file, from those that it was made with."""
    found: dict[str, None] = {}
    pending, left = [cls], MAX_BASES
    while pending:
        bases = _given(pending.pop(0))[2]
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
            found |= dict.fromkeys((name, *further))
    return tuple(name for name in found if name not in _OBJECTS)


def _given(cls: Any) -> tuple[Any, ...]:
    """What a class of the file was made with; Nones for what is none."""
    made = cls.function if isinstance(cls, Call) else None
    known = isinstance(made, Global) and made.name in _MAKERS
    if not known or not isinstance(cls.arguments, tuple) or len(cls.arguments) < 4:
        return (None,) * 4
    return cls.arguments[:4]
