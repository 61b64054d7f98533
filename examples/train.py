import grouper, torch

rules = grouper.parse("""
    optimizer SGD lr=0.1 momentum=0.9; warmup steps=20; schedule cosine
    2.* -> head; else *.weight -> body lr*=0.1 weight_decay=5e-4; else -> bias lr*=0.1
""")
model = torch.nn.Sequential(torch.nn.Linear(8, 64), torch.nn.ReLU(), torch.nn.Linear(64, 1))
optimizer, scheduler = grouper.build(model, rules, steps_per_epoch=10, epochs=20)
for x in torch.randn(200, 32, 8):
    loss = (model(x) - x.sum(1, keepdim=True)).square().mean()
    loss.backward()
    optimizer.step()
    optimizer.zero_grad()
    scheduler.step()
