"""Careful files say nothing on the models of timm, transformers and Ultralytics but what is true.

With all of timm's seed of 400, 343 classes of transformers with parameters and every YAML of
Ultralytics: GR317 alone, on state-space models, whose `A_log` and `dt_bias` do decay.
"""

import random

import pytest
from support.careful_files import CAREFUL

import grouper
from grouper.language.shipped import shipped_rules
from grouper.text.findings import Severity

COUNT = 60  # models of each library
TRUE = {"GR317"}  # decay reaches the parameters of recurrences
ENDS = ("Model", "LM", "Classification", "Generation", "Answering", "Detection", "CTC")
DEPTHS = ("num_hidden_layers", "encoder_layers", "decoder_layers", "num_layers", "n_layer")


def said(model, files):
    for name, text in files.items():
        for finding in grouper.check(model, grouper.parse(text, name)).findings:
            if finding.severity is not Severity.NOTE and finding.code.id not in TRUE:
                yield name, finding


def shipped(*starts):
    every = shipped_rules()
    names = [name for name in every if name.endswith(".rules") and name.startswith(starts)]
    return {name: every[name].read_text("utf-8") for name in names}


def on_meta(build, *arguments):
    torch = pytest.importorskip("torch")
    with torch.device("meta"):
        return build(*arguments)


@pytest.mark.nightly
def test_timm():
    timm = pytest.importorskip("timm")
    names = random.Random(3).sample(timm.list_models(), COUNT)
    for name in names:
        model = on_meta(timm.create_model, name)
        assert not list(said(model, CAREFUL | shipped("no-decay"))), name


@pytest.mark.nightly
def test_transformers():
    transformers = pytest.importorskip("transformers")
    names = [
        name
        for name in dir(transformers)
        if name.endswith(ENDS) and not name.startswith("Auto") and "PreTrained" not in name
    ]
    built = 0
    for name in random.Random(3).sample(sorted(names), 2 * COUNT):
        try:
            model = on_meta(small, getattr(transformers, name))
        except Exception:  # what needs another library, or sizes of its own
            continue
        if any(True for _ in model.parameters()):
            built += 1
            assert not list(said(model, CAREFUL | shipped("transformers", "gpt"))), name
    assert built > COUNT


def small(cls):
    """A model of three layers, with the sizes of its class's default configuration."""
    config = cls.config_class()
    inner = [value for key, value in vars(config).items() if key.endswith("_config")]
    for part in (config, *inner):
        for key in DEPTHS:
            if isinstance(getattr(part, key, None), int):
                setattr(part, key, min(getattr(part, key), 3))
    return cls(config)


@pytest.mark.nightly
def test_ultralytics():
    from support.ultralytics_models import ALL, built

    for name in ALL:
        model = built(name)
        files = CAREFUL | shipped("ultralytics", "yolov5")
        if type(model.model[-1]).__name__ in ("Detect", "Classify"):
            files |= shipped("yolo-finetune")
        assert not list(said(model, files)), name
