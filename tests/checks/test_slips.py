"""What counts as the same name but for a slip."""

import pytest

from grouper.checks.slips import is_slip


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("Pos_embed", "pos_embed"),
        ("posembed", "pos_embed"),
        ("layernorm", "LayerNorm"),
        ("LayeNorm", "LayerNorm"),
        ("bakcbone", "backbone"),
        ("backbonne", "backbone"),
        ("baokbone", "backbone"),
        ("lora_b", "lora_B"),
    ],
)
def test_slips(word, name):
    assert is_slip(word, name)


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("norm", "norm"),
        ("norm1", "norm2"),
        ("layer1", "layer"),
        ("embeds", "embed"),
        ("blocks", "block"),
        ("lora_A", "lora_B"),
        ("stem", "stam"),  # too short to say
        ("encoder", "decoder"),
        ("patch_embed", "pos_embed"),
    ],
)
def test_other_names(word, name):
    assert not is_slip(word, name)
