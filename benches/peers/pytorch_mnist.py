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
