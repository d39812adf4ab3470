"""What following a run costs: the example mnist_step alone, with --watch, with --tensorboard and with both, in turn.

    python3 benches/following.py [--rounds 5] [--epochs 10] [--samples 60000]

Prints processor seconds of the whole process and elapsed seconds of an epoch, the least of all rounds, and how much more
each is than alone. The machine should have nothing else to do.
"""

import argparse
import json
import os
import resource
import subprocess
import tempfile

KINDS = {"alone": [], "--watch": ["--watch"], "--tensorboard": ["--tensorboard", "BOARD"],
         "both": ["--watch", "--tensorboard", "BOARD"]}


def run(example, options, arguments, number):
    """Processor seconds of the process, and elapsed seconds of its fastest epoch."""
    with tempfile.TemporaryDirectory() as directory:
        options = [f"{directory}/board" if option == "BOARD" else option for option in options]
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([example, *options, "--run-dir", f"{directory}/run-{number}",
                        "--epochs", str(arguments.epochs), "--train-samples", str(arguments.samples)],
                       check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        with open(f"{directory}/run-{number}/history.json") as file:
            epochs = json.load(file)["epochs"]
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return used, min(epoch["seconds"] for epoch in epochs)


parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--rounds", type=int, default=5)
parser.add_argument("--epochs", type=int, default=10)
parser.add_argument("--samples", type=int, default=60000)
arguments = parser.parse_args()
subprocess.run(["cargo", "build", "--release", "--quiet", "--example", "mnist_step"], check=True)
example = os.path.join(os.environ.get("CARGO_TARGET_DIR", "target"), "release/examples/mnist_step")
found = {kind: [] for kind in KINDS}
for number in range(arguments.rounds):
    for kind, options in KINDS.items():
        found[kind].append(run(example, options, arguments, number))
print(f"{'':14} {'processor s':>12} {'':>8} {'s an epoch':>11}")
least = {kind: [min(of) for of in zip(*rounds)] for kind, rounds in found.items()}
for kind, (used, epoch) in least.items():
    more = [value / alone - 1 for value, alone in zip((used, epoch), least["alone"])]
    print(f"{kind:14} {used:12.2f} {more[0]:+8.2%} {epoch:11.3f} {more[1]:+8.2%}")
