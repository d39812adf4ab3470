"""The example cnn in PyTorch, tuned by hand for the CPU.

Images are moved by indexing a view of the padded ones, AdamW is fused, denormal numbers count as
zero, and losses and accuracies are computed once an epoch. PyTorch's AdamW is not cautious, which
spares it a comparison for each weight.
"""

import argparse
import math

import torch
from torch import nn
from torch.nn.functional import cross_entropy, pad

import mnist
from pytorch_mnist import tensors, warmup_and_cosine

SIDE, MAX_SHIFT = 28, 2
BATCH, VALID_BATCH = 64, 500
LR, WEIGHT_DECAY = 3e-3, 0.01

parser = mnist.option_parser(__doc__, sizes=False)
parser.add_argument("--channels-last", action=argparse.BooleanOptionalAction, default=False,
                    help="keep the channels of a pixel together")
parser.add_argument("--compile", action=argparse.BooleanOptionalAction, default=False,
                    help="compile the network, which takes a C++ compiler")
options = parser.parse_args()
torch.set_num_threads(options.threads)
torch.set_flush_denormal(True)
torch.manual_seed(mnist.SEED)

train_images, train_labels = tensors("train")
valid_images, valid_labels = tensors("t10k")
valid_images = valid_images.view(-1, 1, SIDE, SIDE)
# [samples, down, right, y, x]: what an image is when moved, without a copy of it.
train_images = pad(train_images.view(-1, SIDE, SIDE), [MAX_SHIFT] * 4).unfold(1, SIDE, 1).unfold(2, SIDE, 1)


def block(inputs, outputs):
    return nn.Sequential(
        # The norm has a bias of its own.
        nn.Conv2d(inputs, outputs, 3, padding=1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(2),
    )


model = nn.Sequential(
    block(1, 8),
    block(8, 16),
    nn.Flatten(),
    nn.Linear(16 * 7 * 7, 64),
    nn.ReLU(inplace=True),
    nn.Dropout(0.25),
    nn.Linear(64, mnist.CLASSES),
)
layout = torch.channels_last if options.channels_last else torch.contiguous_format
model = model.to(memory_format=layout)
forward = torch.compile(model) if options.compile else model
optimizer = torch.optim.AdamW(model.parameters(), lr=LR, weight_decay=WEIGHT_DECAY, fused=True)
scheduler = warmup_and_cosine(
    optimizer, options.epochs * math.ceil(len(train_labels) / BATCH), warmup=0.1, start_factor=0.01
)


def train():
    model.train()
    order = torch.randperm(len(train_labels))
    down, right = torch.randint(2 * MAX_SHIFT + 1, [2, len(order)])
    outputs = []
    for batch, down, right in zip(order.split(BATCH), down.split(BATCH), right.split(BATCH)):
        images = train_images[batch, down, right].unsqueeze(1).contiguous(memory_format=layout)
        optimizer.zero_grad()
        logits = forward(images)
        cross_entropy(logits, train_labels[batch]).backward()
        optimizer.step()
        scheduler.step()
        outputs.append(logits.detach())
    lr = scheduler.get_last_lr()[0]
    return *judge(torch.cat(outputs), train_labels[order]), lr


@torch.inference_mode()
def validate():
    model.eval()
    outputs = [forward(images.contiguous(memory_format=layout)) for images in valid_images.split(VALID_BATCH)]
    return judge(torch.cat(outputs), valid_labels)


def judge(logits, labels):
    """The mean loss and the accuracy."""
    correct = (logits.argmax(1) == labels).sum().item()
    return cross_entropy(logits, labels).item(), correct / len(labels)


mnist.run("pytorch_tuned", options.epochs, train, validate)
