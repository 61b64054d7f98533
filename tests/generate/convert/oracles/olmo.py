"""OLMo-core's group overrides, as its configuration's docstrings tell them."""

from fnmatch import fnmatchcase


def groups(model, base, overrides):
    """Raises ValueError where a pattern matches nothing, or two overrides match a parameter."""
    names = [n for n, p in model.named_parameters() if p.requires_grad]
    for params, _ in overrides:
        for pattern in params:
            if not any(fnmatchcase(name, pattern) for name in names):
                raise ValueError(f"{pattern} does not match any parameters")
    out = {}
    for name in names:
        matching = [opts for params, opts in overrides if any(fnmatchcase(name, p) for p in params)]
        if len(matching) > 1:
            raise ValueError("some parameters appear in more than one parameter group")
        out[name] = {**base, **(matching[0] if matching else {})}
    return out
