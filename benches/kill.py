#!/usr/bin/env python3
"""Kills an example at random moments, resumes it, and compares what it ends with.

  kill.py --kills 200 -- target/release/examples/mnist_step --every 37 --epochs 2 --train-samples 4000

  kill.py --kills 100 -- target/release/examples/mnist_step --checkpoint-every 0.05 --epochs 2

The example is run undisturbed first. Then it is started again and again with --resume, and killed by
SIGKILL after a random time, at most half of what the undisturbed run took. Whenever it comes to
its end, models and history are compared with the undisturbed ones, byte by byte but for seconds and
the ids of parameters, and another run begins. Exits with 1 if anything differs, or if the example fails,
or if it makes checkpoints within epochs and never went on from one.
"""

import argparse
import csv
import hashlib
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

MODELS = ["final.bpk", "best.bpk"]


# Every process draws ids of its own for a model's parameters, which its files hold as 64-bit numbers.
ID = re.compile(rb"param_id\x1b.{8}", re.DOTALL)


def result(directory):
    """What a run has led to."""
    files = {name: ID.sub(b"", (directory / name).read_bytes()) for name in MODELS}
    models = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    with open(directory / "history.csv", newline="") as file:
        rows = [{k: v for k, v in row.items() if k != "seconds"} for row in csv.DictReader(file)]
    return models, rows


def start(command, directory):
    return subprocess.Popen(
        [*command, "--run-dir", str(directory), "--resume"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=200, help="how often to kill it [default: %(default)s]")
    parser.add_argument("--seed", type=int, default=1, help="of the moments [default: %(default)s]")
    parser.add_argument("command", nargs="+", help="an example and its options, after --")
    options = parser.parse_args()
    moments = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as temporary:
        whole, killed = Path(temporary, "whole"), Path(temporary, "killed")
        began = time.monotonic()
        process = start(options.command, whole)
        _, errors = process.communicate()
        if process.returncode != 0:
            sys.exit(f"the example fails: {errors.decode()}")
        seconds, expected = time.monotonic() - began, result(whole)
        kills = ends = within = 0
        while kills < options.kills or killed.exists():
            process = start(options.command, killed)
            # Those that are left over after the last kill come to their end.
            limit = moments.uniform(0, seconds / 2) if kills < options.kills else None
            try:
                _, errors = process.communicate(timeout=limit)
            except subprocess.TimeoutExpired:
                process.kill()
                _, errors = process.communicate()
                within += b"resuming within epoch" in errors
                kills += 1
                print(f"\r{kills} of {options.kills} kills, {ends} runs", end="", file=sys.stderr, flush=True)
                continue
            if process.returncode != 0:
                sys.exit(f"\nafter {kills} kills the example fails: {errors.decode()}")
            within += b"resuming within epoch" in errors
            found = result(killed)
            if found != expected:
                kept = tempfile.mkdtemp(prefix="kill-")
                for directory in (whole, killed):
                    shutil.copytree(directory, Path(kept, directory.name))
                sys.exit(f"\nafter {kills} kills run {ends + 1} ended otherwise: see {kept}")
            ends += 1
            shutil.rmtree(killed)
    went_on = f", having gone on within an epoch {within} times" if within else ""
    print(f"\r{kills} kills, {ends} runs that came to their end{went_on}, none of them otherwise")
    if "--checkpoint-every" in options.command and not within:
        sys.exit("none went on within an epoch: more seconds between checkpoints than a process lived?")


if __name__ == "__main__":
    main()
