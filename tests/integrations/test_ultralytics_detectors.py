"""RT-DETR, YOLO-World and YOLOE, which have trainers of their own.

Their text encoders cannot be had here: a stand-in gives each word a vector of its own.
"""

import os
import sys
from types import ModuleType

import pytest

os.environ.setdefault("YOLO_OFFLINE", "true")
torch = pytest.importorskip("torch")
pytest.importorskip("ultralytics")

from support.ultralytics_cases import Run, as_ultralytics, same  # noqa: E402
from ultralytics.models.rtdetr.train import RTDETRTrainer  # noqa: E402
from ultralytics.models.yolo.world import WorldTrainer  # noqa: E402
from ultralytics.models.yolo.yoloe import (  # noqa: E402
    YOLOEPESegTrainer,
    YOLOEPETrainer,
    YOLOESegTrainer,
    YOLOETrainer,
)

import grouper  # noqa: E402
from grouper.integrations.ultralytics import trainer  # noqa: E402

CASES = {
    "RTDETR": RTDETRTrainer,
    "YOLOWorld": WorldTrainer,
    "YOLOE": YOLOETrainer,
    "YOLOE-seg": YOLOESegTrainer,
}
PROBES = {"YOLOE": YOLOEPETrainer, "YOLOE-seg": YOLOEPESegTrainer}


class Words:
    """A text encoder: a vector of length one for each word, always the same."""

    def tokenize(self, texts):
        return torch.tensor([[sum(map(ord, text))] for text in texts])

    def encode_text(self, tokens):
        seeds = [torch.Generator().manual_seed(int(token)) for token in tokens]
        vectors = [torch.randn(512, generator=seed) for seed in seeds]
        return torch.nn.functional.normalize(torch.stack(vectors), dim=-1)


@pytest.fixture(autouse=True)
def words(monkeypatch):
    module = ModuleType("ultralytics.nn.text_model")
    module.build_text_model = lambda *_, **__: Words()
    monkeypatch.setitem(sys.modules, module.__name__, module)


@pytest.mark.parametrize(
    ("model", "optimizer"),
    [
        ("RTDETR", "AdamW"),
        ("YOLOWorld", "SGD"),
        ("YOLOE", "AdamW"),
        ("YOLOE-seg", "SGD"),
        pytest.param("RTDETR", "SGD", marks=pytest.mark.nightly),
        pytest.param("YOLOWorld", "AdamW", marks=pytest.mark.nightly),
        pytest.param("YOLOE", "SGD", marks=pytest.mark.nightly),
    ],
)
@pytest.mark.slow
def test_its_own_rules_give_its_own_weights(runs, model, optimizer):
    native, ruled = as_ultralytics(optimizer, epochs=2, warmup=1, of=CASES[model])
    theirs, ours = runs.train(model, **native), runs.train(model, **ruled)
    assert same(ours, theirs)
    assert [[*step.values()] for step in ours.rates] == [[*r.values()] for r in theirs.rates]


@pytest.mark.parametrize("model", PROBES)
@pytest.mark.slow
def test_a_linear_probe_of_yoloe(runs, model):
    """Its trainer freezes all but three convolutions, and wants weights to start from."""
    from ultralytics import YOLOE

    first = runs.train(model, trainer=trainer("ultralytics", of=CASES[model], epochs=1), epochs=1)
    native, ruled = as_ultralytics("SGD", epochs=2, warmup=1, of=PROBES[model])
    theirs, ours = (
        runs.go(YOLOE(str(first.trainer.last)), Run(), None, runs.arguments(model, arguments))
        for arguments in (native, ruled)
    )
    assert same(ours, theirs)


@pytest.mark.parametrize("model", CASES)
def test_without_its_own_trainer_it_is_named(runs, model):
    rules = grouper.load("ultralytics", epochs=1)
    wanted = rf"of=.*\.{CASES[model].__name__}\)"
    with pytest.raises(ValueError, match=wanted):
        runs.train(model, trainer=trainer(rules), epochs=1, deterministic=False)
    assert not runs.folder_of_last.exists()
