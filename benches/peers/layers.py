"""Times the layers of the examples cnn and language_model in PyTorch, for `cargo bench --bench layers`.

    python layers.py [--threads N]

Prints microseconds for each, forward and backward: the median of 200 times.
"""

import argparse
import statistics
import time

import torch
from torch import nn
from torch.nn import functional


class Attention(nn.Module):
    """As in pytorch_language_model.py."""

    def __init__(self, dropout):
        super().__init__()
        self.joined, self.output = nn.Linear(64, 192), nn.Linear(64, 64)
        self.dropout = nn.Dropout(dropout)
        self.register_buffer("future", torch.full((64, 64), -torch.inf).triu(1))

    def forward(self, hidden):
        query, key, value = self.joined(hidden).view(-1, 64, 3, 4, 16).permute(2, 0, 3, 1, 4)
        scores = query @ key.transpose(-2, -1) * 0.25 + self.future
        attended = self.dropout(scores.softmax(-1)) @ value
        return self.output(attended.transpose(1, 2).flatten(2))


def microseconds(layer, shape, gradient, times=200, warmup=20):
    seconds = []
    for _ in range(warmup + times):
        given = torch.rand(shape, requires_grad=gradient)
        begin = time.perf_counter()
        layer(given).sum().backward()
        seconds.append(time.perf_counter() - begin)
    return 1e6 * statistics.median(seconds[warmup:])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=2, metavar="N")
    torch.set_num_threads(parser.parse_args().threads)
    torch.set_flush_denormal(True)
    characters = torch.arange(1024) * 7919 % 75
    embedding, head = nn.Embedding(75, 64), nn.Linear(64, 75)
    hidden = [16, 64, 64]
    layers = [
        ("convolution 1 to 8, 28 x 28", nn.Conv2d(1, 8, 3, padding=1, bias=False), [64, 1, 28, 28], False),
        ("convolution 8 to 16, 14 x 14", nn.Conv2d(8, 16, 3, padding=1, bias=False), [64, 8, 14, 14], True),
        ("batch norm 8, 28 x 28", nn.BatchNorm2d(8), [64, 8, 28, 28], True),
        ("ReLU and pooling 8, 28 x 28", nn.Sequential(nn.ReLU(), nn.MaxPool2d(2)), [64, 8, 28, 28], True),
        ("linear 784 to 64", nn.Linear(784, 64), [64, 784], True),
        ("attention, dropout 0.1", Attention(0.1), hidden, True),
        ("attention, dropout 0", Attention(0.0), hidden, True),
        ("linear 64 to 256 to 64", nn.Sequential(nn.Linear(64, 256), nn.Linear(256, 64)), hidden, True),
        ("GELU of 256", nn.GELU(), [16, 64, 256], True),
        ("layer norm", nn.LayerNorm(64), hidden, True),
        ("dropout", nn.Dropout(0.1), hidden, True),
        ("embedding", lambda _: embedding(characters.view(16, 64)), [1], False),
        ("head and cross entropy", lambda x: functional.cross_entropy(head(x), characters), [1024, 64], True),
    ]
    for name, layer, shape, gradient in layers:
        print(f"{name:<44} {microseconds(layer, shape, gradient):8.0f} us", flush=True)


main()
