"""The functions that every emitted file has, as they are in it."""

NAMES = '''\
def named_parameters(model: nn.Module) -> dict[str, nn.Parameter]:
    """The model's parameters by the names that they have in this file.

    What wraps the model or a part of it (DataParallel, torch.compile, ...) is not seen. Raises
    ValueError where the parameters are not those that this file was written for.
    """
    modules = dict(model.named_modules(remove_duplicate=False))
    classes = {path: type(module) for path, module in modules.items()}
    wrappers = {p for p, c in classes.items() if f"{c.__module__}.{c.__qualname__}" in WRAPPERS}
    found: dict[str, nn.Parameter] = {}
    for name, parameter in model.named_parameters(remove_duplicate=False):
        kept, path = [], ""
        for segment in name.split("."):
            if path not in wrappers or segment not in SEGMENTS:
                kept.append(segment)
            path = f"{path}.{segment}" if path else segment
        found[".".join(kept)] = parameter
    wrong = differences(found)
    if wrong:
        more = f"; and {len(wrong) - 5} more" if len(wrong) > 5 else ""
        raise ValueError(f"this file is for another model: {'; '.join(wrong[:5])}{more}")
    return found
'''

DUE = '''\
def differences(found: dict[str, nn.Parameter]) -> list[str]:
    """How the parameters differ from those that this file was written for, in words."""
    due = [name for group in GROUPS.values() for name in group["parameters"]]
    due += [{lists}]
'''

DIFFERENCES = """\
    wrong = [f"it has no parameter `{name}`" for name in due if name not in found]
    known = set(due)
    names_of: dict[int, list[str]] = {}
    for name, parameter in found.items():
        names_of.setdefault(id(parameter), []).append(name)
    for names in names_of.values():
        mine = {name for name in names if name in known}
        if not mine:
            wrong.append(f"it has `{names[0]}`, of which this file knows nothing")
        elif len({first}) > 1:
            shared = ", ".join(f"`{name}`" for name in sorted(mine))
            wrong.append(f"{shared} are one parameter in it, and several here")
"""
FIRST = "mine", "{TIED.get(name, name) for name in mine}"

BY_MODEL = """\
    for name in FROZEN_BY_MODEL:
        if name in found and found[name].requires_grad:
            wrong.append(f"`{name}` is trained in it, and the model of this file froze it")
"""

SHARED = """\
    for name, first in TIED.items():
        if name in found and first in found and found[name] is not found[first]:
            wrong.append(f"`{name}` and `{first}` are two parameters in it, and one here")
"""

SHAPES = """\
    for shape, names in SHAPES.items():
        for name in names:
            if name in found and tuple(found[name].shape) != shape:
                wrong.append(f"`{name}` is {tuple(found[name].shape)} in it, and {shape} here")
"""

DIMENSIONS = """\
    for ndim, names in DIMENSIONS.items():
        for name in names:
            if name in found and found[name].ndim != ndim:
                wrong.append(f"`{name}` has {found[name].ndim} dimensions in it, and {ndim} here")
"""

GROUPS = '''\
def param_groups(model: nn.Module) -> list[dict[str, Any]]:
    """The groups, for any torch optimizer; what is FROZEN is frozen in the model.

    Raises ValueError where the model is not the one that this file was written for.
    """
    found = named_parameters(model)
    freeze(model)
    groups = []
    for group, decided in GROUPS.items():
        mine = set(decided["parameters"])
        params = [(name, parameter) for name, parameter in found.items() if name in mine]
        groups.append({"params": params, "name": group, **decided["options"]})
    return groups


def freeze(model: nn.Module) -> list[nn.Parameter]:
    """Set `requires_grad=False` on what is FROZEN; returns those that had it True."""
    found = named_parameters(model)
    stopped = [found[name] for name in FROZEN if found[name].requires_grad]
    for parameter in stopped:
        parameter.requires_grad_(False)
    return stopped
'''

RATES = '''\
def set_rates(optimizer: torch.optim.Optimizer, step: int) -> None:
    """Write lr and momentum of a step into the optimizer's groups, before each of its steps:

    for step in range(EPOCHS * STEPS_PER_EPOCH):
        set_rates(optimizer, step)
        ...
        optimizer.step()
    """
    planned = plan(step)
    for group in optimizer.param_groups:
        values = planned[group["name"]]
        group["lr"] = put(group["lr"], values["lr"])
        if "momentum" in values and "momentum" in group:
            group["momentum"] = put(group["momentum"], values["momentum"])
        elif "momentum" in values and "betas" in group:
            first, *others = group["betas"]
            group["betas"] = (put(first, values["momentum"]), *others)


def put(old: Any, value: float) -> Any:
    """A tensor, which a captured or compiled step reads, stays the same tensor."""
    return old.fill_(value) if isinstance(old, torch.Tensor) else value
'''

# Where other options than lr and momentum are scheduled, as well.
OTHER_RATES = (
    """            group["betas"] = (put(first, values["momentum"]), *others)
""",
    """            group["betas"] = (put(first, values["momentum"]), *others)
        for key in values.keys() - {"lr", "momentum"}:
            group[key] = values[key]
""",
)

# Where groups have windows: what the optimizer remembers of them ends where one opens or closes.
FORGETTING = (
    """    for group in optimizer.param_groups:
        values = planned[group["name"]]
        group["lr"]""",
    """    for group in optimizer.param_groups:
        values = planned[group["name"]]
        if step in FORGETS.get(group["name"], ()):
            for parameter in group["params"]:
                optimizer.state.pop(parameter, None)
        group["lr"]""",
)

RAMP = '''\
def ramp(step: int, length: int, start: float, end: float) -> float:
    """From `start` at step 0 in a straight line to `end` at step `length`, and then `end`."""
    if step >= length:
        return end
    return (end - start) / length * step + start if step > 0 else start
'''

LATE = '''\
def late(time: int, turn: int, lag: int) -> int:
    """A schedule's time that, behind the end of the warm-up at `turn`, is `lag` behind."""
    return time if time <= turn else max(time - lag, turn)
'''

OWN = '''\
def without_its_own(optimizer: torch.optim.Optimizer, options: set[str]) -> torch.optim.Optimizer:
    """Remove what the optimizer added to the groups: options that are not among its defaults."""
    for group in optimizer.param_groups:
        for key in options - optimizer.defaults.keys():
            group.pop(key, None)
    return optimizer
'''
