"""Writes own_models.json.gz, the models of our own mistakes.

Run it as a script. They are small, and built where tensors take no memory. diffusers is asked for
two of them, and is not among the packages that tests need: `pip install diffusers`.
"""

# ruff: noqa: E402

import gzip
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from support import torchvision_stub

torchvision_stub.mend()

import timm
import torch
import torchvision
import transformers as tr
from diffusers import DiTTransformer2DModel, UNet2DConditionModel
from peft import LoraConfig, get_peft_model
from torch import nn
from ultralytics import RTDETR, YOLO

import grouper
from grouper.model.formats import snapshot

SMALL = {
    "hidden_size": 32,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "intermediate_size": 64,
    "vocab_size": 211,
}
TOWER = {k: v for k, v in SMALL.items() if k != "vocab_size"}
SEQ2SEQ = {
    "d_model": 32,
    "encoder_layers": 2,
    "decoder_layers": 2,
    "encoder_attention_heads": 4,
    "decoder_attention_heads": 4,
    "encoder_ffn_dim": 64,
    "decoder_ffn_dim": 64,
}
MOE = {**SMALL, "num_hidden_layers": 3, "moe_intermediate_size": 16, "num_experts_per_tok": 2}
MODELS = {}


def model(build):
    MODELS[build.__name__] = build
    return build


def resnet_backbone(cls):
    return cls(depths=[1, 1, 1, 1], out_features=["stage4"])


@model
def roberta():
    return tr.RobertaForSequenceClassification(tr.RobertaConfig(**SMALL))


@model
def deberta():
    return tr.DebertaV2ForTokenClassification(
        tr.DebertaV2Config(
            **SMALL,
            relative_attention=True,
            position_buckets=8,
            pos_att_type=["p2c", "c2p"],
            norm_rel_ebd="layer_norm",
            share_att_key=True,
        )
    )


@model
def electra():
    return tr.ElectraForSequenceClassification(tr.ElectraConfig(**SMALL, embedding_size=16))


@model
def distilbert():
    return tr.DistilBertForSequenceClassification(
        tr.DistilBertConfig(dim=32, n_layers=3, n_heads=4, hidden_dim=64, vocab_size=211)
    )


@model
def beit():
    return timm.create_model("beit_base_patch16_224", depth=4)


@model
def swin():
    return timm.create_model("swin_tiny_patch4_window7_224", depths=(2, 2, 4, 2))


@model
def swinv2():
    return timm.create_model("swinv2_tiny_window8_256", depths=(1, 1, 2, 1))


@model
def convnext():
    return timm.create_model("convnext_atto", depths=(1, 1, 2, 1))


@model
def deit():
    return timm.create_model("deit_tiny_distilled_patch16_224", depth=12)


@model
def detr():
    return tr.DetrForObjectDetection(
        tr.DetrConfig(
            use_timm_backbone=False,
            use_pretrained_backbone=False,
            backbone=None,
            backbone_config=tr.ResNetConfig(depths=[1, 1, 1, 1], out_features=["stage4"]),
            encoder_layers=2,
            decoder_layers=2,
            d_model=32,
            encoder_attention_heads=4,
            decoder_attention_heads=4,
            encoder_ffn_dim=64,
            decoder_ffn_dim=64,
        )
    )


@model
def rtdetr():
    return tr.RTDetrForObjectDetection(
        tr.RTDetrConfig(
            backbone_config=tr.RTDetrResNetConfig(
                depths=[1, 1, 1, 1], out_features=["stage2", "stage3", "stage4"]
            ),
            d_model=32,
            decoder_layers=2,
            encoder_ffn_dim=64,
            decoder_ffn_dim=64,
            decoder_attention_heads=4,
            encoder_attention_heads=4,
            encoder_hidden_dim=32,
            decoder_in_channels=[32, 32, 32],
        )
    )


@model
def mask2former():
    return tr.Mask2FormerModel(
        tr.Mask2FormerConfig(
            backbone_config=tr.SwinConfig(
                depths=[1, 1, 2, 1],
                embed_dim=16,
                num_heads=[1, 2, 4, 8],
                out_features=["stage1", "stage2", "stage3", "stage4"],
            ),
            hidden_dim=32,
            feature_size=32,
            mask_feature_size=32,
            decoder_layers=3,
            encoder_layers=1,
            num_attention_heads=4,
            dim_feedforward=64,
            encoder_feedforward_dim=64,
            num_queries=5,
        )
    )


