"""timm by a rules file, in the order of its training script, on a CPU in less than a minute.

A small vision transformer learns which colour of a noisy image is a little brighter.
"""

import argparse
from pathlib import Path

import timm
import torch
from torch import nn

from grouper.integrations.timm import create_optimizer, create_scheduler

SIDE = 32


def images(seed: int, count: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Noise of which one colour is a little brighter, and that colour: 0 to 2."""
    generator = torch.Generator().manual_seed(seed)
    noise = torch.randn(count, 3, SIDE, SIDE, generator=generator)
    colors = torch.randint(0, 3, (count,), generator=generator)
    noise[torch.arange(count), colors] += 0.3
    return noise, colors


def right(model: nn.Module) -> float:
    """The share of unseen images that are told right."""
    inputs, colors = images(1, 512)
    with torch.no_grad():
        return (model.eval()(inputs).argmax(1) == colors).float().mean().item()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rules", default=str(Path(__file__).with_suffix(".rules")))
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--batch-size", type=int, default=32)
    args = parser.parse_args()

    torch.manual_seed(0)
    model = timm.create_model("test_vit", num_classes=3, img_size=SIDE, depth=2)
    inputs, colors = images(0, 1024)
    batches = list(zip(inputs.split(args.batch_size), colors.split(args.batch_size), strict=True))
    optimizer = create_optimizer(args, model)
    lr_scheduler, num_epochs = create_scheduler(args, optimizer, len(batches))
    print(f"before: {right(model):.1%} of unseen images are told right")
    for epoch in range(num_epochs):
        model.train()
        for update, (x, y) in enumerate(batches, epoch * len(batches) + 1):
            loss = nn.functional.cross_entropy(model(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            lr_scheduler.step_update(num_updates=update)
        lr_scheduler.step(epoch + 1)
    print(f"after {update} updates: {right(model):.1%} of unseen images are told right")
    for group in optimizer.param_groups:
        print(f"  {group['name']}: lr {group['initial_lr']:.2g}, {len(group['params'])} tensors")


if __name__ == "__main__":
    main()
