"""The source of the functions in emitted files."""

NAMES = '''\
def named_parameters(model: nn.Module) -> dict[str, nn.Parameter]:
    """The model's parameters by the names used in this file.

    Wrappers of the model or its parts (DataParallel, torch.compile, ...) are ignored. Raises
    ValueError if the parameters are not those that this file was written for.
    """
    modules = dict(model.named_modules(remove_duplicate=False))
    classes = {path: type(module) for path, module in modules.items()}
    wrappers = {p for p, c in classes.items() if f"{c.__module__}.{c.__qualname__}" in WRAPPERS}
    parameters: dict[str, nn.Parameter] = {}
    for name, parameter in model.named_parameters(remove_duplicate=False):
        segments, path = [], ""
        for segment in name.split("."):
            if path not in wrappers or segment not in SEGMENTS:
                segments.append(segment)
            path = f"{path}.{segment}" if path else segment
        parameters[".".join(segments)] = parameter
    problems = differences(parameters)
    if problems:
        more = f"; and {len(problems) - 5} more" if len(problems) > 5 else ""
        raise ValueError(f"this file is for another model: {'; '.join(problems[:5])}{more}")
    return parameters
'''

EXPECTED = '''\
def differences(parameters: dict[str, nn.Parameter]) -> list[str]:
    """How the parameters differ from those that this file was written for."""
    expected = [name for group in GROUPS.values() for name in group["parameters"]]
    expected += [{lists}]
'''

DIFFERENCES = """\
    problems = [f"`{name}` is missing" for name in expected if name not in parameters]
    known = set(expected)
    names_of: dict[int, list[str]] = {}
    for name, parameter in parameters.items():
        names_of.setdefault(id(parameter), []).append(name)
    for names in names_of.values():
        names_here = {name for name in names if name in known}
        if not names_here:
            problems.append(f"`{names[0]}` is unknown")
        elif len({first}) > 1:
            shared = ", ".join(f"`{name}`" for name in sorted(names_here))
            problems.append(f"{shared} are one parameter, expected several")
"""
FIRST = "names_here", "{TIED.get(name, name) for name in names_here}"

BY_MODEL = """\
    for name in FROZEN_BY_MODEL:
        if name in parameters and parameters[name].requires_grad:
            problems.append(f"`{name}` is trainable, expected frozen")
"""

SHARED = """\
    for name, first in TIED.items():
        both = name in parameters and first in parameters
        if both and parameters[name] is not parameters[first]:
            problems.append(f"`{name}` and `{first}` are two parameters, expected one")
"""

SHAPES = """\
    for shape, names in SHAPES.items():
        for name in names:
            if name in parameters and (actual := tuple(parameters[name].shape)) != shape:
                problems.append(f"`{name}` has shape {actual}, expected {shape}")
"""

DIMENSIONS = """\
    for ndim, names in DIMENSIONS.items():
        for name in names:
            if name in parameters and (actual := parameters[name].ndim) != ndim:
                problems.append(f"`{name}` has {actual} dimensions, expected {ndim}")
"""

GROUPS = '''\
def param_groups(model: nn.Module) -> list[dict[str, Any]]:
    """The groups for any torch optimizer. Also freezes the FROZEN parameters of the model.

    Raises ValueError if the model is not the one that this file was written for.
    """
    parameters = named_parameters(model)
    freeze(model)
    groups = []
    for group, content in GROUPS.items():
        names = set(content["parameters"])
        params = [(name, parameter) for name, parameter in parameters.items() if name in names]
        groups.append({"params": params, "name": group, **content["options"]})
    return groups


def freeze(model: nn.Module) -> list[nn.Parameter]:
    """Set `requires_grad=False` on the FROZEN parameters; return those that had it True."""
    parameters = named_parameters(model)
    trainable = [parameters[name] for name in FROZEN if parameters[name].requires_grad]
    for parameter in trainable:
        parameter.requires_grad_(False)
    return trainable
'''

RATES = '''\
def set_rates(optimizer: torch.optim.Optimizer, step: int) -> None:
    """Write the lr and momentum of a step into the optimizer's groups, before each of its steps:

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
    """The new value. A tensor is filled in place, because a captured or compiled step reads it."""
    return old.fill_(value) if isinstance(old, torch.Tensor) else value
'''

# If options other than lr and momentum are scheduled, too.
OTHER_RATES = (
    """            group["betas"] = (put(first, values["momentum"]), *others)
""",
    """            group["betas"] = (put(first, values["momentum"]), *others)
        for key in values.keys() - {"lr", "momentum"}:
            group[key] = values[key]
""",
)

# If groups have windows: the optimizer's state of a group is dropped when one opens or closes.
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
    """A straight line from `start` at step 0 to `end` at step `length`, then constant."""
    if step >= length:
        return end
    return (end - start) / length * step + start if step > 0 else start
'''

LATE = '''\
def late(time: int, turn: int, lag: int) -> int:
    """On time until the warm-up ends at `turn`, then `lag` behind, never moving backwards."""
    return time if time <= turn else max(time - lag, turn)
'''

OWN = '''\
def without_its_own(optimizer: torch.optim.Optimizer, options: set[str]) -> torch.optim.Optimizer:
    """Remove options from the groups that are not among the optimizer's defaults."""
    for group in optimizer.param_groups:
        for key in options - optimizer.defaults.keys():
            group.pop(key, None)
    return optimizer
'''
