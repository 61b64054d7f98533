"""axolotl by a rules file, on a CPU in less than a minute.

axolotl's own training, by the configuration beside this file, teaches a small Llama which word
follows which. Half-way a checkpoint is saved, and a second run goes on from there, as after a
crash.
"""

import json
import os
import random
import shutil
import tempfile
from pathlib import Path

import torch
from axolotl.cli.args import TrainerCliArgs
from axolotl.cli.config import load_cfg
from axolotl.cli.train import do_train
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import (
    AutoModelForCausalLM,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedTokenizerFast,
    set_seed,
)

HERE = Path(__file__)
MARKS = ["<pad>", "<s>", "</s>", "<unk>"]
WORDS, LENGTH, TEXTS, EVERY = 40, 16, 2000, 4


def text(pick: random.Random) -> list[int]:
    """Numbers of words: each is the one before and seven, but every fourth is any."""
    numbers: list[int] = []
    for place in range(LENGTH):
        starts = place % EVERY == 0
        numbers.append(pick.randrange(WORDS) if starts else (numbers[-1] + 7) % WORDS)
    return numbers


def make_model_and_texts() -> None:
    words = {word: n for n, word in enumerate([*MARKS, *(f"w{n}" for n in range(WORDS))])}
    tokenizer = Tokenizer(models.WordLevel(words, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        **dict(zip(("pad_token", "bos_token", "eos_token", "unk_token"), MARKS, strict=True)),
    ).save_pretrained("small")
    set_seed(0)
    config = LlamaConfig(
        vocab_size=len(words),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=64,
        pad_token_id=0,
    )
    LlamaForCausalLM(config).save_pretrained("small")
    pick = random.Random(0)
    lines = [" ".join(f"w{n}" for n in text(pick)) for _ in range(TEXTS)]
    Path("texts.jsonl").write_text("".join(json.dumps({"text": line}) + "\n" for line in lines))


def right(folder: str) -> float:
    """The share of the words of unseen texts that a saved model predicts right, chance aside."""
    model, pick = AutoModelForCausalLM.from_pretrained(folder), random.Random(1)
    numbers = torch.tensor([text(pick) for _ in range(256)]) + len(MARKS)
    with torch.no_grad():
        predicted = model(numbers).logits.argmax(-1)
    told = [place for place in range(1, LENGTH) if place % EVERY]
    same = predicted[:, [place - 1 for place in told]] == numbers[:, told]
    return same.float().mean().item()


def train(**changes) -> None:
    do_train(load_cfg("axolotl_train.yml", **changes), TrainerCliArgs())


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        for end in (".yml", ".rules"):
            shutil.copy(HERE.with_suffix(end), folder)
        os.chdir(folder)
        make_model_and_texts()
        print(f"before: {right('small'):.1%} of unseen words are predicted right")
        train()
        print(f"after: {right('run'):.1%} of unseen words are predicted right")
        train(output_dir="resumed", resume_from_checkpoint="run/checkpoint-40")
        weights = AutoModelForCausalLM.from_pretrained("run").state_dict()
        resumed = AutoModelForCausalLM.from_pretrained("resumed").state_dict()
        same = all(torch.equal(weights[name], resumed[name]) for name in weights)
        print(f"stopped at step 40 and resumed, the weights are {'the same' if same else 'others'}")
        state = torch.load("run/checkpoint-40/optimizer.pt", weights_only=True)
        for group in state["param_groups"]:
            print(f"  {group['name']} at step 40: lr {group['lr']:.2g}")
        os.chdir(HERE.parent)


if __name__ == "__main__":
    main()
