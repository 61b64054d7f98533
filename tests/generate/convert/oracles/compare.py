"""What an optimizer does to each parameter, so that two can be compared parameter by parameter."""

import grouper
from grouper.generate.convert.convert import convert_file
from grouper.language.syntax.format import format_file
from grouper.language.syntax.parser import parse
from grouper.model.live import inventory_of
from grouper.text.source import Source

KEYS = ("lr", "weight_decay", "momentum", "betas", "eps", "nesterov")


def settings(model, groups, defaults=None):
    """Each parameter's options, by name; parameters in no group are missing.

    `groups` are parameter groups; a group lacks what `defaults` then say.
    """
    found = {}
    for group in groups:
        for entry in group["params"]:
            parameter = entry[1] if isinstance(entry, tuple) else entry
            assert id(parameter) not in found, "one parameter in two groups"
            options = {**(defaults or {}), **group}
            found[id(parameter)] = {key: options[key] for key in KEYS if key in options}
    return {n: found[id(p)] for n, p in model.named_parameters() if id(p) in found}


def trained(model, settings):
    """Without the parameters that the model has frozen, which grouper has in no group."""
    frozen = {name for name, p in model.named_parameters() if not p.requires_grad}
    return {name: options for name, options in settings.items() if name not in frozen}


def converted(path, model=None, system=None):
    """A conversion, held to what every one of them keeps: canonical, and read without a fault."""
    inventory = inventory_of(model) if model is not None else None
    conversion = convert_file(str(path), system, inventory)
    source = Source(conversion.text)
    parsed = parse(source)
    assert not parsed.findings
    assert format_file(parsed.file, source) == conversion.text
    return conversion


def built(model, text):
    """The options of each parameter in the optimizer that rules build. The model is as it was."""
    report = grouper.check(model, grouper.parse(text))
    assert report.ok, str(grouper.GroupingError(report)) + text
    before = [p.requires_grad for p in model.parameters()]
    optimizer = grouper.build_optimizer(model, report)
    for parameter, flag in zip(model.parameters(), before, strict=True):
        parameter.requires_grad = flag
    return settings(model, optimizer.param_groups)


def assert_same(model, text, expected):
    """The rules give each parameter what is expected, to the last bit."""
    ours = built(model, text)
    assert set(ours) == set(expected)
    for name, options in expected.items():
        mine = {key: ours[name].get(key) for key in options}
        assert mine == {k: tuple(v) if isinstance(v, list) else v for k, v in options.items()}, name
