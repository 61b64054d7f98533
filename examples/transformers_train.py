"""Transformers' Trainer by a rules file, on a CPU in less than a minute.

A small BERT learns to say whether a sequence holds more of its even symbols than of its odd ones.
It is stopped half-way and resumed from its checkpoint, as after a crash.
"""

import tempfile
from pathlib import Path

import torch
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    TrainerCallback,
    TrainingArguments,
    set_seed,
)

from grouper.integrations.transformers import trainer

RULES = Path(__file__).with_suffix(".rules")
LENGTH, SYMBOLS, TRAINED, UNSEEN = 15, 20, 4096, 1024


class Sequences(torch.utils.data.Dataset):
    def __init__(self, seed: int, count: int) -> None:
        generator = torch.Generator().manual_seed(seed)
        self.words = torch.randint(0, SYMBOLS, (count, LENGTH), generator=generator)
        self.labels = ((self.words % 2 == 0).sum(1) > LENGTH // 2).long()

    def __len__(self) -> int:
        return len(self.words)

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        return {"input_ids": self.words[index], "labels": self.labels[index]}


class StopAt(TrainerCallback):
    def __init__(self, step: int) -> None:
        self.step = step

    def on_step_end(self, args, state, control, **_):
        control.should_save = control.should_training_stop = state.global_step == self.step


def build():
    set_seed(0)
    config = BertConfig(
        vocab_size=SYMBOLS,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=64,
        max_position_embeddings=LENGTH,
    )
    return BertForSequenceClassification(config)


def right(model) -> float:
    """The share of unseen sequences that are told right."""
    data = Sequences(1, UNSEEN)
    with torch.no_grad():
        answers = model.eval()(data.words).logits.argmax(1)
    return (answers == data.labels).float().mean().item()


def main() -> None:
    Trainer = trainer(RULES)  # noqa: N806
    with tempfile.TemporaryDirectory() as folder:
        arguments = TrainingArguments(
            folder,
            per_device_train_batch_size=64,
            gradient_accumulation_steps=2,
            num_train_epochs=6,
            logging_steps=48,
            save_strategy="no",
            report_to=[],
            use_cpu=True,
            disable_tqdm=True,
        )
        data = Sequences(0, TRAINED)
        model = build()
        print(f"before: {right(model):.1%} of unseen sequences are told right")
        Trainer(model, arguments, train_dataset=data, callbacks=[StopAt(70)]).train()
        resumed = Trainer(build(), arguments, train_dataset=data)
        resumed.train(resume_from_checkpoint=True)
        print(f"stopped at step 70 and resumed, after {resumed.state.global_step} steps:")
        print(f"after: {right(resumed.model):.1%} of unseen sequences are told right")
    for name, values in resumed.plan.at(70).items():
        print(f"  lr of {name} at step 70: {values['lr']:.2g}")


if __name__ == "__main__":
    main()
