#!/usr/bin/env python3
"""Kills an example at random moments, resumes it, and compares what it ends with.

  kill.py --kills 200 -- target/release/examples/mnist_step --every 37 --epochs 2 --train-samples 4000

  kill.py --kills 100 -- target/release/examples/mnist_step --checkpoint-every 0.05 --epochs 2

The example is run undisturbed first. Then it is started again and again with --resume, and killed by
SIGKILL after a random time, at most half of what the undisturbed run took. Whenever it comes to
its end, models and history are compared with the undisturbed ones, byte by byte but for seconds and
the ids of parameters, and so are the names of all files; and another run begins. Exits with 1 if anything
differs, or if the example fails, or if it makes checkpoints within epochs and never went on from one.
"""

import argparse
import csv
import hashlib
import itertools
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

# Every process draws ids of its own for a model's parameters, which its files hold as 64-bit numbers.
ID = re.compile(rb"param_id\x1b.{8}", re.DOTALL)
ASIDE = re.compile(r"\.aside-\d+")


def result(directory):
    """What a run has led to, or several in directories below."""
    files = {str(path.relative_to(directory)): path for path in sorted(directory.rglob("*")) if path.is_file()}
    # What a run that was killed in its first epoch had left, and the one begun anew has put aside.
    files = {name: path for name, path in files.items() if not ASIDE.search(name)}
    found = dict.fromkeys(files)
    for name, path in files.items():
        if path.suffix == ".bpk" and "checkpoint" not in Path(name).parts:
            found[name] = hashlib.sha256(ID.sub(b"", path.read_bytes())).hexdigest()
        if path.name == "history.csv":
            with open(path, newline="") as file:
                found[name] = [{k: v for k, v in row.items() if k != "seconds"} for row in csv.DictReader(file)]
    return found


def start(command, directory):
    return subprocess.Popen(
        [*command, "--run-dir", str(directory), "--resume"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def undisturbed(command, directory):
    """How long a run takes, and what it leads to."""
    began = time.monotonic()
    process = start(command, directory)
    _, errors = process.communicate()
    if process.returncode != 0:
        sys.exit(f"the example fails: {errors.decode()}")
    return time.monotonic() - began, result(directory)


def killed(command, directory, limits):
    """Starts a run again and again, and kills it after each of `limits`, in seconds, or not if one is none, until
    it comes to its end: tells how often it was killed, and how often it went on within an epoch."""
    kills = within = 0
    for limit in limits:
        process = start(command, directory)
        try:
            _, errors = process.communicate(timeout=limit)
        except subprocess.TimeoutExpired:
            process.kill()
            _, errors = process.communicate()
        except BaseException:
            # Interrupted: nothing of it goes on, writing to a directory that is deleted.
            process.kill()
            process.wait()
            raise
        within += b"resuming within epoch" in errors
        if process.returncode == 0:
            break
        if process.returncode != -signal.SIGKILL:
            raise RuntimeError(f"after {kills} kills the example fails: {errors.decode()}")
        kills += 1
    return kills, within


def kept(*directories):
    """Copies of the directories, to be looked at."""
    copies = tempfile.mkdtemp(prefix="kill-")
    for directory in directories:
        shutil.copytree(directory, Path(copies, directory.name))
    return copies


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=200, help="how often to kill it [default: %(default)s]")
    parser.add_argument("--seed", type=int, default=1, help="of the moments [default: %(default)s]")
    parser.add_argument("command", nargs="+", help="an example and its options, after --")
    options = parser.parse_args()
    moments = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as temporary:
        whole, other = Path(temporary, "whole"), Path(temporary, "killed")
        seconds, expected = undisturbed(options.command, whole)
        kills = ends = within = 0
        while kills < options.kills:
            left = (moments.uniform(0, seconds / 2) for _ in range(options.kills - kills))
            # What is left over after the last kill comes to its end.
            try:
                more = killed(options.command, other, itertools.chain(left, [None]))
            except RuntimeError as error:
                sys.exit(f"\nafter {ends} runs: {error}see {kept(whole, other)}")
            kills, within = kills + more[0], within + more[1]
            if result(other) != expected:
                sys.exit(f"\nafter {kills} kills run {ends + 1} ended otherwise: see {kept(whole, other)}")
            ends += 1
            shutil.rmtree(other)
            print(f"\r{kills} of {options.kills} kills, {ends} runs", end="", file=sys.stderr, flush=True)
    went_on = f", having gone on within an epoch {within} times" if within else ""
    print(f"\r{kills} kills, {ends} runs that came to their end{went_on}, none of them otherwise")
    if "--checkpoint-every" in options.command and not within:
        sys.exit("none went on within an epoch: more seconds between checkpoints than a process lived?")


if __name__ == "__main__":
    main()