def yolo(n):
    return (RTDETR if "rtdetr" in n else YOLO)(n).model


@model
def yolo11():
    return yolo("yolo11n.yaml")


@model
def yolov8seg():
    return yolo("yolov8n-seg.yaml")


@model
def yolov10():
    return yolo("yolov10n.yaml")


@model
def rtdetrl():
    return yolo("rtdetr-l.yaml")


@model
def sam():
    return tr.SamModel(
        tr.SamConfig(
            vision_config={
                "hidden_size": 32,
                "num_hidden_layers": 2,
                "num_attention_heads": 4,
                "mlp_dim": 64,
                "output_channels": 32,
                "global_attn_indexes": [1],
            },
            prompt_encoder_config={"hidden_size": 32},
            mask_decoder_config={"hidden_size": 32, "mlp_dim": 64, "num_attention_heads": 4},
        )
    )


@model
def clip():
    return tr.CLIPModel(
        tr.CLIPConfig(
            text_config={
                "hidden_size": 32,
                "num_hidden_layers": 2,
                "num_attention_heads": 4,
                "intermediate_size": 64,
                "vocab_size": 211,
            },
            vision_config={
                "hidden_size": 32,
                "num_hidden_layers": 4,
                "num_attention_heads": 4,
                "intermediate_size": 64,
            },
            projection_dim=32,
        )
    )


@model
def qwen2vl():
    return tr.Qwen2_5_VLForConditionalGeneration(
        tr.Qwen2_5_VLConfig(
            text_config={
                "hidden_size": 32,
                "num_hidden_layers": 3,
                "num_attention_heads": 4,
                "num_key_value_heads": 2,
                "intermediate_size": 64,
                "vocab_size": 211,
                "tie_word_embeddings": False,
                "rope_scaling": {"type": "mrope", "mrope_section": [2, 1, 1]},
            },
            vision_config={
                "depth": 2,
                "hidden_size": 32,
                "num_heads": 4,
                "intermediate_size": 64,
                "out_hidden_size": 32,
            },
        )
    )


@model
def whisper():
    return tr.WhisperForConditionalGeneration(
        tr.WhisperConfig(
            d_model=32,
            encoder_layers=2,
            decoder_layers=2,
            encoder_attention_heads=4,
            decoder_attention_heads=4,
            encoder_ffn_dim=64,
            decoder_ffn_dim=64,
            vocab_size=211,
            pad_token_id=0,
            bos_token_id=1,
            eos_token_id=2,
            decoder_start_token_id=1,
        )
    )


@model
def t5():
    return tr.T5ForConditionalGeneration(
        tr.T5Config(
            d_model=32,
            num_layers=3,
            d_ff=64,
            num_heads=4,
            d_kv=8,
            vocab_size=211,
            tie_word_embeddings=False,
            feed_forward_proj="gated-gelu",
        )
    )


@model
def mixtral():
    return tr.MixtralForCausalLM(
        tr.MixtralConfig(**SMALL, num_key_value_heads=2, num_local_experts=4)
    )


@model
def qwen3moe():
    return tr.Qwen3MoeForCausalLM(
        tr.Qwen3MoeConfig(
            hidden_size=32,
            num_hidden_layers=3,
            num_attention_heads=4,
            num_key_value_heads=2,
            head_dim=8,
            intermediate_size=64,
            moe_intermediate_size=16,
            num_experts=4,
            num_experts_per_tok=2,
            vocab_size=211,
        )
    )


@model
def mamba():
    return tr.MambaForCausalLM(
        tr.MambaConfig(
            hidden_size=32,
            num_hidden_layers=3,
            vocab_size=211,
            state_size=4,
            tie_word_embeddings=True,
        )
    )


@model
def jamba():
    return tr.JambaForCausalLM(
        tr.JambaConfig(
            **SMALL,
            num_key_value_heads=2,
            num_experts=2,
            attn_layer_period=2,
            attn_layer_offset=1,
            expert_layer_period=2,
            expert_layer_offset=1,
            use_mamba_kernels=False,
            mamba_d_state=4,
        )
    )


