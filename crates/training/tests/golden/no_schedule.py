"""Writes no_schedule.json: what schedulefree's and prodigyopt's optimizers make of a small network.

    pip install torch==2.15.0 schedulefree==1.4.1 prodigyopt==1.1.2
    python no_schedule.py

A network of 4, 8 and 3 units with tanh between, its weights and the eight batches of 32, which are taken
in turn, given by a formula and rounded to `f32`; all else is computed in `float64`. A case has the settings,
the name of its rates, which are given for all 300 updates, and at some updates the weights that are trained
on (`y`), those that are evaluated (`x`; equal for Prodigy), the loss of the update's batch before it, and
Prodigy's `d` after it. `single` says how far from that the packages are in `float32`. In cases with
`skipped`, the biases of the first layer have no gradient in these updates.
"""

import json
import math
from pathlib import Path

import prodigyopt
import schedulefree
import torch

HERE = Path(__file__).parent
UPDATES = 300
STORED = [1, 2, 20, 100, 300]
BATCHES, BATCH = 8, 32


def f32(values):
    return torch.tensor(values, dtype=torch.float64).float().double()


def network(dtype):
    def drawn(shape, offset, scale):
        count = math.prod(shape)
        values = [math.sin(12.9898 * (i + 1 + offset)) * scale for i in range(count)]
        return torch.nn.Parameter(f32(values).reshape(shape).to(dtype))

    return [
        drawn([4, 8], 0, 0.5),
        drawn([8], 50, 0.1),
        drawn([8, 3], 100, 0.35),
        drawn([3], 200, 0.1),
    ]


def batch(number):
    size = BATCH * 4
    x = f32([math.sin(78.233 * (number * size + i + 1)) for i in range(size)])
    x = x.reshape(BATCH, 4)
    y = [x[:, 0] * x[:, 1], x[:, 2] * x[:, 2], x[:, 3] - x[:, 0]]
    return x, torch.stack(y, 1)


def loss(params, number):
    x, y = (of.to(params[0].dtype) for of in batch(number % BATCHES))
    output = torch.tanh(x @ params[0] + params[1]) @ params[2] + params[3]
    return ((output - y) ** 2).mean()


RATES = {
    "constant": [1.0] * UPDATES,
    "cosine": [0.5 * (1 + math.cos(math.pi * t / UPDATES)) for t in range(UPDATES)],
    "warmup": [min(1.0, t / 20) for t in range(UPDATES)],
    "waves": [1 + 0.5 * math.sin(t / 10) for t in range(UPDATES)],
}


def flat(params):
    return [float(f"{v:.15g}") for p in params for v in p.detach().flatten().tolist()]


def points(make, settings, lr, rates, skipped, dtype):
    params = network(dtype)
    optimizer = make(params, **settings)
    averages = hasattr(optimizer, "eval")
    found = []
    for t in range(UPDATES):
        if averages:
            optimizer.train()
        for group in optimizer.param_groups:
            # The packages refuse a rate of 0 when they are made, not later.
            group["lr"] = lr * RATES[rates][t]
        optimizer.zero_grad()
        value = loss(params, t)
        value.backward()
        if skipped and skipped[0] <= t < skipped[1]:
            params[1].grad = None
        optimizer.step()
        if t + 1 in STORED:
            point = {"update": t + 1, "loss": value.item(), "y": flat(params)}
            if averages:
                optimizer.eval()
                point["x"] = flat(params)
            else:
                point["d"] = optimizer.param_groups[0]["d"]
            found.append(point)
    return found


def apart(one, other):
    """How far apart losses, weights, evaluated weights and d are at most; weights relative in the 2-norm."""

    def weights(name):
        pairs = [(a.get(name, []), b.get(name, [])) for a, b in zip(one, other)]
        pairs = [(a, b) for a, b in pairs if b]
        return max([math.dist(a, b) / math.hypot(*b) for a, b in pairs], default=0)

    return [
        max(abs(a["loss"] - b["loss"]) for a, b in zip(one, other)),
        weights("y"),
        weights("x"),
        max(abs(a["d"] / b["d"] - 1) if "d" in b else 0 for a, b in zip(one, other)),
    ]


def run(name, make, settings, lr=1.0, rates="constant", skipped=None):
    double = points(make, settings, lr, rates, skipped, torch.float64)
    single = points(make, settings, lr, rates, skipped, torch.float32)
    settings = {
        key: list(value) if isinstance(value, tuple) else value for key, value in settings.items()
    }
    return {
        "optimizer": name,
        "settings": settings,
        "lr": lr,
        "rates": rates,
        "skipped": skipped,
        "single": apart(single, double),
        "points": double,
    }


def sgd(lr, rates="constant", **settings):
    return run("ScheduleFreeSgd", schedulefree.SGDScheduleFree, settings, lr, rates)


def adamw(lr, rates="constant", **settings):
    return run("ScheduleFreeAdamW", schedulefree.AdamWScheduleFree, settings, lr, rates)


def prodigy(rates="constant", skipped=None, **settings):
    return run("Prodigy", prodigyopt.Prodigy, settings, 1.0, rates, skipped)


cases = [
    sgd(0.5),
    sgd(0.5, momentum=0.95, warmup_steps=30),
    sgd(0.5, momentum=0.7, weight_decay=0.01, r=1.0),
    sgd(0.5, rates="waves", warmup_steps=10, weight_lr_power=1.0),
    sgd(0.5, rates="warmup", weight_lr_power=0.0, r=0.5),
    adamw(0.01),
    adamw(0.01, warmup_steps=50, weight_decay=0.05),
    adamw(0.003, betas=(0.95, 0.99), r=2.0, eps=1e-6),
    adamw(0.01, rates="waves", weight_lr_power=1.0, weight_decay=0.1),
    adamw(0.003, rates="cosine", betas=(0.8, 0.9)),
    adamw(0.01, rates="warmup"),
    prodigy(),
    prodigy(rates="cosine", d_coef=0.3, d0=1e-5),
    prodigy(weight_decay=0.01, use_bias_correction=True, d_coef=0.3, rates="cosine"),
    prodigy(weight_decay=0.01, decouple=False, safeguard_warmup=True, growth_rate=1.02),
    prodigy(rates="warmup", safeguard_warmup=True, d_coef=0.3, eps=1e-6),
    prodigy(rates="warmup", d_coef=0.1),
    prodigy(betas=(0.8, 0.99), beta3=0.9, d_coef=0.3, rates="cosine"),
    prodigy(betas=(0.0, 0.99), weight_decay=0.1, d_coef=0.1, rates="cosine"),
    prodigy(rates="cosine", d_coef=0.3, skipped=[5, 40]),
]
golden = {
    "torch": torch.__version__,
    "schedulefree": "1.4.1",
    "prodigyopt": "1.1.2",
    "rates": RATES,
    "cases": cases,
}
text = json.dumps(golden, separators=(",", ":"))
(HERE / "no_schedule.json").write_text(text + "\n")
