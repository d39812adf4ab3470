"""Writes hyperparameters.json: PyTorch's optimizers under schedules of momentum, beta 2 and weight decay.

    pip install torch==2.15.0 numpy
    python hyperparameters.py

Two parameters are updated 100 times, in double precision, by gradients that depend on the update alone. The second one
has none in every third update. A case has the optimizer and the schedules as documents, and the weights after
some updates. Momentum is cycled by OneCycleLR and CyclicLR themselves; what else is scheduled is set in the
optimizer's parameter group before every update, as PyTorch's users do.
"""

import json
import math
from pathlib import Path

import torch
from torch.optim import lr_scheduler

HERE = Path(__file__).parent
UPDATES = 100
STORED = [1, 2, 3, 10, 50, 100]
FIRST, SECOND = [0.5, -0.25, 1.5, 0.0], [-1.0, 0.75]


def gradient(update, index):
    """Also hyperparameters.rs computes it."""
    return math.sin(0.7 * update + index) + 0.3


def weights(make, schedule, scheduled):
    first, second = (torch.tensor(values, dtype=torch.float64, requires_grad=True) for values in (FIRST, SECOND))
    optimizer = make([first, second])
    scheduler = schedule(optimizer)
    stored = []
    for update in range(UPDATES):
        group = optimizer.param_groups[0]
        for name, value in scheduled.items():
            if name == "beta_2":
                group["betas"] = (group["betas"][0], value(update))
            else:
                group[name] = value(update)
        first.grad = torch.tensor([gradient(update, i) for i in range(4)], dtype=torch.float64)
        second.grad = None
        if update % 3 != 2:
            second.grad = torch.tensor([gradient(update, 4 + i) for i in range(2)], dtype=torch.float64)
        optimizer.step()
        scheduler.step()
        if update + 1 in STORED:
            stored.append(first.tolist() + second.tolist())
    return stored


def linear(start, end):
    """LinearLr of `initial_lr` `end`, over all updates but the last."""
    return lambda update: start + (end - start) * update / (UPDATES - 1)


OPTIMIZERS = {
    "sgd": (
        {"Sgd": {"weight_decay": None, "momentum": {"momentum": 0.9, "dampening": 0.0, "nesterov": False},
                 "gradient_clipping": None}},
        lambda params: torch.optim.SGD(params, lr=0.1, momentum=0.9),
    ),
    "nesterov": (
        {"Sgd": {"weight_decay": {"penalty": 0.01}, "momentum": {"momentum": 0.9, "dampening": 0.0, "nesterov": True},
                 "gradient_clipping": None}},
        lambda params: torch.optim.SGD(params, lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.01),
    ),
    "adam": (
        {"Adam": {"beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-8, "amsgrad": False, "weight_decay": None,
                  "grad_clipping": None}},
        lambda params: torch.optim.Adam(params, lr=0.1),
    ),
    "adam with decay": (
        {"Adam": {"beta_1": 0.9, "beta_2": 0.99, "epsilon": 1e-3, "amsgrad": False, "weight_decay": {"penalty": 0.1},
                  "grad_clipping": None}},
        lambda params: torch.optim.Adam(params, lr=0.1, betas=(0.9, 0.99), eps=1e-3, weight_decay=0.1),
    ),
    "adamw": (
        {"AdamW": {"beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-8, "weight_decay": 0.01,
                   "cautious_weight_decay": False, "amsgrad": False, "grad_clipping": None}},
        lambda params: torch.optim.AdamW(params, lr=0.1),
    ),
    "rms_prop": (
        {"RmsProp": {"alpha": 0.99, "momentum": 0.5, "epsilon": 1e-8, "centered": False, "weight_decay": None,
                     "grad_clipping": None}},
        lambda params: torch.optim.RMSprop(params, lr=0.1, momentum=0.5),
    ),
}
ONE_CYCLE = (
    {"OneCycleLr": {"max_lr": 0.05, "total_steps": UPDATES + 1}},
    lambda o: lr_scheduler.OneCycleLR(o, max_lr=0.05, total_steps=UPDATES + 1),
)
CYCLIC = (
    {"CyclicLr": {"base_lr": 0.001, "max_lr": 0.02, "step_size_up": 7, "mode": "triangular2", "base_momentum": 0.5}},
    lambda o: lr_scheduler.CyclicLR(o, 0.001, 0.02, step_size_up=7, mode="triangular2", base_momentum=0.5),
)
CONSTANT = ({"Constant": {"lr": 0.02}}, lambda o: lr_scheduler.LambdaLR(o, lambda _: 0.2))


def scheduled(name, start, end):
    document = {"LinearLr": {"initial_lr": end, "start_factor": start / end, "total_iters": UPDATES - 1}}
    return {name: document}, {name: linear(start, end)}


def cases():
    for optimizer, schedule, (documents, values) in [
        ("sgd", ONE_CYCLE, ({}, {})),
        ("nesterov", ONE_CYCLE, ({}, {})),
        ("nesterov", CYCLIC, ({}, {})),
        ("adam", ONE_CYCLE, ({}, {})),
        ("adam", CYCLIC, ({}, {})),
        ("adam with decay", ONE_CYCLE, ({}, {})),
        ("adamw", ONE_CYCLE, ({}, {})),
        ("rms_prop", CYCLIC, ({}, {})),
        ("sgd", CONSTANT, scheduled("momentum", 0.1, 0.95)),
        ("nesterov", CONSTANT, scheduled("weight_decay", 0.0, 0.5)),
        ("adam", CONSTANT, scheduled("beta_2", 0.9, 0.999)),
        ("adamw", CONSTANT, scheduled("beta_2", 0.9, 0.999)),
        ("adamw", CONSTANT, scheduled("weight_decay", 0.04, 0.4)),
        ("adamw", ONE_CYCLE, scheduled("weight_decay", 0.0, 0.4)),
        ("adam with decay", CONSTANT, scheduled("weight_decay", 0.4, 0.1)),
    ]:
        document, make = OPTIMIZERS[optimizer]
        yield {
            "optimizer": document,
            "schedule": schedule[0],
            "scheduled": documents,
            "weights": weights(make, schedule[1], values),
        }


def main():
    golden = {"torch": torch.__version__, "stored": STORED, "cases": list(cases())}
    (HERE / "hyperparameters.json").write_text(json.dumps(golden) + "\n")


main()
