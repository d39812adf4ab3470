"""The experiment in PyTorch, tuned by hand for the CPU.

Batches are gathered from one tensor, Adam is fused, denormal numbers count as zero, and losses and
accuracies are computed once an epoch. torch.compile is not used: with PyTorch 2.15 it made an epoch
slower, be it that of the loss or of the whole step.
"""

import torch
from torch.nn.functional import cross_entropy

import mnist
from pytorch_mnist import mlp, tensors

options = mnist.option_parser(__doc__).parse_args()
torch.set_num_threads(options.threads)
torch.set_flush_denormal(True)
torch.manual_seed(mnist.SEED)

train_images, train_labels = tensors("train", options.train_samples)
valid_images, valid_labels = tensors("t10k")

model = mlp(options.hidden)
optimizer = torch.optim.Adam(model.parameters(), lr=mnist.LR, fused=True)
scheduler = torch.optim.lr_scheduler.StepLR(optimizer, mnist.STEP_SIZE, gamma=mnist.GAMMA)


def train():
    order = torch.randperm(len(train_labels))
    outputs = []
    for batch in order.split(options.batch):
        optimizer.zero_grad()
        logits = model(train_images.index_select(0, batch))
        cross_entropy(logits, train_labels.index_select(0, batch)).backward()
        optimizer.step()
        outputs.append(logits.detach())
    lr = scheduler.get_last_lr()[0]
    scheduler.step()
    return *judge(torch.cat(outputs), train_labels[order]), lr


@torch.inference_mode()
def validate():
    outputs = [model(images) for images in valid_images.split(mnist.VALID_BATCH)]
    return judge(torch.cat(outputs), valid_labels)


def judge(logits, labels):
    """The mean loss and the accuracy."""
    correct = (logits.argmax(1) == labels).sum().item()
    return cross_entropy(logits, labels).item(), correct / len(labels)


mnist.run("pytorch_tuned", options.epochs, train, validate)
