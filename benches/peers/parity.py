#!/usr/bin/env python3
"""Train the experiment's network in PyTorch and with burn-lr, and compare every update.

Needs PyTorch, NumPy and safetensors.

Both begin with the same weights, which PyTorch saves and burn-lr loads, and see the same images in the
same order, which burn-lr draws. burn-lr trains by the example pytorch_parity; PyTorch repeats it on one
thread. In double precision these must be equal: the loss of each of the first updates, which is the mean of its
batches, up to --loss-tolerance, the learning rate of every update of the run, up to --lr-tolerance, and the accuracies of every
epoch, up to --points. Where one is not, or is NaN, a line says so and the exit status is 1. So it is where the trained
weights, which burn-lr exports and PyTorch loads, do not validate as they do in burn-lr.

In single precision, in which people train, rounding errors grow, and at some update part any two runs that differ by them.
That is reported beside PyTorch's own: it repeats the first updates --orders times with the pixels, the hidden units and the images
within each batch in other orders, which changes nothing but the order of its sums; and accuracies beside how far PyTorch
is from itself in double precision.

Both tables are printed, and with --write put into parity.md beside this script, which `cargo run --example fidelity` makes
a section of docs/book/src/fidelity.md.
"""

import argparse
import csv
import json
import math
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy
import safetensors.torch
import torch
from torch.nn.functional import cross_entropy

import mnist
from pytorch_mnist import tensors
from sums import Sums

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = Path(__file__).resolve().with_suffix(".md")
SECTION = """\
## The training step

PyTorch {torch} and burn-lr train the experiment's network of 784-128-10 from the same weights, which PyTorch saves and
burn-lr loads, on the same {samples} images in the same order, which burn-lr draws, for {epochs} epochs.
`python3 benches/peers/parity.py --write` writes this section.

In double precision they are the same training. A configuration fails if burn-lr's loss is more than {loss_tolerance:g} apart
from PyTorch's, relative, at one of the first {updates} updates, the learning rate of any update more than {lr_tolerance:g}, or an
accuracy of any epoch more than {points:g} points. {verdict}

{double}
Rounding errors grow here too, but from 1e-16: where the rate stays high for longest, with the plateau, single losses part
before the end.

A test repeats the first {stored} updates without PyTorch, from its stored losses.

In single precision rounding errors grow, and part any two runs that differ by them: at one batch or another, a hidden unit
is so near to zero that the two find it on different sides, and Adam, which divides gradients by their size, makes much
of the difference. From there on the runs are two samples of the same training. PyTorch is its own yardstick for when:
it repeats the first {updates} updates {orders} times with the pixels, the hidden units and the images of each batch in
other orders, which changes nothing but the order of its sums.

{single}
In brackets: PyTorch beside itself, in the repetition that is the furthest, and of accuracies in double precision.
burn-lr's sums round more than PyTorch's, as the first column says, so that its runs part from PyTorch's more easily than
those from each other.
"""
# A run whose losses are compared is as long as the tests train, to be stored for them.
UPDATES = 100

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


@dataclass
class Run:
    losses: list  # of every batch
    rates: list  # of the last update, after every batch
    accuracies: list  # of training and validation, after every epoch
    exported: float = math.nan  # the validation accuracy of the weights that burn-lr exports, in PyTorch

    def by_update(self, samples, accumulation):
        """The mean loss and the learning rate of every update; the last of an epoch may have fewer batches."""
        per_epoch = math.ceil(samples / mnist.BATCH)
        starts = range(0, len(self.losses), per_epoch)
        updates = [
            range(a, min(a + accumulation, s + per_epoch))
            for s in starts
            for a in range(s, s + per_epoch, accumulation)
        ]
        losses = [sum(self.losses[batch] for batch in update) / len(update) for update in updates]
        return losses, [self.rates[update[-1]] for update in updates]


