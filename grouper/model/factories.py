"""Models built by code: `pkg.module:factory`, `timm:NAME`, `ultralytics:NAME.yaml`, `hf:DIR`.

Unlike reading a file, this imports and runs that code. Models are built on torch's meta device,
without weights; on the CPU only if their code needs real weights.
"""

from __future__ import annotations

import importlib
import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from typing import Any

from grouper.model import codes
from grouper.model.errors import ModelError
from grouper.model.inventory import Inventory
from grouper.text.dataclass import replace
from grouper.text.similar import did_you_mean

_ON_CPU = "built with real weights: the constructor does not run on the meta device"
_WITHOUT_ARGUMENTS = "give a function that needs no arguments"


def recognises(path: str) -> bool:
    """Whether a path names code that builds a model; existing files take precedence."""
    head, colon, rest = path.partition(":")
    if not colon or rest.startswith("//") or os.path.exists(path):
        return False
    return head in _LIBRARIES or (_dotted(head) and _dotted(rest))


def read(spec: str, key: str | None = None) -> Inventory:
    """The inventory of the model that `spec` builds. Runs code; its output goes to stderr.

    Raises ModelError if a package is missing or the code does not return a model.
    """
    if key is not None:
        raise ModelError(
            codes.NO_SUCH_KEY,
            f"`{spec}` is built by code, so it has no key `{key}`",
            "leave out --key",
        )
    head, _, name = spec.partition(":")
    with redirect_stdout(sys.stderr):
        torch = _imported("torch", spec)
        build = _LIBRARIES[head](name, spec) if head in _LIBRARIES else _factory(head, name, spec)
        model, remarks = _built(build, spec, torch)
    if not isinstance(model, torch.nn.Module):
        raise ModelError(
            codes.NOT_BUILT,
            f"`{spec}` returns a `{type(model).__name__}`, not an nn.Module",
            "give a function that returns the model",
        )
    from grouper.model.live import inventory_of

    return replace(inventory_of(model), path=spec, remarks=remarks)


def _built(build: Any, spec: str, torch: Any) -> tuple[Any, tuple[str, ...]]:
    """The model that the factory returns, and remarks on how it was built."""
    if isinstance(build, torch.nn.Module):
        return build, ()
    _require_callable(build, spec)
    try:
        with torch.device("meta"):
            return build(), ()
    except (Exception, SystemExit) as error:
        # Code that reads tensors' values, like a detector's strides, fails with "meta" in the text.
        if not re.search(r"\bmeta\b", str(error)):
            raise _raised(spec, error) from error
    with _running(spec):
        return build(), (_ON_CPU,)


def _require_callable(build: Any, spec: str) -> None:
    """Raises ModelError if `build` cannot be called without arguments."""
    if not callable(build):
        raise ModelError(
            codes.NOT_BUILT,
            f"`{spec}` is a `{type(build).__name__}`, not a function",
            _WITHOUT_ARGUMENTS,
        )
    import inspect

    try:
        parameters = inspect.signature(build).parameters.values()
    except (TypeError, ValueError):
        return  # a builtin without a signature: calling it shows
    never = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    needed = [p.name for p in parameters if p.default is p.empty and p.kind not in never]
    if needed:
        raise ModelError(
            codes.NOT_BUILT,
            f"`{spec}` needs arguments: {', '.join(f'`{name}`' for name in needed)}",
            _WITHOUT_ARGUMENTS,
        )


def _factory(module_name: str, name: str, spec: str) -> Any:
    """Imports `pkg.module:factory` like Python would; the current folder is on the path."""
    added = [] if sys.flags.safe_path or "" in sys.path else [os.getcwd()]
    sys.path[:0] = added
    try:
        factory = _imported(module_name, spec)
    finally:
        for path in added:
            sys.path.remove(path)
    for part in name.split("."):
        if not hasattr(factory, part):
            raise ModelError(
                codes.NOT_BUILT,
                f"`{module_name}` has no `{name}`",
                did_you_mean(part, [n for n in dir(factory) if not n.startswith("_")]),
            )
        factory = getattr(factory, part)
    return factory


def _timm(name: str, spec: str) -> Callable[[], Any]:
    timm = _imported("timm", spec)
    if ":" in name or "/" in name or not timm.is_model(name):
        raise ModelError(
            codes.NOT_BUILT,
            f"timm has no model `{name}`",
            did_you_mean(name, timm.list_models()),
        )
    return lambda: timm.create_model(name, pretrained=False)


def _ultralytics(name: str, spec: str) -> Callable[[], Any]:
    if not name.endswith((".yaml", ".yml")) or "://" in name:
        raise ModelError(
            codes.NOT_BUILT,
            f"`{spec}` does not name a `.yaml` of Ultralytics",
            "give a configuration, such as `ultralytics:yolov8n.yaml`",
        )
    ultralytics = _imported("ultralytics", spec)
    with _running(spec):
        head = _imported("ultralytics.nn.tasks", spec).yaml_model_load(name)["head"]
    kind = ultralytics.RTDETR if "RTDETR" in str(head) else ultralytics.YOLO
    return lambda: kind(name).model


def _hf(folder: str, spec: str) -> Callable[[], Any]:
    if not os.path.isfile(os.path.join(folder, "config.json")):
        raise ModelError(
            codes.NOT_BUILT,
            f"there is no `config.json` in `{folder}`",
            "give a folder on this machine; `hf://OWNER/NAME/FILE` reads a file from the hub",
        )
    transformers = _imported("transformers", spec)
    with _running(spec):
        config = transformers.AutoConfig.from_pretrained(
            folder, local_files_only=True, trust_remote_code=False
        )
    name = next(iter(config.architectures or ()), "AutoModel")
    cls: Any = getattr(transformers, name, None)
    if name == "AutoModel":
        return lambda: cls.from_config(config, trust_remote_code=False)
    known = isinstance(cls, type) and issubclass(cls, transformers.PreTrainedModel)
    if not known:
        raise ModelError(
            codes.NOT_BUILT,
            f"transformers has no class `{name}`, which `{folder}` requires",
            "grouper does not run code shipped with a model; give its checkpoint",
        )
    return lambda: cls._from_config(config)


_LIBRARIES = {"timm": _timm, "ultralytics": _ultralytics, "hf": _hf}


def _imported(name: str, spec: str) -> Any:
    try:
        with _running(spec):
            return importlib.import_module(name)
    except ModelError as error:
        missing = getattr(error.__cause__, "name", None)
        if not isinstance(error.__cause__, ModuleNotFoundError) or not missing:
            raise
        head = spec.partition(":")[0]
        mistaken = head not in _LIBRARIES and f"{head}.".startswith(f"{missing}.")
        raise ModelError(
            codes.NOT_INSTALLED,
            f"building `{spec}` needs `{missing}`, which is not installed",
            "there is no file of that name either" if mistaken else f"`pip install {missing}`",
        ) from error


@contextmanager
def _running(spec: str) -> Iterator[None]:
    """Runs code of others: anything it raises, SystemExit included, becomes a ModelError."""
    try:
        yield
    except (Exception, SystemExit) as error:
        raise _raised(spec, error) from error


def _raised(spec: str, error: BaseException) -> ModelError:
    reason = next(iter(str(error).strip().splitlines()), "")[:200]
    return ModelError(
        codes.NOT_BUILT,
        f"building `{spec}` raised {type(error).__name__}{': ' if reason else ''}{reason}",
        "run that code on its own to see where",
    )


def _dotted(text: str) -> bool:
    return all(part.isidentifier() for part in text.split("."))
