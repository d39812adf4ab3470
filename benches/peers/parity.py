#!/usr/bin/env python3
"""Train the experiment's network in PyTorch and with burn-lr, and compare every update.

Both begin with the same weights, which PyTorch saves and burn-lr loads, and see the same images in the
same order, which burn-lr draws. burn-lr trains by the example pytorch_parity; PyTorch repeats it on one
thread. The table says how far the losses of the first updates are apart, whether the learning rates of
all epochs are equal, and how far the accuracies are apart, each beside how far PyTorch is from itself in
double precision: that much is rounding. It is printed, and with --write put into parity.md beside this
script, which `cargo run --example fidelity` makes a section of docs/fidelity.md.
"""

import argparse
import csv
import json
import math
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy
import torch
from torch.nn.functional import cross_entropy

import mnist
from pytorch_mnist import tensors

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = Path(__file__).resolve().with_suffix(".md")
SECTION = """\
## The training step

PyTorch {torch} and burn-lr train the experiment's network of 784-128-10 from the same weights, which PyTorch saves and
burn-lr loads, on the same {samples} images in the same order, which burn-lr draws, for {epochs} epochs.
`python3 benches/peers/parity.py --write` writes this section. In brackets: PyTorch in single precision beside itself in
double precision.

{table}
The losses of the first updates are equal but for rounding. Then, at one batch or another, a hidden unit is so near to zero
that the two find it on different sides, and Adam, which divides gradients by their size, makes much of the
difference: from there on the runs are two samples of the same training, as PyTorch's own are in two precisions.
SGD does not, and stays within hundredths of a point for all {epochs} epochs. A test repeats the first updates without
PyTorch, from its stored losses.
"""
# What is compared one by one: later, what one processor rounds otherwise has grown.
UPDATES = 100
TOLERANCE = 1e-5

# The label, the options of the example, and the constructors of the optimizer and the scheduler.
CONFIGURATIONS = [
    ("Adam, StepLR", [], "adam", "step", 1, 0.01),
    ("Adam, ReduceLROnPlateau", ["--schedule", "plateau"], "adam", "plateau", 1, 0.01),
    ("AdamW, StepLR", ["--optimizer", "adamw"], "adamw", "step", 1, 0.01),
    ("SGD with momentum, StepLR", ["--optimizer", "sgd"], "sgd", "step", 1, 0.01),
    ("Adam, 4 batches accumulated", ["--accumulation", "4"], "adam", "step", 4, 0.01),
]
OPTIMIZERS = {
    "adam": lambda parameters, lr: torch.optim.Adam(parameters, lr=lr),
    "adamw": lambda parameters, lr: torch.optim.AdamW(parameters, lr=lr),
    "sgd": lambda parameters, lr: torch.optim.SGD(parameters, lr=lr, momentum=0.9),
}


class Mlp(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = torch.nn.Linear(mnist.PIXELS, mnist.HIDDEN)
        self.fc2 = torch.nn.Linear(mnist.HIDDEN, mnist.CLASSES)

    def forward(self, images):
        return self.fc2(torch.relu(self.fc1(images)))


def initial_weights():
    """PyTorch's bounds, drawn by a formula, so that a test can make the same without PyTorch."""
    model = Mlp()
    with torch.no_grad():
        start = 0
        for name, parameter in model.named_parameters():
            fan_in = mnist.PIXELS if name.startswith("fc1") else mnist.HIDDEN
            index = numpy.arange(start, start + parameter.numel(), dtype=numpy.uint64)
            start += parameter.numel()
            unit = (index * 2654435761 % 2**32).astype(numpy.float64) / 2**32
            values = ((2 * unit - 1) / math.sqrt(fan_in)).astype(numpy.float32)
            parameter.copy_(torch.from_numpy(values).view_as(parameter))
    return model


def ours(weights, directory, options, epochs, samples):
    command = ["cargo", "run", "--release", "--quiet", "--example", "pytorch_parity", "--"]
    command += ["--weights", weights, "--run-dir", directory, "--epochs", str(epochs)]
    command += ["--train-samples", str(samples), *options]
    subprocess.run(command, cwd=ROOT, check=True, stdout=sys.stderr)
    with open(directory / "history.csv", newline="") as file:
        history = list(csv.DictReader(file))
    losses = json.loads((directory / "losses.json").read_text())
    order = numpy.fromfile(directory / "order.u32", dtype="<u4").astype(numpy.int64)
    columns = ["lr", "train_accuracy", "valid_accuracy"]
    records = [tuple(float(row[column]) for column in columns) for row in history]
    return (losses, records), torch.from_numpy(order).view(epochs, samples)


def pytorch(weights, dtype, order, optimizer, schedule, accumulation, lr):
    """The loss of every batch, and the learning rate and accuracies of every epoch."""
    model = Mlp()
    model.load_state_dict(torch.load(weights))
    model.to(dtype)
    optimizer = OPTIMIZERS[optimizer](model.parameters(), lr)
    if schedule == "step":
        scheduler = torch.optim.lr_scheduler.StepLR(optimizer, mnist.STEP_SIZE, gamma=mnist.GAMMA)
    else:
        scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.5, patience=2)
    (images, labels), (valid_images, valid_labels) = tensors("train"), tensors("t10k")
    images, valid_images = images.to(dtype), valid_images.to(dtype)
    losses, epochs = [], []
    for indices in order:
        rate, correct = optimizer.param_groups[0]["lr"], 0
        batches = indices.split(mnist.BATCH)
        for number, batch in enumerate(batches, 1):
            logits = model(images[batch])
            loss = cross_entropy(logits, labels[batch])
            loss.backward()
            if number % accumulation == 0 or number == len(batches):
                optimizer.step()
                optimizer.zero_grad()
            losses.append(loss.item())
            correct += (logits.argmax(1) == labels[batch]).sum().item()
        with torch.inference_mode():
            logits = model(valid_images)
            valid_loss = cross_entropy(logits, valid_labels).item()
            valid = (logits.argmax(1) == valid_labels).sum().item() / len(valid_labels)
        scheduler.step(valid_loss) if schedule == "plateau" else scheduler.step()
        epochs.append((rate, correct / len(indices), valid))
    return losses, epochs


