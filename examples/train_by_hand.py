import math, torch

model = torch.nn.Sequential(torch.nn.Linear(8, 64), torch.nn.ReLU(), torch.nn.Linear(64, 1))
head, rest, biases = [], [], []
for name, p in model.named_parameters():
    if name.startswith("2."):
        head.append(p)
    else:  # `gamma`, `pos_embed` and the like are decayed, silently
        (biases if name.endswith("bias") else rest).append(p)
groups = [{"params": head, "lr": 0.1}, {"params": rest, "weight_decay": 5e-4}, {"params": biases}]
optimizer = torch.optim.SGD(groups, lr=0.01, momentum=0.9)
factor = lambda i: min(i / 20, 1) * (1 + math.cos(math.pi * (i // 10) / 20)) / 2
scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, factor)
for x in torch.randn(200, 32, 8):
    loss = (model(x) - x.sum(1, keepdim=True)).square().mean()
    loss.backward()
    optimizer.step()
    optimizer.zero_grad()
    scheduler.step()
