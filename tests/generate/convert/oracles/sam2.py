"""SAM 2's options: for each a table of values with globs and exact classes; layer decay by Hiera's
own numbers of layers."""

from fnmatch import fnmatchcase


def groups(model, options, layer_decay=None):
    """First values by name. Raises AssertionError where entries overlap or a pattern is dead.

    `options` are lists of (value, globs, classes), without both for the rest. `layer_decay` is
    (rate, part, least, overrides).
    """
    names = [name for name, _ in model.named_parameters()]
    out = {name: {} for name in names}
    for option, entries in options.items():
        taken = {}
        for value, globs, classes in entries:
            if globs is None and classes is None:
                continue
            mine = set()
            for glob in globs or ():
                found = {name for name in names if fnmatchcase(name, glob)}
                assert found, f"{glob} does not match any parameters"
                mine |= found
            for cls in classes or ():
                found = set(_owned(model, cls))
                assert found, f"{cls} does not match any classes"
                mine |= found
            assert not mine & set(taken), "should be disjoint"
            taken |= dict.fromkeys(mine, value)
        rest = [value for value, globs, classes in entries if globs is None and classes is None]
        for name in names:
            if name in taken or rest:
                out[name][option] = taken.get(name, rest[0] if rest else None)
    if layer_decay:
        for name in names:
            out[name]["lr"] *= _scale(model, name, *layer_decay)
    return out


def _owned(model, cls):
    for path, module in model.named_modules():
        if type(module) is cls:
            for own, _ in module.named_parameters(recurse=False):
                yield f"{path}.{own}" if path else own


def _scale(model, name, rate, part, least, overrides):
    if not name.startswith(part):
        return 1.0
    for glob, value in overrides:
        if fnmatchcase(name, glob):
            return value
    layers = len(model.get_submodule(part).blocks)
    if "rel_pos" in name:
        layer = layers + 1
    elif "pos_embed" in name or "patch_embed" in name:
        layer = 0
    elif "blocks" in name:
        layer = int(name.split("blocks")[1].split(".")[1]) + 1
    else:
        layer = layers + 1
    scale = rate ** (layers + 1 - layer)
    return scale if least is None else max(scale, least)
