"""What the peers and `run.py` share: the experiment's numbers, options, data and output."""

import argparse
import gzip
import json
import struct
import time
from pathlib import Path

DATA = Path(__file__).resolve().parents[2] / "data" / "mnist"
PIXELS = 28 * 28
CLASSES = 10
BATCH = 64
VALID_BATCH = 1000
HIDDEN = 128
TRAIN_SAMPLES = 60000
# Adam's other settings (betas 0.9 and 0.999, epsilon 1e-8) are the defaults of PyTorch and optax.
LR = 0.01
STEP_SIZE = 3
GAMMA = 0.5
SEED = 42


def number(least, most=None):
    """The type of an option that takes whole numbers from `least` to `most`."""
    expected = f"a number from {least}" + (f" to {most}" if most else "")

    def parse(text):
        if not text.isdecimal() or int(text) < least or (most and int(text) > most):
            raise argparse.ArgumentTypeError(f"expected {expected}, got {text!r}")
        return int(text)

    return parse


positive = number(1)


def add_options(parser, epochs, sizes=True):
    def add(name, default, text, type=positive):
        text = f"{text} (default: %(default)s)"
        parser.add_argument(name, type=type, default=default, metavar="N", help=text)

    add("--epochs", epochs, "epochs to train")
    if sizes:
        add("--batch", BATCH, "images in a training batch")
        add("--hidden", HIDDEN, "units in the hidden layer")
        add("--train-samples", TRAIN_SAMPLES, "train on the first N images only", type=number(1, TRAIN_SAMPLES))
    add("--threads", 2, "threads to compute with")


def option_parser(description, sizes=True):
    """For the command line of a peer, of which the sizes can be chosen or not."""
    parser = argparse.ArgumentParser(
        description=description,
        epilog="Prints a line of JSON for each epoch. The first epoch includes warm-up.",
    )
    add_options(parser, epochs=10, sizes=sizes)
    return parser


def load(split, samples=None):
    """The first `samples` images and labels of `split`, "train" or "t10k", as bytearrays."""
    images = read_idx(DATA / f"{split}-images-idx3-ubyte.gz")
    labels = read_idx(DATA / f"{split}-labels-idx1-ubyte.gz")[:samples]
    return images[: len(labels) * PIXELS], labels


def read_idx(path):
    """The elements of a gzipped IDX file of unsigned bytes."""
    with gzip.open(path) as file:
        content = bytearray(file.read())
    # Two zeros, 8 for unsigned bytes, the number of dimensions; then the dimensions.
    header = struct.calcsize(f">4B{content[3]}I")
    return content[header:]


def run(peer, epochs, train, validate, measure="accuracy"):
    """Times `epochs` epochs and prints a line of JSON for each.

    `train()` trains for an epoch and returns its mean loss, accuracy or other measure, and learning
    rate; `validate()` returns the loss and the measure on the data held out. As all are Python numbers, nothing is left to
    compute when the clock is read.
    """
    for epoch in range(1, epochs + 1):
        start = time.perf_counter()
        train_loss, train_measure, lr = train()
        trained = time.perf_counter()
        valid_loss, valid_measure = validate()
        validated = time.perf_counter()
        record = {
            "peer": peer,
            "epoch": epoch,
            "train_seconds": trained - start,
            "seconds": validated - start,
            "train_loss": train_loss,
            f"train_{measure}": train_measure,
            "valid_loss": valid_loss,
            f"valid_{measure}": valid_measure,
            "lr": lr,
        }
        print(json.dumps(record), flush=True)
