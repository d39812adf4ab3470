#!/usr/bin/env python3
"""Kills the examples ten thousand times, and goes on where it was interrupted.

  cargo build --release --examples
  python3 benches/kills.py [--kills 10000] [--state kills.jsonl] [--examples target/release/examples]

The runs of every setting below are killed as `kill.py` does it, and compared with one that was not when they come to
their end. The settings take turns: next is the one with the fewest kills. The moments of a run are drawn from the setting's
name and the run's number, and each run that came to its end is a line of the state, so that an interruption costs no more than
the run that was under way. Exits with 1 if a run ends otherwise than undisturbed, or if an example fails, with the
directories kept. TMPDIR says where they are; in memory, as in /dev/shm, it is quicker.
"""

import argparse
import fcntl
import gzip
import json
import random
import shutil
import struct
import sys
import tempfile
from collections import Counter
from pathlib import Path

from kill import kept, killed, result, undisturbed

MNIST = Path(__file__).parent.parent / "data/mnist"

# DATA is 2000 images of MNIST and 300 to validate on, FREE the candidates below.
SETTINGS = {
    "epochs": "mnist_step --data-dir DATA --epochs 6",
    "periods of 13 updates": "mnist_step --data-dir DATA --epochs 2 --every 13",
    "within epochs": "mnist_step --data-dir DATA --epochs 4 --checkpoint-every 0.001",
    "within periods": "mnist_step --data-dir DATA --epochs 4 --every 21 --checkpoint-every 0.001",
    "an average": "mnist_step --data-dir DATA --epochs 6 --ema 0.99",
    "an average, within epochs": "mnist_step --data-dir DATA --epochs 4 --ema 0.99 --checkpoint-every 0.001",
    "plateau, early stopping": "mnist_plateau --data-dir DATA --epochs 6 --early-stop 3",
    "two devices": "mnist_step --data-dir DATA --epochs 5 --devices 2",
    "followed": "mnist_step --data-dir DATA --epochs 5 --watch",
    "cnn, augmented, dropout": "cnn --samples 128 --epochs 4 --early-stop 9",
    "cnn, an average, within periods": "cnn --samples 128 --max-updates 12 --every 5 --ema 0.9 --checkpoint-every 0.001",
    "language model": "language_model --samples 3000 --epochs 4",
    "language model, no mean": "language_model --samples 3000 --max-updates 12 --every 5 --checkpoint-every 0.001",
    "regression": "regression --epochs 20",
    "two optimizers": "two_optimizers --samples 128 --epochs 5",
    "without a schedule": "compare_schedules --data-dir DATA --candidates FREE --seeds 1 --jobs 1",
}

FREE = """
[[candidate]]
name = "schedule-free AdamW"
epochs = 3
schedule.Constant.lr = 0.01
[candidate.optimizer.ScheduleFreeAdamW]

[[candidate]]
name = "Prodigy, averaged"
epochs = 3
schedule.Constant.lr = 1.0
settings.average = { kind = { running = "equal" }, start = { after_epochs = 1 }, every = { epochs = 1 } }
[candidate.optimizer.Prodigy]
"""


def few_images(directory):
    """The beginning of MNIST's four files."""
    directory.mkdir()
    for stem, count in ("train", 2000), ("t10k", 300):
        for kind, header, size in ("images-idx3", 16, 28 * 28), ("labels-idx1", 8, 1):
            name = f"{stem}-{kind}-ubyte"
            with gzip.open(MNIST / f"{name}.gz") as file:
                content = bytearray(file.read(header + count * size))
            struct.pack_into(">I", content, 4, count)
            (directory / name).write_bytes(content)


def read(state):
    """How often each setting was killed, came to its end, and went on within an epoch, and its last run's number.

    A last line that was not written whole is of the run that was under way: it does not count."""
    found = {name: Counter() for name in SETTINGS}
    for line in state.read_text().splitlines(keepends=True) if state.exists() else []:
        if line.endswith("\n"):
            run = json.loads(line)
            if run["setting"] not in found:
                sys.exit(f"{state}: there is no setting {run['setting']!r}")
            counts = found[run["setting"]]
            counts.update(runs=1, kills=run["kills"], within=run["within"])
            counts["last"] = max(counts["last"], run["run"])
    return found


def opened(state):
    """The state, to be added to by this process alone, without what was not written whole."""
    file = open(state, "a+b")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        sys.exit(f"{state}: another process adds to it")
    file.seek(0)
    file.truncate(file.read().rfind(b"\n") + 1)
    return file


def print_table(found):
    print(f"{'':34}{'kills':>7}{'runs':>7}{'within an epoch':>17}")
    for name, counts in [*found.items(), ("in all", sum(found.values(), Counter()))]:
        print(f"{name:34}{counts['kills']:7}{counts['runs']:7}{counts['within']:17}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=10_000, help="how often to kill in all [default: %(default)s]")
    parser.add_argument("--state", type=Path, default="kills.jsonl", help="what is done [default: %(default)s]")
    parser.add_argument("--examples", default="target/release/examples", help="where they are [default: %(default)s]")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary, opened(options.state) as state:
        found = read(options.state)
        data, free = Path(temporary, "data"), Path(temporary, "free.toml")
        few_images(data)
        free.write_text(FREE)
        places = {"DATA": str(data), "FREE": str(free)}
        commands, expected = {}, {}
        for number, (name, command) in enumerate(SETTINGS.items()):
            example, *words = command.split()
            if not Path(options.examples, example).exists():
                sys.exit(f"{options.examples}/{example} is not there: cargo build --release --examples")
            commands[name] = [f"{options.examples}/{example}", *(places.get(word, word) for word in words)]
            whole = Path(temporary, f"undisturbed-{number}")
            expected[name] = (whole, *undisturbed(commands[name], whole))
        while (done := sum(counts["kills"] for counts in found.values())) < options.kills:
            print(f"\r{done} of {options.kills} kills", end="", file=sys.stderr, flush=True)
            name = min(found, key=lambda name: found[name]["kills"])
            number = found[name]["last"] + 1
            whole, seconds, wanted = expected[name]
            moments = random.Random(f"{name}/{number}")
            # Later and later, so that it comes to its end also while the machine is slower than it was.
            limits = (moments.uniform(0, seconds / 2) * (1 + i / 20) for i in range(1000))
            directory = Path(temporary, "killed")
            try:
                kills, within = killed(commands[name], directory, limits)
            except RuntimeError as error:
                sys.exit(f"\n{name}, run {number}: {error}see {kept(whole, directory)}")
            if result(directory) != wanted:
                sys.exit(f"\n{name}: run {number} ended otherwise after {kills} kills: see {kept(whole, directory)}")
            shutil.rmtree(directory)
            found[name].update(runs=1, kills=kills, within=within)
            found[name]["last"] = number
            line = {"setting": name, "run": number, "kills": kills, "within": within}
            state.write(f"{json.dumps(line)}\n".encode())
            state.flush()
    print(file=sys.stderr)
    print_table(found)
    silent = [name for name, counts in found.items() if "within" in name and counts["runs"] > 9 and not counts["within"]]
    if silent:
        sys.exit(f"never went on within an epoch: {', '.join(silent)}")


if __name__ == "__main__":
    main()
