"""Model folders saved by Hugging Face's libraries: finds the model's file in them."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

from grouper.model import codes
from grouper.model.errors import ModelError
from grouper.model.files.file import BytesSource, Sibling
from grouper.model.files.json import parsed
from grouper.model.inventory import Inventory

CONFIG = "config.json"
# In the order in which `from_pretrained` looks for them.
_FIRST = tuple(
    stem + ending
    for stem in ("model", "diffusion_pytorch_model", "pytorch_model", "adapter_model")
    for ending in (".safetensors", ".safetensors.index.json", ".bin", ".bin.index.json")
)
_INDEX = re.compile(r".+\.(?:safetensors|bin|pt|pth)\.index\.json")
_WEIGHTS = re.compile(
    r"(?!optimizer|scheduler|scaler|rng_state|training_args|random_states).+"
    r"\.(?:safetensors|bin|pt|pth|ckpt)"
)
_OTHERS = (
    (r"saved_model\.pb", "a SavedModel of TensorFlow"),
    (r"tf_model\.h5|.+\.(?:h5|keras)", "weights for Keras"),
    (r"flax_model\.msgpack|manifest\.ocdbt|_CHECKPOINT_METADATA", "weights for JAX"),
    (r".+\.gguf", "weights for llama.cpp"),
    (r".+\.onnx", "a model for ONNX"),
)
_HEADS = ("lm_head", "output_layer", "embed_out", "decoder", "cls", "output", "head")
_SPEAKS = ("ForCausalLM", "LMHeadModel", "ForConditionalGeneration", "ForMaskedLM")
_SHOWN = 6


def weights(path: str, names: Collection[str]) -> str:
    """The name of the file in a folder that is the model or its index.

    Names of folders end in a slash. Raises ModelError if there is no such file, or more than one.
    """
    first = next((name for name in _FIRST if name in names), None)
    if first is not None:
        return first
    for pattern in (_INDEX, _WEIGHTS):
        files = sorted(filter(pattern.fullmatch, names))
        if len(files) > 1:
            raise ModelError(
                codes.NOT_A_MODEL,
                f"`{path}` is a folder with {len(files)} files of weights",
                f"give one of them: {_listed(files)}",
            )
        if files:
            return files[0]
    raise _none(path, names)


def remarks(file: BytesSource, inventory: Inventory) -> tuple[str, ...]:
    """Remarks from the configuration beside a model's file: its class, and tied weights."""
    config = _config(file)
    names = config.get("architectures")
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        names = []
    remarks: tuple[str, ...] = (f"`{CONFIG}` says {', '.join(names[:_SHOWN])}",) if names else ()
    text = config.get("text_config")
    tied = (text if isinstance(text, dict) else config).get("tie_word_embeddings")
    speaks = any(name.endswith(_SPEAKS) for name in names)
    if tied is True or (tied is None and speaks):
        heads = {name.split(".")[0] for p in inventory.parameters for name in p.names}
        if not heads & set(_HEADS):
            remarks += ("its output head is not in the file: it is tied to the word embeddings",)
    return remarks


def _config(file: BytesSource) -> dict[str, Any]:
    """The configuration; empty if there is none or it cannot be read."""
    if not isinstance(file, Sibling):
        return {}
    try:
        with file.beside(CONFIG) as config:
            return parsed(config)
    except (OSError, ModelError):
        return {}


def _none(path: str, names: Collection[str]) -> ModelError:
    for pattern, what in _OTHERS:
        if any(re.fullmatch(pattern, name) for name in names):
            return ModelError(
                codes.UNSUPPORTED,
                f"`{path}` is a folder with {what}, not for torch",
                "give the folder or file with weights for torch",
            )
    folders = sorted(name for name in names if name.endswith("/") and name[0] != ".")
    return ModelError(
        codes.NOT_A_MODEL,
        f"`{path}` is a folder without a model file",
        f"give a file, or one of the folders in it: {_listed(folders)}" if folders else None,
    )


def _listed(names: list[str]) -> str:
    more = f", and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(f"`{name}`" for name in names[:_SHOWN]) + more
