#!/usr/bin/env python3
"""Make optimizers.json: what PyTorch's optimizers make of a weight and a bias.

    pip install torch==2.15.0 numpy
    python3 optimizers.py
"""

import json
import math
from pathlib import Path

import torch

STEPS = 30
SHAPES = [(3, 4), (4,)]
# The class and what it is given beside the parameters; the names are those of the test.
OPTIMIZERS = {
    "adam": (torch.optim.Adam, {}),
    "adam, weight decay": (torch.optim.Adam, {"weight_decay": 0.1}),
    "adam, amsgrad": (torch.optim.Adam, {"amsgrad": True}),
    "adamw": (torch.optim.AdamW, {}),
    "adamw, amsgrad": (torch.optim.AdamW, {"amsgrad": True, "weight_decay": 0.1, "betas": (0.8, 0.95)}),
    "sgd": (torch.optim.SGD, {}),
    "sgd, momentum": (torch.optim.SGD, {"momentum": 0.9, "weight_decay": 0.1}),
    "sgd, dampening": (torch.optim.SGD, {"momentum": 0.9, "dampening": 0.5}),
    "sgd, nesterov": (torch.optim.SGD, {"momentum": 0.9, "nesterov": True}),
    "rms_prop": (torch.optim.RMSprop, {}),
    "rms_prop, momentum": (torch.optim.RMSprop, {"momentum": 0.9, "weight_decay": 0.1}),
    "rms_prop, centered": (torch.optim.RMSprop, {"centered": True}),
    "ada_grad": (torch.optim.Adagrad, {}),
    "ada_grad, lr decay": (torch.optim.Adagrad, {"lr_decay": 0.1, "weight_decay": 0.1}),
}


def numbers(shape, phase):
    count = math.prod(shape)
    values = [math.sin(phase + index) for index in range(count)]
    return torch.tensor(values).view(shape)


def trained(make, settings):
    parameters = [numbers(shape, 0.5).requires_grad_() for shape in SHAPES]
    optimizer = make(parameters, lr=0.1, **settings)
    for step in range(STEPS):
        for group in optimizer.param_groups:
            group["lr"] = 0.1 / (1 + step)
        for parameter in parameters:
            gradient = numbers(parameter.shape, 0.7 * step)
            parameter.grad = 0.5 * parameter.detach() + gradient
        optimizer.step()
    return [value for parameter in parameters for value in parameter.flatten().tolist()]


def main():
    optimizers = {name: trained(*optimizer) for name, optimizer in OPTIMIZERS.items()}
    golden = {"torch": torch.__version__, "optimizers": optimizers}
    path = Path(__file__).resolve().with_suffix(".json")
    path.write_text(json.dumps(golden, indent=1) + "\n")


if __name__ == "__main__":
    main()
