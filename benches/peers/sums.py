"""The experiment's network in PyTorch with its sums in another order, which changes nothing else."""

import torch

import mnist


class Sums:
    """Orders of what is added up: of pixels, of hidden units, and of the images within a batch."""

    def __init__(self, seed):
        self.generator = torch.Generator().manual_seed(seed)
        self.pixels, self.hidden = self.drawn(mnist.PIXELS), self.drawn(mnist.HIDDEN)

    def drawn(self, length):
        return torch.randperm(length, generator=self.generator)

    def model(self, model):
        with torch.no_grad():
            model.fc1.weight.copy_(model.fc1.weight[self.hidden][:, self.pixels])
            model.fc1.bias.copy_(model.fc1.bias[self.hidden])
            model.fc2.weight.copy_(model.fc2.weight[:, self.hidden])

    def images(self, images):
        return images[:, self.pixels]

    def batch(self, indices):
        return indices[self.drawn(len(indices))]