@model
def neox():
    return tr.GPTNeoXForCausalLM(tr.GPTNeoXConfig(**SMALL))


@model
def gemma():
    return tr.Gemma2ForCausalLM(tr.Gemma2Config(**SMALL, num_key_value_heads=2, head_dim=8))


@model
def gpt2():
    return tr.GPT2LMHeadModel(tr.GPT2Config(n_embd=32, n_layer=3, n_head=4, vocab_size=211))


@model
def lora():
    m = tr.Qwen2ForSequenceClassification(tr.Qwen2Config(**SMALL, num_key_value_heads=2))
    return get_peft_model(
        m,
        LoraConfig(
            r=2, target_modules=["q_proj", "v_proj"], modules_to_save=["score"], task_type="SEQ_CLS"
        ),
    )


@model
def dora():
    m = tr.LlamaForCausalLM(tr.LlamaConfig(**SMALL, num_key_value_heads=2))
    return get_peft_model(
        m, LoraConfig(r=2, target_modules=["q_proj", "v_proj", "embed_tokens"], use_dora=False)
    )


@model
def loravit():
    m = tr.ViTForImageClassification(
        tr.ViTConfig(
            hidden_size=32, num_hidden_layers=3, num_attention_heads=4, intermediate_size=64
        )
    )
    return get_peft_model(
        m,
        LoraConfig(
            r=2, target_modules=["q_proj", "v_proj"], modules_to_save=["classifier"], use_dora=True
        ),
    )


@model
def unet():
    return UNet2DConditionModel(
        sample_size=8,
        block_out_channels=(8, 16),
        layers_per_block=1,
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
        cross_attention_dim=16,
        attention_head_dim=4,
        norm_num_groups=4,
    )


@model
def dit():
    return DiTTransformer2DModel(
        num_layers=3,
        num_attention_heads=2,
        attention_head_dim=8,
        sample_size=8,
        num_embeds_ada_norm=10,
    )


@model
def wav2vec2():
    return tr.Wav2Vec2ForCTC(
        tr.Wav2Vec2Config(
            **SMALL,
            conv_dim=(16, 16),
            conv_stride=(5, 2),
            conv_kernel=(10, 3),
            num_feat_extract_layers=2,
            num_conv_pos_embeddings=16,
            num_conv_pos_embedding_groups=4,
        )
    )


@model
def fasterrcnn():
    return torchvision.models.detection.fasterrcnn_resnet50_fpn(weights=None, weights_backbone=None)


@model
def deeplab():
    return torchvision.models.segmentation.deeplabv3_mobilenet_v3_large(
        weights=None, weights_backbone=None, aux_loss=True
    )


@model
def segformer():
    return tr.SegformerForSemanticSegmentation(
        tr.SegformerConfig(
            depths=[1, 1, 1, 1], hidden_sizes=[8, 16, 32, 64], decoder_hidden_size=32
        )
    )


@model
def effnet():
    return timm.create_model("efficientnet_b0")


@model
def dinov2():
    return tr.Dinov2ForImageClassification(
        tr.Dinov2Config(hidden_size=32, num_hidden_layers=4, num_attention_heads=4)
    )


class GCNLayer(nn.Module):
    def __init__(self, a, b):
        super().__init__()
        self.lin = nn.Linear(a, b, bias=False)
        self.bias = nn.Parameter(torch.zeros(b))


class GNN(nn.Module):
    def __init__(self):
        super().__init__()
        self.atom_encoder = nn.Embedding(119, 32)
        self.convs = nn.ModuleList(GCNLayer(32, 32) for _ in range(5))
        self.bns = nn.ModuleList(nn.BatchNorm1d(32) for _ in range(5))
        self.pool_gate = nn.Linear(32, 1)
        self.graph_pred_linear = nn.Linear(32, 10)


@model
def gnn():
    return GNN()


class LSTMTagger(nn.Module):
    def __init__(self):
        super().__init__()
        self.word_embedding = nn.Embedding(211, 32)
        self.char_embedding = nn.Embedding(64, 8)
        self.encoder = nn.LSTM(40, 32, 2, bidirectional=True, batch_first=True)
        self.layer_norm = nn.LayerNorm(64)
        self.proj = nn.Linear(64, 32)
        self.tagger = nn.Linear(32, 9)
        self.transitions = nn.Parameter(torch.zeros(9, 9))