def ours(weights, directory, options, epochs, samples):
    """burn-lr's run, and the order of the images."""
    directory.parent.mkdir(exist_ok=True)
    command = ["cargo", "run", "--release", "--quiet", "--features", "pytorch", "--example", "pytorch_parity", "--"]
    command += ["--weights", weights, "--run-dir", directory, "--epochs", str(epochs)]
    command += ["--train-samples", str(samples), *options]
    subprocess.run(command, cwd=ROOT, check=True, stdout=sys.stderr)
    with open(directory / "history.csv", newline="") as file:
        history = list(csv.DictReader(file))
    losses, rates = (json.loads((directory / f"{name}.json").read_text()) for name in ("losses", "rates"))
    order = numpy.fromfile(directory / "order.u32", dtype="<u4").astype(numpy.int64)
    accuracies = [tuple(float(row[column]) for column in ("train_accuracy", "valid_accuracy")) for row in history]
    return Run(losses, rates, accuracies, exported(directory)), torch.from_numpy(order).view(epochs, samples)


def exported(directory):
    """The validation accuracy of the trained weights in PyTorch."""
    model = Mlp()
    model.load_state_dict(safetensors.torch.load_file(directory / "model.safetensors"))
    images, labels = tensors("t10k")
    with torch.inference_mode():
        return (model(images).argmax(1) == labels).sum().item() / len(labels)


def pytorch(weights, dtype, order, optimizer, schedule, accumulation, lr, sums=None):
    model = Mlp()
    model.load_state_dict(torch.load(weights))
    model.to(dtype)
    if sums:
        sums.model(model)
    optimizer = OPTIMIZERS[optimizer](model.parameters(), lr)
    if schedule == "step":
        scheduler = torch.optim.lr_scheduler.StepLR(optimizer, mnist.STEP_SIZE, gamma=mnist.GAMMA)
    else:
        scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.5, patience=2)
    (images, labels), (valid_images, valid_labels) = tensors("train"), tensors("t10k")
    images, valid_images = images.to(dtype), valid_images.to(dtype)
    if sums:
        images, valid_images = sums.images(images), sums.images(valid_images)
    run = Run([], [], [])
    for indices in order:
        correct = 0
        batches = [sums.batch(batch) if sums else batch for batch in indices.split(mnist.BATCH)]
        for number, batch in enumerate(batches, 1):
            logits = model(images[batch])
            loss = cross_entropy(logits, labels[batch])
            loss.backward()
            if number % accumulation == 0 or number == len(batches):
                optimizer.step()
                optimizer.zero_grad()
            run.losses.append(loss.item())
            run.rates.append(optimizer.param_groups[0]["lr"])
            correct += (logits.argmax(1) == labels[batch]).sum().item()
        with torch.inference_mode():
            logits = model(valid_images)
            valid_loss = cross_entropy(logits, valid_labels).item()
            valid = (logits.argmax(1) == valid_labels).sum().item() / len(valid_labels)
        scheduler.step(valid_loss) if schedule == "plateau" else scheduler.step()
        run.accuracies.append((correct / len(indices), valid))
    return run


def apart(found, theirs):
    """Relative differences, infinite where one is not a number."""
    assert len(found) == len(theirs), (len(found), len(theirs))
    differences = (abs(a - b) / abs(b) if a != b else 0.0 for a, b in zip(found, theirs))
    return [difference if difference == difference else math.inf for difference in differences]


def accuracies_apart(run, theirs):
    """Of training and validation, in points, in the epoch in which they are most so."""
    pairs = list(zip(run.accuracies, theirs.accuracies, strict=True))
    return [100 * max(abs(a[n] - b[n]) for a, b in pairs) for n in (0, 1)]


def first_above(differences, tolerance):
    """The number of the first that is not within the tolerance, or of all."""
    return next((n for n, difference in enumerate(differences) if not difference <= tolerance), len(differences))


