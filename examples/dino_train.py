"""Self-distillation like DINO's in a loop of its own, on a CPU in less than a minute.

A student learns without labels to say of one noisy view of an image what a teacher says of another.
The teacher is the average of earlier students. The rules are for the student alone.
"""

import copy
from pathlib import Path

import torch
from torch import Tensor, nn

import grouper

EPOCHS, STEPS, BATCH, SIDE, OUT = 6, 50, 64, 16, 64


class Student(nn.Module):
    def __init__(self, width: int = 64) -> None:
        super().__init__()
        self.backbone = nn.Sequential(
            *(nn.Conv2d(3, 32, 4, 4), nn.GELU(), nn.Flatten()),
            *(nn.LayerNorm(512), nn.Linear(512, width)),
        )
        mlp = nn.Sequential(nn.Linear(width, width), nn.GELU())
        self.head = nn.ModuleDict({"mlp": mlp, "last": nn.Linear(width, OUT)})

    def forward(self, images: Tensor) -> Tensor:
        features = self.head["mlp"](self.backbone(images))
        return self.head["last"](nn.functional.normalize(features))


def scenes(generator: torch.Generator, count: int) -> tuple[Tensor, Tensor]:
    """Images of which one quarter is bright in one colour, and which of the twelve it is."""
    numbers = torch.randint(0, 12, (count,), generator=generator)
    images = torch.zeros(count, 3, SIDE, SIDE)
    half = slice(0, SIDE // 2), slice(SIDE // 2, SIDE)
    for image, number in zip(images, numbers.tolist(), strict=True):
        image[number % 3, half[number // 3 % 2], half[number // 6]] = 1
    return images, numbers


def view(images: Tensor, generator: torch.Generator) -> Tensor:
    return images + torch.randn(images.shape, generator=generator)


def right(model: Student) -> float:
    """The share of unseen images whose nearest neighbour among others is of the same kind."""
    generator = torch.Generator().manual_seed(1)
    images, numbers = scenes(generator, 1024)
    with torch.no_grad():
        features = nn.functional.normalize(model.backbone(view(images, generator)))
    nearest = (features[:512] @ features[512:].T).argmax(1)
    return (numbers[512:][nearest] == numbers[:512]).float().mean().item()


def main() -> None:
    torch.manual_seed(0)
    student = Student()
    teacher = copy.deepcopy(student).requires_grad_(False)
    rules = grouper.load(Path(__file__).with_suffix(".rules"))
    optimizer, scheduler = grouper.build(student, rules, steps_per_epoch=STEPS, epochs=EPOCHS)
    print(f"before: {right(teacher):.1%} of unseen images have a nearest neighbour of their kind")
    generator, center = torch.Generator().manual_seed(0), torch.zeros(OUT)
    for _ in range(EPOCHS * STEPS):
        images, _ = scenes(generator, BATCH)
        views = view(images, generator), view(images, generator)
        with torch.no_grad():
            said = [teacher(one) for one in views]
            targets = [((out - center) / 0.05).softmax(-1) for out in said]
            center = 0.9 * center + 0.1 * torch.cat(said).mean(0)
        outputs = [(student(one) / 0.1).log_softmax(-1) for one in views]
        loss = -(targets[0] * outputs[1] + targets[1] * outputs[0]).sum(-1).mean() / 2
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()
        with torch.no_grad():
            for slow, fast in zip(teacher.parameters(), student.parameters(), strict=True):
                slow.lerp_(fast, 0.02)
    print(f"after {EPOCHS * STEPS} steps: {right(teacher):.1%} of unseen images have one")
    for group in optimizer.param_groups:
        print(f"  {group['name']}: lr {group['lr']:.2g}, weight decay {group['weight_decay']:.2g}")


if __name__ == "__main__":
    main()
