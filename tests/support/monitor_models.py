"""Small trainings for the tests of the monitor, and the plain way to measure one step of them."""

import torch


def small(dtype=torch.float32):
    torch.manual_seed(0)
    layers = torch.nn.Linear(4, 8), torch.nn.ReLU(), torch.nn.Linear(8, 2)
    return torch.nn.Sequential(*layers).to(dtype)


def groups_of(model):
    """Its matrices and its vectors, named."""
    named = dict(model.named_parameters())
    return [
        {"name": "weight", "params": [(n, p) for n, p in named.items() if p.ndim == 2]},
        {"name": "bias", "params": [(n, p) for n, p in named.items() if p.ndim == 1], "lr": 0.2},
    ]


def loss_of(model, batch=16):
    dtype = next(model.parameters()).dtype
    return model(torch.randn(batch, 4, dtype=torch.float32).to(dtype)).abs().square().mean()


def step(model, optimizer):
    optimizer.zero_grad()
    loss_of(model).backward()
    optimizer.step()


def flat(tensors):
    """All values of tensors as one vector of doubles (or of complex doubles)."""
    vectors = [torch.as_tensor(t).detach().to_dense().flatten() for t in tensors]
    wide = torch.complex128 if any(v.is_complex() for v in vectors) else torch.float64
    return torch.cat([vector.to(wide) for vector in vectors])


def state_of(optimizer):
    """Copies of every group's weights and gradients, as they are now."""
    return [
        (
            [p.detach().clone() for p in group["params"]],
            [p.grad.detach().clone() for p in group["params"] if p.grad is not None],
        )
        for group in optimizer.param_groups
    ]


def plainly(before, group):
    """What a monitor should have measured of one group: before (see `state_of`) and after."""
    weights, gradients = before
    old, new = flat(weights), flat(group["params"])
    gradient = flat(gradients) if gradients else None
    return {
        "gradient_norm": None if gradient is None else gradient.norm().item(),
        "weight_norm": old.norm().item(),
        "update_ratio": ((new - old).norm() / old.norm()).item(),
        "zero_gradients": None if gradient is None else (gradient == 0).double().mean().item(),
    }
