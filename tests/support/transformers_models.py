"""The classes of transformers that a default configuration builds, where tensors take no memory."""

from __future__ import annotations

import inspect

import pytest
import torch
from support.torchvision_stub import define_operators

define_operators()
transformers = pytest.importorskip("transformers")

_LAYERS = ("num_hidden_layers", "num_layers", "encoder_layers", "decoder_layers", "n_layers")


def names():
    """The names of all classes of models, in order; those of no task among them."""
    found = []
    for name in sorted(dir(transformers)):
        if name.startswith(("TF", "Flax")) or name.endswith(("PreTrainedModel", "Backbone")):
            continue
        value = getattr(transformers, name, None)
        if inspect.isclass(value) and issubclass(value, transformers.PreTrainedModel):
            found.append(name)
    return found


def built(name):
    """A small model without memory; None where its class needs more than its defaults."""
    try:
        cls = getattr(transformers, name)
        config = cls.config_class()
        for key in _LAYERS:
            if isinstance(getattr(config, key, None), int) and key in config.to_dict():
                setattr(config, key, min(2, getattr(config, key)))
        with torch.device("meta"):
            return cls(config)
    except Exception:  # whatever a class says of a configuration that it was not given
        return None


def decayed_norms(net):
    """The classes of norms that Transformers' Trainer decays, each with its first parameter."""
    from grouper.checks.module_kinds import Kind, ModuleKinds
    from grouper.model.live import inventory_of

    decayed = {*transformers.Trainer.get_decay_parameter_names(None, net)}
    inventory = inventory_of(net)
    kinds, found = ModuleKinds(inventory), {}
    for parameter in inventory.parameters:
        if kinds.of[id(parameter)] is Kind.NORM and not decayed.isdisjoint(parameter.names):
            found.setdefault(kinds.class_name(parameter), parameter.name)
    return found
