"""The first rules for a model: nothing to find on the models of the zoos, heads where they are."""

import re

import pytest

torch = pytest.importorskip("torch")

from support.builders import CONV, LINEAR, NORM, Module, inventory, parameter, small_yolo  # noqa: E402

import grouper  # noqa: E402
from grouper.generate.init.first import first_rules  # noqa: E402
from grouper.generate.init.heads import head_of  # noqa: E402
from grouper.generate.init.text import Use, canonical  # noqa: E402
from grouper.model.live import inventory_of  # noqa: E402

TIMM = {
    "resnet18": "fc.*",
    "vit_tiny_patch16_224": "head.*",
    "deit_tiny_distilled_patch16_224": "{head,head_dist}.*",
    "convnext_atto": "head.*",
    "lcnet_050": "classifier.*",  # more than half of the model
    "vgg11": "head.*",
    "xcit_nano_12_p16_224": "head.*",  # whose vectors have three dimensions
    "mambaout_femto": "head.*",
    "vit_base_patch16_siglip_224": None,
}
TRANSFORMERS = {
    "BertForSequenceClassification": "classifier.*",
    "CamembertForQuestionAnswering": "qa_outputs.*",  # declared before its body
    "DistilBertForSequenceClassification": "{pre_classifier,classifier}.*",
    "LlamaForCausalLM": None,  # tied or trained already
    "OlmoForCausalLM": None,  # without any vector
    "T5ForConditionalGeneration": None,
    "MambaForCausalLM": None,
    "DetrForObjectDetection": "{class_labels_classifier,bbox_predictor}.*",
}
YOLO_CLS, YOLO26 = "v8/yolov8-cls.yaml", "26/yolo26.yaml"
ULTRALYTICS = {YOLO_CLS: "in @Classify", YOLO26: "in @Detect"}


def is_clean(model):
    """The text is canonical, and `check` has nothing to say of it: no note either."""
    known = inventory_of(model)
    text = first_rules(known, Use())
    assert canonical(text) == text
    report = grouper.check(model, grouper.parse(text))
    assert not report.findings, (text, [f.message for f in report.findings])
    assert report.ok


def trains(model):
    return any(parameter.requires_grad for parameter in model.parameters())


def head(model):
    found = head_of(inventory_of(model))
    return found and found.selector


@pytest.mark.parametrize("name", TIMM)
def test_timm(name):
    from support.timm_models import built

    model = built(name)
    is_clean(model)
    assert head(model) == TIMM[name]


@pytest.mark.parametrize("name", TRANSFORMERS)
def test_transformers(name):
    from support.transformers_models import built

    model = built(name)
    is_clean(model)
    assert head(model) == TRANSFORMERS[name]


@pytest.mark.parametrize("config", [YOLO_CLS, pytest.param(YOLO26, marks=pytest.mark.nightly)])
def test_ultralytics(config):
    from support.ultralytics_models import built

    model = built(config)
    is_clean(model)
    assert head(model) == ULTRALYTICS[config]


@pytest.mark.nightly
@pytest.mark.parametrize("zoo", ["timm", "transformers", "ultralytics"])
def test_every_model_of_the_zoos(zoo):
    if zoo == "timm":
        from support.timm_models import built, list_models

        names = list_models()
    elif zoo == "transformers":
        from support.transformers_models import built
        from support.transformers_models import names as all_names

        names = all_names()
    else:
        from support.ultralytics_models import ALL, built

        names = ALL
    models = (model for model in map(built, names) if model is not None and trains(model))
    assert sum(1 for model in models if is_clean(model) is None) > 60


def test_a_lora_trains_its_adapters():
    peft = pytest.importorskip("peft")
    from support.transformers_models import built

    model = peft.get_peft_model(built("LlamaForCausalLM"), peft.LoraConfig())
    is_clean(model)
    rules = grouper.init(model)
    assert "*lora_* -> adapter" in str(rules)
    (group,) = grouper.check(model, rules).grouping.groups
    assert all("lora_" in p.name for p in group.parameters)


def test_a_model_of_a_module_is_looked_into():
    """As in a LightningModule, which holds the model that it trains."""
    from support.timm_models import built

    class Task(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.model = built("resnet18")

    assert head(Task()) == "model.fc.*"
    is_clean(Task())


def test_the_last_layer_of_a_large_classifier_is_the_head():
    model = torch.nn.Module()
    model.features = torch.nn.Conv2d(3, 4, 3)
    layers = [
        torch.nn.Linear(4, 99),
        torch.nn.ReLU(),
        torch.nn.Linear(99, 99),
        torch.nn.Linear(99, 2),
    ]
    model.classifier = torch.nn.Sequential(*layers)
    assert head(model) == "classifier.3.*"


@pytest.mark.parametrize(
    "model",
    [
        torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.Linear(3, 2)),
        torch.nn.Linear(2, 3),
        torch.nn.LayerNorm(3),
        torch.nn.Embedding(3, 2),
        torch.nn.Linear(2, 3, bias=False),
        torch.nn.LSTM(2, 3),
        torch.nn.MultiheadAttention(4, 2),
        torch.nn.ParameterList([torch.nn.Parameter(torch.zeros(2, 2))]),
    ],
    ids=lambda model: type(model).__name__,
)
def test_small_models(model):
    is_clean(model)
    assert head(model) is None


def test_strange_names_and_unknown_shapes():
    strange = inventory(
        parameter("a b.weight"), parameter("head.x{1}"), parameter("head.weight", None)
    )
    inside = inventory(
        parameter("a b.body.weight"),
        parameter("a b.norm.weight", (4,)),
        parameter("a b.fc.weight"),
        classes={"a b.norm": Module("", "my.Norm[int]<x>", ())},
    )
    assert grouper.check(inside, grouper.parse(first_rules(inside, Use()))).ok
    text = first_rules(strange, Use("my model.pt\x1b[2J", "a\nb.rules"))
    assert "\x1b" not in text
    assert grouper.check(strange, grouper.parse(text)).ok


def test_without_classes_dimensions_decide():
    made = small_yolo()
    bare = grouper.Inventory(made.parameters, None, path="tensors.safetensors", kind="safetensors")
    text = first_rules(bare, Use())
    assert "@" not in text
    assert not grouper.check(bare, grouper.parse(text)).findings


def test_norms_of_two_dimensions_are_spared_by_their_class():
    made = inventory(
        parameter("conv.weight", (8, 3, 3, 3)),
        parameter("norm.weight", (8, 1)),
        parameter("fc.weight", (2, 8)),
        classes={"conv": CONV, "norm": NORM, "fc": LINEAR},
    )
    assert re.search("^ +@BatchNorm2d +-> no_decay", first_rules(made, Use()), re.M)


def test_a_model_that_does_not_train_has_no_rules():
    frozen = torch.nn.Linear(2, 2).requires_grad_(False)
    for model in (frozen, torch.nn.ReLU()):
        with pytest.raises(ValueError, match="nothing to train"):
            grouper.init(model)