@model
def lstm():
    return LSTMTagger()


def opened(m):
    for p in m.parameters():
        p.requires_grad_(True)
    return m


@model
def loraopen():
    return opened(lora())


@model
def loravitopen():
    return opened(loravit())


@model
def doraopen():
    return opened(dora())


@model
def detr2():
    return tr.ConditionalDetrForObjectDetection(
        tr.ConditionalDetrConfig(
            use_timm_backbone=False,
            use_pretrained_backbone=False,
            backbone=None,
            backbone_config=tr.ResNetConfig(depths=[1, 1, 1, 1], out_features=["stage4"]),
            encoder_layers=2,
            decoder_layers=2,
            d_model=32,
            encoder_attention_heads=4,
            decoder_attention_heads=4,
            encoder_ffn_dim=64,
            decoder_ffn_dim=64,
        )
    )


@model
def bart():
    return tr.BartForConditionalGeneration(
        tr.BartConfig(
            d_model=32,
            encoder_layers=2,
            decoder_layers=2,
            encoder_attention_heads=4,
            decoder_attention_heads=4,
            encoder_ffn_dim=64,
            decoder_ffn_dim=64,
            vocab_size=211,
        )
    )


@model
def deepseek():
    return tr.DeepseekV3ForCausalLM(
        tr.DeepseekV3Config(
            hidden_size=32,
            num_hidden_layers=3,
            num_attention_heads=4,
            num_key_value_heads=4,
            intermediate_size=64,
            moe_intermediate_size=16,
            n_routed_experts=4,
            num_experts_per_tok=2,
            vocab_size=211,
            first_k_dense_replace=1,
            n_group=1,
            topk_group=1,
            q_lora_rank=16,
            kv_lora_rank=8,
        )
    )


@model
def qwen2moe():
    return tr.Qwen2MoeForCausalLM(
        tr.Qwen2MoeConfig(
            hidden_size=32,
            num_hidden_layers=3,
            num_attention_heads=4,
            num_key_value_heads=2,
            intermediate_size=64,
            moe_intermediate_size=16,
            shared_expert_intermediate_size=16,
            num_experts=4,
            num_experts_per_tok=2,
            vocab_size=211,
        )
    )


@model
def llava():
    return tr.LlavaForConditionalGeneration(
        tr.LlavaConfig(
            vision_config=tr.SiglipVisionConfig(
                hidden_size=32, num_hidden_layers=3, num_attention_heads=4, intermediate_size=64
            ),
            text_config=tr.LlamaConfig(**SMALL, num_key_value_heads=2),
        )
    )


@model
def vitgpt2():
    return tr.VisionEncoderDecoderModel(
        tr.VisionEncoderDecoderConfig.from_encoder_decoder_configs(
            tr.ViTConfig(
                hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=64
            ),
            tr.GPT2Config(n_embd=32, n_layer=2, n_head=4, vocab_size=211),
        )
    )


@model
def t5x():
    return tr.T5ForConditionalGeneration(
        tr.T5Config(
            d_model=32,
            num_layers=3,
            num_decoder_layers=2,
            d_ff=64,
            num_heads=4,
            d_kv=8,
            vocab_size=211,
        )
    )


@model
def unet2():
    m = nn.Module()
    m.text_encoder = tr.CLIPTextModel(
        tr.CLIPTextConfig(
            hidden_size=32,
            num_hidden_layers=2,
            num_attention_heads=4,
            intermediate_size=64,
            vocab_size=211,
        )
    )
    m.unet = unet()
    return m


def main():
    made = {}
    for name, build in MODELS.items():
        try:
            with torch.device("meta"):
                built = build()
        except (RuntimeError, NotImplementedError):  # what computes values while it is built
            built = build()
        report = grouper.check(built, grouper.parse("* -> all lr=1"))
        made[name] = json.loads(snapshot.dumps(report.inventory))
    text = json.dumps(made, separators=(",", ":"), sort_keys=True)
    path = Path(__file__).parent / "own_models.json.gz"
    path.write_bytes(gzip.compress(text.encode(), 9, mtime=0))


if __name__ == "__main__":
    main()
