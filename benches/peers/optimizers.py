"""Times one update of PyTorch's fused optimizers on the experiment's network, for `cargo bench --bench training -- optimizer`.

    python optimizers.py [--updates N]

Prints microseconds for each, the median of N updates with other gradients each. SGD has Nesterov's momentum.
"""

import argparse
import time

import torch

SHAPES = [(128, 784), (128,), (10, 128), (10,)]
OPTIMIZERS = {
    "Adam": lambda params: torch.optim.Adam(params, lr=0.001, fused=True),
    "AdamW": lambda params: torch.optim.AdamW(params, lr=0.001, fused=True),
    "SGD": lambda params: torch.optim.SGD(params, lr=0.001, momentum=0.9, nesterov=True, fused=True),
}


def microseconds(make, updates):
    params = [torch.nn.Parameter(torch.randn(shape) / 10) for shape in SHAPES]
    optimizer = make(params)
    times = []
    for _ in range(updates):
        for param in params:
            param.grad = torch.randn_like(param) / 100
        begin = time.perf_counter()
        optimizer.step()
        times.append(time.perf_counter() - begin)
    return sorted(times)[updates // 2] * 1e6


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--updates", type=int, default=2000, metavar="N")
    updates = parser.parse_args().updates
    torch.set_num_threads(2)
    for name, make in OPTIMIZERS.items():
        print(f"{name}: {microseconds(make, updates):.1f} us")


main()
