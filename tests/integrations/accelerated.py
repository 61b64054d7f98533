"""A run of Accelerate on several processes, or on one with their batches together.

Called as `accelerated.py WAY FOLDER`, where WAY is `ddp`, `fsdp2` or `trainer` (Transformers').
"""

import json
import os
import sys
from pathlib import Path

import torch
from support.torchvision_stub import define_operators

define_operators()

from accelerate import (  # noqa: E402
    Accelerator,
    DataLoaderConfiguration,
    FullyShardedDataParallelPlugin,
)
from torch import nn  # noqa: E402

import grouper  # noqa: E402
from grouper.integrations.accelerate import steps  # noqa: E402

RULES = """
optimizer AdamW lr=1e-2
warmup steps=4
schedule linear final=0.1
else *.bias -> bias weight_decay=0
else 0.* -> stem lr*=0.5
else -> weight
"""
EPOCHS, ACCUMULATE, BATCH, COUNT = 2, 2, 4, 40


def small():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 2))


def data():
    generator = torch.Generator().manual_seed(1)
    return torch.randn(COUNT, 4, generator=generator)


def accelerator_of(way):
    plugin = None
    if way == "fsdp2":
        plugin = FullyShardedDataParallelPlugin(
            fsdp_version=2, auto_wrap_policy="size_based_wrap", min_num_params=1
        )
    return Accelerator(
        cpu=True,
        gradient_accumulation_steps=ACCUMULATE,
        fsdp_plugin=plugin,
        dataloader_config=DataLoaderConfiguration(split_batches=True),
    )


def train(way):
    accelerator, model = accelerator_of(way), small()
    loader = torch.utils.data.DataLoader(data(), batch_size=BATCH)
    length = steps(loader, ACCUMULATE, EPOCHS, split_batches=True)
    optimizer, scheduler = grouper.build(model, grouper.parse(RULES), steps=length)
    model, optimizer, loader, scheduler = accelerator.prepare(model, optimizer, loader, scheduler)
    assert length == steps(loader, ACCUMULATE, EPOCHS)
    for _ in range(EPOCHS):
        for batch in loader:
            with accelerator.accumulate(model):
                accelerator.backward(model(batch).square().mean())
                optimizer.step()
                scheduler.step()
                optimizer.zero_grad()
    groups = {g["name"]: (g["lr"], g["param_names"]) for g in optimizer.param_groups}
    state = accelerator.get_state_dict(model)
    return groups, state, scheduler.scheduler.last_epoch == length


def train_by_trainer(folder):
    from transformers import PretrainedConfig, PreTrainedModel, TrainingArguments

    from grouper.integrations.transformers import trainer

    class Net(PreTrainedModel):
        config_class = PretrainedConfig

        def __init__(self, config):
            super().__init__(config)
            self.body = small()

        def forward(self, x):
            return {"loss": self.body(x).square().mean()}

    processes = int(os.environ.get("WORLD_SIZE", 1))
    arguments = TrainingArguments(
        str(folder), per_device_train_batch_size=BATCH // processes,
        gradient_accumulation_steps=ACCUMULATE, num_train_epochs=EPOCHS, use_cpu=True,
        report_to=[], save_strategy="no", disable_tqdm=True, remove_unused_columns=False,
    )  # fmt: skip
    rules = grouper.parse(RULES.replace("0.*", "body.0.*"))
    made = trainer(rules)(
        Net(PretrainedConfig()), arguments, train_dataset=[{"x": each} for each in data()]
    )
    made._get_train_sampler = lambda *_: torch.utils.data.SequentialSampler(range(COUNT))
    made.train()
    groups = {g["name"]: (g["lr"], g["param_names"]) for g in made.optimizer.param_groups}
    return groups, made.model.body.state_dict(), made.plan.steps == made.state.global_step


def main(way, folder):
    made = train_by_trainer(folder) if way == "trainer" else train(way)
    groups, state, ended = made
    rank = torch.distributed.get_rank() if torch.distributed.is_initialized() else 0
    path = Path(folder) / f"{way}{rank}"
    path.with_suffix(".json").write_text(json.dumps([groups, ended]))
    full = {k: v.full_tensor() if hasattr(v, "full_tensor") else v for k, v in state.items()}
    torch.save({k: v.detach().clone() for k, v in full.items()}, path.with_suffix(".pt"))


if __name__ == "__main__":
    main(*sys.argv[1:])
