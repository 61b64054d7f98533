"""A spread of models of four libraries, by the names that grouper's MODEL takes."""

import pytest
from support.torchvision_stub import define_operators

TINY = {
    "tie_word_embeddings": False,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "vocab_size": 50,
}
CONFIGS = {
    "llama": {"hidden_size": 32, "intermediate_size": 64, "dtype": "bfloat16", **TINY},
    "mixtral": {
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_key_value_heads": 2,
        "num_local_experts": 4,
        **TINY,
    },
    "gpt2": {"n_embd": 32, "n_layer": 2, "n_head": 2, "vocab_size": 50, "n_positions": 16},
}
CLASSES = {"llama": "LlamaForCausalLM", "mixtral": "MixtralForCausalLM", "gpt2": "GPT2LMHeadModel"}
SPREAD = [
    "ultralytics:yolov5n.yaml",
    "ultralytics:yolov8n.yaml",
    "ultralytics:yolov8n-cls.yaml",
    "ultralytics:yolo11n.yaml",
    "ultralytics:rtdetr-resnet50.yaml",
    "timm:vit_tiny_patch16_224",
    "timm:convnext_atto",
    "timm:swin_tiny_patch4_window7_224",
    *(f"hf:{name}" for name in CONFIGS),
]


def build(spec, folder):
    """What is given to grouper, and the model as its library's user builds it."""
    define_operators()
    library, _, name = spec.partition(":")
    if library == "hf":
        return f"hf:{folder}", _of_transformers(name, folder)
    if library == "timm":
        return spec, pytest.importorskip("timm").create_model(name)
    ultralytics = pytest.importorskip("ultralytics")
    kind = ultralytics.RTDETR if name.startswith("rtdetr") else ultralytics.YOLO
    return spec, kind(name).model


def _of_transformers(name, folder):
    transformers = pytest.importorskip("transformers")
    config = transformers.AutoConfig.for_model(name, architectures=[CLASSES[name]], **CONFIGS[name])
    model = transformers.AutoModelForCausalLM.from_config(config)
    model.save_pretrained(folder)
    return model
