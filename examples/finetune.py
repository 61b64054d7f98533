"""Fine-tunes a classifier by rules: mixed precision, accumulated and clipped gradients, a monitor.

python examples/finetune.py         # stop it and run it again: it goes on from finetune.pt
grouper monitor finetune.jsonl
"""

import os
from pathlib import Path

import torch
from torch import nn

import grouper

RULES = Path(__file__).with_name("finetune.rules")
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
AMP = torch.float16 if DEVICE == "cuda" else torch.bfloat16
EPOCHS, BATCH, ACCUMULATE = 6, 16, 2


def main(folder=Path(), epochs=EPOCHS):
    torch.manual_seed(0)  # images of noise with a brighter quarter; which one it is is the class
    quarters = torch.eye(4).view(4, 2, 2).repeat_interleave(8, 1).repeat_interleave(8, 2)
    y = torch.arange(512) % 4
    x = 0.5 * (torch.randn(512, 3, 16, 16) + quarters[y, None])
    body = nn.Sequential(nn.Conv2d(3, 16, 4, 4), nn.BatchNorm2d(16), nn.ReLU(), nn.Flatten())
    model = nn.Sequential()
    model.body, model.head = body, nn.Linear(256, 4)  # the body's pretrained weights come here
    optimizer = grouper.build_optimizer(model.to(DEVICE), RULES)
    plan = grouper.plan(model, RULES, steps_per_epoch=len(x) // BATCH, epochs=epochs)
    scheduler = plan.scheduler(optimizer)
    scaler = torch.amp.GradScaler(DEVICE, enabled=AMP is torch.float16)
    monitor = grouper.Monitor(optimizer, plan, every=10, path=folder / "finetune.jsonl")
    parts, losses, last = [model, optimizer, scheduler, scaler, monitor], [], folder / "finetune.pt"
    if last.exists():
        *states, losses = torch.load(last, map_location=DEVICE)
        for part, state in zip(parts, states, strict=True):
            part.load_state_dict(state)
    for epoch in range(len(losses), epochs):
        order = torch.randperm(len(x), generator=torch.Generator().manual_seed(epoch))
        for number, batch in enumerate(order.split(BATCH), 1):
            with torch.autocast(DEVICE, AMP):
                loss = nn.functional.cross_entropy(model(x[batch].to(DEVICE)), y[batch].to(DEVICE))
            scaler.scale(loss / ACCUMULATE).backward()
            if number % ACCUMULATE == 0:
                scaler.unscale_(optimizer)
                nn.utils.clip_grad_norm_(model.parameters(), 1.0)
                scaler.step(optimizer)
                scaler.update()
                optimizer.zero_grad()
            scheduler.step()  # once a batch
        losses.append(loss.item())
        print(f"epoch {epoch + 1}: loss {losses[-1]:.4f}")
        torch.save([*(part.state_dict() for part in parts), losses], f"{last}.new")
        os.replace(f"{last}.new", last)  # a whole checkpoint always: this one, or the one before
    return losses


if __name__ == "__main__":
    main()
