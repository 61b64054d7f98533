"""Small models of the kinds that recipes are written for, each told in a few lines.

`blocks.{0..3}.norm LayerNorm 8` are weights and biases of four norms; `Linear-` has no bias;
`cls_token = 1x1x8` is a parameter.
"""

from __future__ import annotations

import re

from support.builders import BASE, NN, inventory, parameter

from grouper.model.inventory import Module
from grouper.model.marks import Marks

CLASSES = {
    "Linear": f"{NN}.linear.Linear",
    "Conv": f"{NN}.conv.Conv2d",
    "LayerNorm": f"{NN}.normalization.LayerNorm",
    "BatchNorm": f"{NN}.batchnorm.BatchNorm2d",
    "RMSNorm": f"{NN}.normalization.RMSNorm",
    "Embedding": f"{NN}.sparse.Embedding",
}
VIT = """
cls_token = 1x1x8
pos_embed = 1x9x8
patch_embed.proj Conv 8x3x4x4
blocks.{0..3}.norm1 LayerNorm 8
blocks.{0..3}.attn.qkv Linear 24x8
norm LayerNorm 8
head Linear 10x8
"""
SWIN = """
patch_embed.proj Conv 8x3x4x4
layers.{0..1}.blocks.{0..1}.attn.qkv Linear 24x8
layers.1.downsample.reduction Linear- 16x8
norm LayerNorm 8
head.fc Linear 10x8
"""
CONVNEXT = """
stem.0 Conv 8x3x4x4
stages.{0..1}.blocks.{0..2}.conv_dw Conv 8x1x7x7
stages.1.downsample.1 Conv 16x8x2x2
head.fc Linear 10x8
"""
RESNET = """
conv1 Conv 8x3x7x7
bn1 BatchNorm 8
layer{1..4}.{0..1}.conv1 Conv 8x8x3x3
fc Linear 10x8
"""
EFFICIENTNET = """
conv_stem Conv 8x3x3x3
bn1 BatchNorm 8
blocks.{0..2}.{0..1}.conv_pw Conv 8x8x1x1
conv_head Conv 16x8x1x1
bn2 BatchNorm 16
classifier Linear 10x16
"""
BERT = """
bert.embeddings.word_embeddings Embedding 100x8
bert.encoder.layer.{0..3}.attention.query Linear 8x8
classifier Linear 2x8
"""
LLAMA = """
embed.wte Embedding 100x8
layers.{0..5}.self_attn.q_proj Linear- 8x8
layers.{0..5}.norm RMSNorm 8
norm RMSNorm 8
lm_head Linear- 100x8
"""
NANOCHAT = """
transformer.wte Embedding 100x8
transformer.h.{0..2}.attn Linear- 8x8
transformer.scale = 8
lm_head Linear- 100x8
"""
DEEPSEEK = """
model.embed_tokens Embedding 100x8
model.layers.{0..3}.self_attn.q_proj Linear- 8x8
model.layers.{1..3}.mlp.experts.{0..1}.up_proj Linear- 16x8
model.layers.{0..3}.norm RMSNorm 8
lm_head Linear- 100x8
"""
STACKED = """
model.embed_tokens Embedding 100x8
model.layers.{0..3}.self_attn.q_proj Linear- 8x8
model.layers.{0..3}.mlp.experts = 4x16x8
lm_head Linear- 100x8
"""
SAM2 = """
image_encoder.trunk.patch_embed.proj Conv 8x3x7x7
image_encoder.trunk.pos_embed = 1x8x7x7
image_encoder.trunk.blocks.{0..3}.norm1 LayerNorm 8
image_encoder.trunk.blocks.{0..3}.attn.qkv Linear 24x8
mask_decoder.transformer.q Linear 8x8
"""
LORA = """
model.layers.{0..1}.q_proj.lora_A.default Linear- 4x8
model.layers.{0..1}.q_proj.lora_B.default Linear- 8x4
model.embed_tokens.lora_embedding_A = 4x100
"""
LLAVA = """
model.vision_tower.layers.{0..2}.q Linear 8x8
model.vision_tower.post_layernorm LayerNorm 8
model.mm_projector.0 Linear 8x8
model.layers.{0..3}.q_proj Linear- 8x8
lm_head Linear- 100x8
"""
MIXTRAL = """
model.layers.{0..1}.block_sparse_moe.gate Linear- 4x8
model.layers.{0..1}.block_sparse_moe.experts.{0..3}.w1 Linear- 16x8
model.layers.{0..1}.norm RMSNorm 8
"""
DINO = """
student.backbone.blocks.{0..3}.qkv Linear 24x8
student.backbone.norm LayerNorm 8
student.dino_head.last_layer Linear- 100x8
"""
DINOV3 = """
teacher.patch_embed.proj Conv 8x3x4x4
teacher.blocks.{0..3}.qkv Linear 24x8
student.patch_embed.proj Conv 8x3x4x4
student.blocks.{0..3}.qkv Linear 24x8
student.dino_head.last_layer Linear- 100x8
"""
SPLATS = "\n".join(
    f"_{name} = 100x{size}"
    for name, size in {
        "xyz": 3, "features_dc": 3, "features_rest": 45, "opacity": 1, "scaling": 3, "rotation": 4,
    }.items()
)  # fmt: skip
ULMFIT = """
encoder.layer.{0..3}.rnn Linear 8x8
decoder Linear 2x8
"""
DETR = """
model.backbone.conv_encoder.conv1 Conv 8x3x7x7
model.encoder.layers.{0..1}.linear1 Linear 8x8
model.decoder.layers.{0..1}.linear1 Linear 8x8
class_labels_classifier Linear 10x8
"""
DEFORMABLE = """
backbone.0.body.conv1 Conv- 8x3x7x7
transformer.encoder.layers.{0..1}.self_attn.sampling_offsets Linear 8x8
transformer.encoder.layers.{0..1}.linear1 Linear 8x8
transformer.reference_points Linear 2x8
"""
RCNN = """
backbone.conv1 Conv 8x3x7x7
backbone.gn GroupNorm 8
roi_heads.box_head.fc1 Linear 8x8
"""
KOHYA = """
lora_unet_input_blocks_{0..11}_attn.lora_down Linear- 4x8
lora_unet_middle_block_attn.lora_down Linear- 4x8
lora_unet_output_blocks_{0..11}_attn.lora_down Linear- 4x8
"""
WAV2VEC = """
w2v_encoder.layers.{0..1}.fc Linear 8x8
proj Linear 30x8
"""
PLAIN = """
layers.{0..5}.attn Linear 8x8
embed Embedding 100x8
norm LayerNorm 8
"""
TEACHER = """
student.layers.{0..1}.fc Linear 8x8
teacher.layers.{0..1}.fc Linear 8x8
"""
YOLO = """
model.{0..11}.conv Conv- 8x8x3x3
model.{0..11}.bn BatchNorm 8
model.12.m.0 Conv 255x8x1x1
"""
PROBE = """
stem.conv Conv 8x3x3x3
stem.bn BatchNorm 8
head Linear 10x8
"""
T5 = """
encoder.block.{0..1}.layer.0.SelfAttention.q Linear- 8x8
encoder.block.0.layer.0.SelfAttention.relative_attention_bias Embedding 32x2
encoder.final_layer_norm RMSNorm 8
"""
ALBERT = """
albert.embeddings.word_embeddings Embedding 100x8
albert.encoder.albert_layer_groups.0.albert_layers.0.ffn Linear 8x8
classifier Linear 2x8
"""
MAMBA = """
backbone.layers.{0..1}.mixer.in_proj Linear- 16x8
backbone.layers.{0..1}.mixer.A_log = 16x4
backbone.layers.{0..1}.mixer.D = 16
"""
STAGES = """
stage1.fc Linear 8x8
stage2.fc Linear 8x8
head Linear 2x8
"""
CLIP = """
logit_scale = scalar
text_model.layers.{0..1}.fc Linear 8x8
vision_model.layers.{0..1}.fc Linear 8x8
"""


