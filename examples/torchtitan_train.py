"""torchtitan by a rules file, on a CPU in less than a minute.

Its own Trainer teaches two layers of its Llama to say a sequence of random numbers again. Half-way
a checkpoint is saved, and a second run goes on from there, as after a crash.
"""

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import torch
import torch.distributed

# torchtitan 0.3 wants an accelerator, and torch newer than 2.13: what it asks of them is added.
if not torch.accelerator.is_available():
    torch._utils._get_available_device_type = lambda: "cpu"
    torch.cpu.current_device = lambda: 0
    torch.cpu.get_device_name = lambda device: "CPU"
    torch.cpu.get_device_properties = lambda device: SimpleNamespace(total_memory=2**30)
    torch.cpu.memory_stats = lambda device: {}
    torch.cpu.empty_cache = torch.cpu.reset_peak_memory_stats = lambda: None
if not hasattr(torch.distributed, "set_timeout"):
    torch.distributed.set_timeout = lambda timeout, group: None

from torch.utils.data import IterableDataset
from torchtitan.components.checkpoint import CheckpointManager
from torchtitan.components.dataloader import ParallelAwareDataloader
from torchtitan.components.loss import IGNORE_INDEX, CrossEntropyLoss
from torchtitan.components.tokenizer import BaseTokenizer
from torchtitan.config import DebugConfig, ParallelismConfig, TrainingConfig
from torchtitan.models.common.attention import ScaledDotProductAttention
from torchtitan.models.llama3 import model_registry
from torchtitan.trainer import Trainer

from grouper.integrations.torchtitan import optimizers, schedulers

RULES = Path(__file__).with_suffix(".rules")
NUMBERS, LENGTH, STEPS, HALF = 32, 8, 100, 50


class Repeated(IterableDataset):
    """Random numbers and the same again; those of the second half are to be predicted."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def __iter__(self):
        while True:
            generator = torch.Generator().manual_seed(self.seed)
            self.seed += 1
            numbers = torch.randint(0, NUMBERS, (LENGTH,), generator=generator).repeat(2)
            following = torch.full_like(numbers, IGNORE_INDEX)
            following[LENGTH - 1 : -1] = numbers[LENGTH:]
            yield {"input": numbers}, following

    def state_dict(self):
        return {"seed": self.seed}

    def load_state_dict(self, state):
        self.seed = state["seed"]


class Loader(ParallelAwareDataloader):
    @dataclass(kw_only=True, slots=True)
    class Config(ParallelAwareDataloader.Config):
        pass

    def __init__(self, config, *, dp_rank, dp_world_size, local_batch_size, **_) -> None:
        data = Repeated(10**6 * (dp_rank + 1))
        super().__init__(data, dp_rank, dp_world_size, batch_size=local_batch_size)


class NoTokenizer(BaseTokenizer):
    @dataclass(kw_only=True, slots=True)
    class Config(BaseTokenizer.Config):
        pass

    def __init__(self, config, **_) -> None:
        super().__init__()

    def encode(self, *_):
        raise NotImplementedError("the numbers are the tokens")

    decode = get_vocab_size = encode


def small_llama():
    spec = model_registry("debugmodel")
    model = spec.model
    model.vocab_size = model.tok_embeddings.num_embeddings = model.lm_head.out_features = NUMBERS
    del model.layers[2:]
    for layer in model.layers:
        layer.attention.inner_attention = ScaledDotProductAttention.Config()
    return spec


def configuration(folder: str, load_step: int = -1) -> Trainer.Config:
    return Trainer.Config(
        model_spec=small_llama(),
        loss=CrossEntropyLoss.Config(),
        tokenizer=NoTokenizer.Config(),
        dataloader=Loader.Config(),
        optimizer=optimizers(str(RULES)),
        lr_scheduler=schedulers(),
        training=TrainingConfig(
            local_batch_size=16,
            seq_len=2 * LENGTH,
            steps=STEPS,
            mixed_precision_param="float32",
            disable_cuda_graphs=True,
        ),
        parallelism=ParallelismConfig(spmd_backend="partial_dtensor"),  # the others need its torch
        checkpoint=CheckpointManager.Config(
            enable=True, interval=HALF, load_step=load_step, last_save_model_only=False
        ),
        debug=DebugConfig(seed=0),
        dump_folder=folder,
    )


def right(model: torch.nn.Module) -> float:
    """The share of the numbers of unseen sequences that are predicted right."""
    data = iter(Repeated(0))
    pairs = [next(data) for _ in range(256)]
    numbers = torch.stack([given["input"] for given, _ in pairs])
    following = torch.stack([wanted for _, wanted in pairs])
    device = next(model.parameters()).device
    with torch.no_grad():
        predicted = model(numbers.to(device)).argmax(-1).cpu()
    return (predicted == following)[following != IGNORE_INDEX].float().mean().item()


def trained(config: Trainer.Config) -> tuple[list[torch.Tensor], dict[str, float]]:
    """The weights after a run, and the lr of each group."""
    run = config.build()
    (model,) = run.model_parts
    if config.checkpoint.load_step < 0:
        print(f"before: {right(model):.1%} of unseen numbers are predicted right")
    run.train()
    weights = [parameter.full_tensor() for parameter in model.parameters()]
    print(f"after {run.step} steps: {right(model):.1%} of unseen numbers are predicted right")
    run.close()
    torch.distributed.destroy_process_group()
    return weights, run.lr_schedulers.get_metrics()


def main() -> None:
    os.environ |= {"RANK": "0", "WORLD_SIZE": "1", "LOCAL_RANK": "0"}  # as torchrun would
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "29511"}
    with tempfile.TemporaryDirectory() as folder:
        weights, rates = trained(configuration(folder))
        resumed, _ = trained(configuration(folder, load_step=HALF))
    same = all(map(torch.equal, weights, resumed))
    print(f"resumed at step {HALF}, the weights are {'the same' if same else 'others'}")
    for name, rate in rates.items():
        print(f"  {name} at the end: {rate:.2g}")


if __name__ == "__main__":
    main()