def yardstick(weights, theirs, order, configuration, options):
    """How far apart the first losses of PyTorch's are from its own, in each other order of sums."""
    accumulation = configuration[2]
    images = accumulation * options.updates * mnist.BATCH
    losses, _ = theirs.by_update(order.shape[1], accumulation)
    order = order[:1, :images]
    repeated = []
    for seed in range(options.orders):
        run = pytorch(weights, torch.float32, order, *configuration, sums=Sums(seed))
        found, _ = run.by_update(order.shape[1], accumulation)
        # The last update of a shorter epoch may have fewer batches.
        found = found[: options.updates]
        repeated.append(apart(found, losses[: len(found)]))
    return repeated


def losses_and_rates(ours, theirs, accumulation, samples):
    """How far those of the updates are apart."""
    (losses, rates), (their_losses, their_rates) = (run.by_update(samples, accumulation) for run in (ours, theirs))
    return apart(losses, their_losses), apart(rates, their_rates)


def compare_double(label, ours, theirs, accumulation, samples, options):
    """A row of the table, and what differs that must not."""
    losses, rates = losses_and_rates(ours, theirs, accumulation, samples)
    compared = min(options.updates, len(losses))
    until, equal = first_above(losses, options.loss_tolerance), first_above(rates, options.lr_tolerance)
    train, valid = accuracies_apart(ours, theirs)
    failures = []
    if until < compared:
        failures.append(f"{label}: the loss of update {until} is {losses[until]:.1e} apart, relative")
    if equal < len(rates):
        failures.append(f"{label}: the learning rate of update {equal} is {rates[equal]:.1e} apart, relative")
    if not max(train, valid) <= options.points:
        failures.append(f"{label}: accuracies are {train:.2f} and {valid:.2f} points apart")
    # Another order of sums may decide an image otherwise, whose two best classes are as good as equal.
    if not abs(ours.exported - ours.accuracies[-1][1]) < 3e-4:
        found = f"{ours.exported}, and at {ours.accuracies[-1][1]} here"
        failures.append(f"{label}: the exported weights validate at {found}")
    row = [
        label,
        f"{max(losses[:compared]):.0e}",
        f"{max(losses):.0e}",
        f"{sum(difference <= options.lr_tolerance for difference in rates)} of {len(rates)}",
        f"{train:.3f}",
        f"{valid:.3f}",
    ]
    return row, failures


def compare_single(label, ours, theirs, double, repeated, accumulation, samples, options):
    """A row of the table, and what is not a number."""
    losses, _ = losses_and_rates(ours, theirs, accumulation, samples)
    until = first_above(losses, options.parting)
    own = sorted(first_above(differences, options.parting) for differences in repeated)
    compared = min(options.updates, len(losses))
    train, valid = accuracies_apart(ours, theirs)
    double_train, double_valid = accuracies_apart(double, theirs)
    last, their_last = ours.accuracies[-1], theirs.accuracies[-1]
    failures = []
    if not all(map(math.isfinite, (*last, *their_last, train, valid))):
        failures.append(f"{label}: an accuracy is not a number")
    row = [
        label,
        f"{max(losses[:compared]):.1e} ({max(map(max, repeated)):.1e})",
        f"{until} ({', '.join(map(parting(compared), (own[0], own[-1])))})",
        f"{train:.2f} ({double_train:.2f})",
        f"{valid:.2f} ({double_valid:.2f})",
        f"{100 * last[0]:.2f}, {100 * their_last[0]:.2f}",
        f"{100 * last[1]:.2f}, {100 * their_last[1]:.2f}",
    ]
    return row, failures


def parting(compared):
    return lambda update: str(update) if update < compared else f"after {compared}"


def header_double(options):
    return [
        "in double precision",
        f"losses of the first {options.updates} updates apart, relative",
        "losses of all updates apart, relative",
        "equal learning rates of updates",
        "training accuracy apart, points",
        "validation accuracy apart, points",
    ]


def header_single(options):
    return [
        "in single precision",
        f"losses of the first {options.updates} updates apart, relative",
        f"updates until a loss is {options.parting:g} apart (PyTorch's own: earliest, latest)",
        "training accuracy apart, points",
        "validation accuracy apart, points",
        "training accuracy at the end, %: burn-lr, PyTorch",
        "validation accuracy at the end, %",
    ]