def told(text, shared=(), marked=None):
    """The inventory of a model. `shared` are names more of the first parameter, `marked` is a mark
    and the end of the names that carry it."""
    made, classes = [], {}
    for line in text.strip().splitlines():
        pattern, kind, sizes = line.split()
        shape = () if sizes == "scalar" else tuple(map(int, sizes.split("x")))
        for name in _expanded(pattern):
            if kind == "=":
                made.append(parameter(name, shape))
                continue
            bare = kind.removesuffix("-")
            cls = CLASSES.get(bare, f"{NN}.normalization.{bare}")
            classes[name] = Module(name, cls, (BASE,))
            made.append(parameter(f"{name}.weight", shape))
            if kind not in ("Embedding", "RMSNorm") and not kind.endswith("-"):
                made.append(parameter(f"{name}.bias", shape[:1]))
    if shared:
        made.insert(0, parameter(shared, (100, 8)))
    names = [name for one in made for name in one.names]
    word, ends = marked or ("no_weight_decay", ())
    carriers = frozenset(name for name in names if name.endswith(tuple(ends)))
    marks = Marks({word: carriers} if ends else {}, ("no_weight_decay", "_no_weight_decay"))
    return inventory(*made, classes=classes, marks=marks)


def _expanded(pattern):
    found = re.search(r"\{(\d+)\.\.(\d+)\}", pattern)
    if found is None:
        return [pattern]
    numbers = range(int(found[1]), int(found[2]) + 1)
    ends = _expanded(pattern[found.end() :])
    return [f"{pattern[: found.start()]}{n}{end}" for n in numbers for end in ends]
