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