def losses_apart(losses, theirs):
    assert len(losses) == len(theirs), (len(losses), len(theirs))
    return [abs(a - b) / abs(b) for a, b in zip(losses, theirs)]


def accuracies_apart(epochs, theirs):
    """Of training and validation, in points, in the epoch in which they are most so."""
    return [100 * max(abs(a[n] - b[n]) for a, b in zip(epochs, theirs)) for n in (1, 2)]


def compare(label, ours, theirs, double):
    apart, control = losses_apart(ours[0], theirs[0]), losses_apart(double[0], theirs[0])
    until = next((n for n, value in enumerate(apart) if value > TOLERANCE), len(apart))
    rates = sum(a[0] == b[0] for a, b in zip(ours[1], theirs[1]))
    train, valid = accuracies_apart(ours[1], theirs[1])
    double_train, double_valid = accuracies_apart(double[1], theirs[1])
    last, their_last = ours[1][-1], theirs[1][-1]
    return [
        label,
        f"{max(apart[:UPDATES]):.1e} ({max(control[:UPDATES]):.1e})",
        f"{until} of {len(apart)}",
        f"{rates} of {len(theirs[1])}",
        f"{train:.2f} ({double_train:.2f})",
        f"{valid:.2f} ({double_valid:.2f})",
        f"{100 * last[1]:.2f}, {100 * their_last[1]:.2f}",
        f"{100 * last[2]:.2f}, {100 * their_last[2]:.2f}",
    ]


HEADER = [
    "",
    f"first {UPDATES} losses apart, relative",
    f"batches until a loss is {TOLERANCE:g} apart",
    "equal learning rates",
    "training accuracy apart, points",
    "validation accuracy apart, points",
    "training accuracy at the end, %",
    "validation accuracy at the end, %",
]


def table(rows):
    lines = [HEADER, ["---", *["--:"] * (len(HEADER) - 1)], *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=mnist.positive, default=10, metavar="N", help="epochs to train (default: 10)")
    parser.add_argument(
        "--train-samples",
        type=mnist.number(1, mnist.TRAIN_SAMPLES),
        default=mnist.TRAIN_SAMPLES,
        metavar="N",
        help="train on the first N images only",
    )
    parser.add_argument("--write", action="store_true", help="write parity.md")
    parser.add_argument("--golden", type=Path, metavar="FILE", help="write PyTorch's first losses for the tests")
    options = parser.parse_args()
    torch.set_num_threads(1)
    rows, golden = [], {}
    with tempfile.TemporaryDirectory() as temporary:
        weights = Path(temporary) / "model.pt"
        torch.save(initial_weights().state_dict(), weights)
        for number, (label, arguments, *configuration) in enumerate(CONFIGURATIONS):
            directory = Path(temporary) / str(number)
            found, order = ours(weights, directory, arguments, options.epochs, options.train_samples)
            theirs = pytorch(weights, torch.float32, order, *configuration)
            double = pytorch(weights, torch.float64, order, *configuration)
            rows.append(compare(label, found, theirs, double))
            golden[label] = {"arguments": arguments, "losses": theirs[0][:UPDATES]}
            print(" | ".join(rows[-1]), file=sys.stderr)
    print(table(rows), end="")
    if options.golden:
        options.golden.write_text(json.dumps({"torch": torch.__version__, "configurations": golden}, indent=1) + "\n")
    if options.write:
        section = SECTION.format(
            torch=torch.__version__.split("+")[0],
            samples=options.train_samples,
            epochs=options.epochs,
            table=table(rows),
        )
        DOCUMENT.write_text(section)


if __name__ == "__main__":
    main()
