#!/usr/bin/env python3
"""Make averages.json: what PyTorch's and timm's averages of a model's weights are after 300 updates.

    pip install torch==2.15.0 timm==1.0.31 numpy
    python3 averages.py
"""

import importlib.util
import json
import math
from pathlib import Path

import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn, update_bn

UPDATES = 300
BATCHES, BATCH = 5, 8


def model_ema():
    """timm's module alone: the package wants torchvision too."""
    package = importlib.util.find_spec("timm").submodule_search_locations[0]
    spec = importlib.util.spec_from_file_location("model_ema", Path(package) / "utils/model_ema.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.ModelEmaV3


ModelEmaV3 = model_ema()


def numbers(shape, phase):
    values = [math.sin(phase + index) for index in range(math.prod(shape))]
    return torch.tensor(values).view(shape)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.BatchNorm1d(4)
        self.linear = nn.Linear(4, 3)
        self.second = nn.BatchNorm1d(3, momentum=0.01)

    def forward(self, x):
        return self.second(torch.tanh(self.linear(self.first(x))))

    @torch.no_grad()
    def walk(self, update):
        """Weights and statistics that wander, as a run's do."""
        for parameter in self.parameters():
            parameter.copy_(numbers(parameter.shape, 0.5 + 0.01 * update))
        for norm in [self.first, self.second]:
            norm.running_mean.copy_(numbers(norm.running_mean.shape, 0.7 + 0.02 * update))
            norm.running_var.copy_(numbers(norm.running_var.shape, 0.3 + 0.02 * update) + 2)

    def values(self):
        """In the order in which Burn visits them."""
        values = []
        for norm in [self.first, self.second]:
            if norm is self.second:
                # Burn's weight is the transpose.
                values += [self.linear.weight.T, self.linear.bias]
            values += [norm.weight, norm.bias, norm.running_mean, norm.running_var]
        return [number for value in values for number in value.flatten().tolist()]


def averaged(make, update):
    net = Net()
    net.walk(0)
    average = make(net)
    for number in range(1, UPDATES + 1):
        net.walk(number)
        update(average, net, number)
    return average.module


def of_pytorch(function=None, use_buffers=True):
    module = averaged(
        lambda net: AveragedModel(net, multi_avg_fn=function, use_buffers=use_buffers),
        lambda average, net, _: average.update_parameters(net),
    )
    return module.values()


def of_timm(**settings):
    module = averaged(
        lambda net: ModelEmaV3(net, **settings),
        lambda average, net, number: average.update(net, step=number),
    )
    return module.values()


def recomputed():
    net = Net()
    net.walk(7)
    batches = [numbers((BATCH, 4), 1.3 * batch) * (batch + 1) for batch in range(BATCHES)]
    update_bn(batches, net)
    with torch.no_grad():
        for norm in [net.first, net.second]:
            # Burn keeps the variance over `n`, not over `n - 1`.
            norm.running_var.mul_((BATCH - 1) / BATCH)
    return net.values()


def main():
    averages = {
        "ema 0.99": of_pytorch(get_ema_multi_avg_fn(0.99)),
        "ema 0.999, statistics copied": of_pytorch(get_ema_multi_avg_fn(0.999), use_buffers=False),
        "equal": of_pytorch(),
        "equal, statistics copied": of_pytorch(use_buffers=False),
        "ema 0.98, warmup 1, 2/3": of_timm(decay=0.98, use_warmup=True),
        "ema 0.9, warmup 5, 0.75, after 20": of_timm(
            decay=0.9, use_warmup=True, warmup_gamma=5.0, warmup_power=0.75, update_after_step=20
        ),
        "recomputed": recomputed(),
    }
    golden = {"torch": torch.__version__, "timm": "1.0.31", "averages": averages}
    path = Path(__file__).resolve().with_suffix(".json")
    path.write_text(json.dumps(golden, indent=1) + "\n")


if __name__ == "__main__":
    main()
