"""MNIST and the network, for both PyTorch peers."""

import torch
from torch import nn

import mnist


def tensors(split, samples=None):
    """Images `[samples, 784]` from 0 to 1 and labels `[samples]`."""
    images, labels = (torch.frombuffer(data, dtype=torch.uint8) for data in mnist.load(split, samples))
    return images.view(-1, mnist.PIXELS) / 255, labels.long()


def mlp(hidden):
    return nn.Sequential(
        nn.Linear(mnist.PIXELS, hidden),
        nn.ReLU(),
        nn.Linear(hidden, mnist.CLASSES),
    )


def warmup_and_cosine(optimizer, updates, warmup, start_factor):
    """The schedule of the examples cnn and language_model, `warmup` being a part of the updates."""
    warmup = round(updates * warmup)
    return torch.optim.lr_scheduler.SequentialLR(
        optimizer,
        [
            torch.optim.lr_scheduler.LinearLR(optimizer, start_factor, total_iters=warmup),
            torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, updates - warmup),
        ],
        [warmup],
    )