def table(header, rows):
    lines = [header, ["---", *["--:"] * (len(header) - 1)], *rows]
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
    parser.add_argument(
        "--updates",
        type=mnist.positive,
        default=UPDATES,
        metavar="N",
        help=f"updates whose losses must be equal (default: {UPDATES})",
    )
    parser.add_argument(
        "--loss-tolerance", type=float, default=1e-10, metavar="X", help="how far apart, relative (default: 1e-10)"
    )
    text = "what apart runs of single precision have parted at, relative (default: 1e-5)"
    parser.add_argument("--parting", type=float, default=1e-5, metavar="X", help=text)
    parser.add_argument(
        "--points", type=float, default=0.1, metavar="X", help="how far apart accuracies, in points (default: 0.1)"
    )
    parser.add_argument(
        "--lr-tolerance", type=float, default=1e-12, metavar="X", help="of learning rates, relative (default: 1e-12)"
    )
    text = "repetitions of PyTorch's with sums in other orders (default: 16)"
    parser.add_argument("--orders", type=mnist.positive, default=16, metavar="N", help=text)
    parser.add_argument("--write", action="store_true", help="write parity.md")
    parser.add_argument(
        "--golden",
        type=Path,
        metavar="FILE",
        help=f"train {UPDATES} updates alone, and write PyTorch's losses and learning rates for the tests",
    )
    options = parser.parse_args()
    if options.golden and options.write:
        parser.error("--golden trains less than --write tells of")
    torch.set_num_threads(1)
    tables, failures, golden = ([], []), [], {}
    with tempfile.TemporaryDirectory() as temporary:
        weights = Path(temporary) / "model.pt"
        torch.save(initial_weights().state_dict(), weights)
        for number, (label, arguments, *configuration) in enumerate(CONFIGURATIONS):
            directory = Path(temporary) / str(number)
            accumulation = configuration[2]
            epochs, samples = options.epochs, options.train_samples
            if options.golden:
                epochs, samples = 1, accumulation * UPDATES * mnist.BATCH
            found, order = ours(weights, directory / "double", [*arguments, "--double"], epochs, samples)
            double = pytorch(weights, torch.float64, order, *configuration)
            row, failed = compare_double(label, found, double, accumulation, samples, options)
            print(" | ".join(row), file=sys.stderr)
            tables[0].append(row)
            failures += failed
            golden[label] = {"arguments": [*arguments, "--double", "--train-samples", str(samples)]}
            golden[label] |= {"losses": double.losses, "rates": double.rates}
            if options.golden:
                continue
            found, _ = ours(weights, directory / "single", arguments, epochs, samples)
            theirs = pytorch(weights, torch.float32, order, *configuration)
            repeated = yardstick(weights, theirs, order, configuration, options)
            row, failed = compare_single(label, found, theirs, double, repeated, accumulation, samples, options)
            print(" | ".join(row), file=sys.stderr)
            tables[1].append(row)
            failures += failed
    double, single = table(header_double(options), tables[0]), table(header_single(options), tables[1])
    print(f"{double}\n{single}", end="")
    if options.golden:
        options.golden.write_text(json.dumps({"torch": torch.__version__, "configurations": golden}, indent=1) + "\n")
    if options.write:
        section = SECTION.format(
            torch=torch.__version__.split("+")[0],
            samples=options.train_samples,
            epochs=options.epochs,
            updates=options.updates,
            stored=UPDATES,
            orders=options.orders,
            loss_tolerance=options.loss_tolerance,
            lr_tolerance=options.lr_tolerance,
            points=options.points,
            verdict=f"Those that do: {'; '.join(failures)}." if failures else "None does.",
            double=double,
            single=single,
        )
        DOCUMENT.write_text(section)
    for failure in failures:
        print(f"error: {failure}", file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
