#!/usr/bin/env python3
"""Compare the speed of burn-lr with PyTorch's and JAX's on the same experiment.

Runs burn-lr's example speed and the same experiment in PyTorch and JAX, or its example cnn or
language_model and the same in PyTorch, one after the other, for several rounds, and prints a Markdown
table of the seconds that an epoch takes: the median, and the fastest and the slowest. The first epoch of
every run is left out, as it includes warm-up and compilation.
"""

import argparse
import csv
import functools
import hashlib
import json
import os
import platform
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import mnist

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]

OURS = "burn_lr"
OURS_COMMANDS = {
    "mnist": "cargo run --profile bench --quiet --example speed -- --epochs {epochs} --batch {batch} "
             "--hidden {hidden} --train-samples {train_samples} --run-dir {run_dir}",
    "cnn": "cargo run --profile bench --quiet --example cnn -- --epochs {epochs} "
           "--early-stop {epochs} --run-dir {run_dir}",
    "language_model": "cargo run --profile bench --quiet --example language_model -- "
                      "--epochs {epochs} --run-dir {run_dir}",
}
LABELS = {
    OURS: "burn-lr",
    "pytorch_dataloader": "PyTorch, DataLoader",
    "pytorch_workers": "PyTorch, DataLoader with 2 workers",
    "pytorch_tuned": "PyTorch, tuned by hand",
    "jax_scan": "JAX and optax, scan",
}
# The script of a peer with its own arguments, and what its interpreter must have.
PEERS = {
    "mnist": {
        "pytorch_dataloader": (["pytorch_dataloader.py"], ["torch"]),
        "pytorch_workers": (["pytorch_dataloader.py", "--workers=2"], ["torch"]),
        "pytorch_tuned": (["pytorch_tuned.py"], ["torch"]),
        "jax_scan": (["jax_scan.py"], ["jax", "optax"]),
    },
    "cnn": {"pytorch_tuned": (["pytorch_cnn.py"], ["torch"])},
    "language_model": {"pytorch_tuned": (["pytorch_language_model.py"], ["torch"])},
}
# What the peers are told, and the template of our command may contain.
EXPERIMENT = ["epochs", "batch", "hidden", "train_samples", "threads"]
# Those that the examples fix.
SIZES = ["batch", "hidden", "train_samples"]
# What a workload's histories have beside the losses.
MEASURES = {"mnist": "accuracy", "cnn": "accuracy", "language_model": "perplexity"}
# Where OpenMP, MKL, OpenBLAS, Rayon and XLA look for the number of threads.
THREADS = ["OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS", "NPROC"]

FAILED, USAGE, SKIPPED, INTERRUPTED = 1, 2, 3, 130
EPILOG = f"""\
exit status:
  0    all that was to run did
  {FAILED}    a run failed or did not report its epochs; there is no table
  {USAGE}    an option is wrong
  {SKIPPED}    a run was skipped, being not installed; the table has the others
  {INTERRUPTED}  stopped by Ctrl-C

examples:
  run.py
      everything; the first time this downloads PyTorch and JAX
  run.py --only burn_lr pytorch_tuned --torch-python ~/env/bin/python
      two of them, with a PyTorch that is installed already
  run.py --batch 256 --hidden 1024
      another size
  run.py --workload cnn
      the example cnn beside the same in PyTorch
"""


class Unavailable(Exception):
    """Why a run is skipped."""


class RunFailed(Exception):
    """Why there is no table."""


def main():
    options = parse_options()
    os.environ.update(dict.fromkeys(THREADS, str(options.threads)))
    names = options.only or [OURS, *PEERS[options.workload]]
    commands, versions = {}, {}
    for name in names:
        try:
            commands[name] = ours(options) if name == OURS else peer(name, options, versions)
        except Unavailable as reason:
            print(f"skipping {name}: {reason}", file=sys.stderr)

    records = []
    for number in range(1, options.rounds + 1):
        for name, command in commands.items():
            print(f"round {number} of {options.rounds}: {name}", file=sys.stderr)
            epochs = run_ours(command, MEASURES[options.workload]) if name == OURS else run_peer(command)
            if [epoch["epoch"] for epoch in epochs] != list(range(1, options.epochs + 1)):
                raise RunFailed(f"{name}: expected {options.epochs} epochs, got {len(epochs)}")
            records += [{**epoch, "peer": name, "round": number} for epoch in epochs]

    if records:
        print(report(records, versions, options))
    if options.json:
        experiment = {key: getattr(options, key) for key in told(options)}
        content = {"workload": options.workload, "experiment": experiment, "versions": versions, "epochs": records}
        options.json.write_text(json.dumps(content, indent=1) + "\n")
    return 0 if len(commands) == len(names) else SKIPPED


def parse_options():
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--workload", choices=list(PEERS), default="mnist",
                        help="mnist, in any size, or an example as it is (default: %(default)s)")
    mnist.add_options(parser, epochs=5)
    parser.add_argument("--rounds", type=mnist.positive, default=3, metavar="N",
                        help="how often all of them run, in turn (default: %(default)s)")
    parser.add_argument("--only", nargs="+", choices=list(LABELS), metavar="NAME",
                        help=f"what to run, of {', '.join(LABELS)} (default: all that the workload has)")
    for module in ["torch", "jax"]:
        parser.add_argument(f"--{module}-python", type=interpreter, metavar="PATH",
                            help=f"interpreter that has {module} (default: that of an environment "
                                 "made from requirements.txt in the user's cache directory)")
    parser.add_argument("--ours-command", metavar="TEMPLATE",
                        help="command that trains ours and writes {run_dir}/history.csv, started in "
                             "the repository's root; may also contain "
                             f"{', '.join(f'{{{key}}}' for key in EXPERIMENT)} (default: {OURS_COMMANDS['mnist']})")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every epoch to FILE, too")
    options = parser.parse_args()

    if options.epochs < 2:
        parser.error("argument --epochs: expected at least 2, as the first is left out, got 1")
    for key in SIZES:
        if key not in told(options) and getattr(options, key) != parser.get_default(key):
            parser.error(f"argument --{key.replace('_', '-')}: the example {options.workload} fixes it")
    for name in options.only or []:
        if name not in [OURS, *PEERS[options.workload]]:
            parser.error(f"argument --only: the workload {options.workload} has no {name}")
    if options.only:
        options.only = list(dict.fromkeys(options.only))
    if options.json and (options.json.is_dir() or not options.json.parent.is_dir()):
        parser.error(f"argument --json: expected a file in a directory that exists, got {options.json}")
    try:
        ours_arguments(options)
    except (LookupError, ValueError) as error:
        parser.error(f"argument --ours-command: {error!r} in {options.ours_command!r}")
    return options


def interpreter(text):
    path = shutil.which(text)
    if not path:
        raise argparse.ArgumentTypeError(f"no program {text}")
    # Not resolved: an environment is where its link lies. Absolute, as runs start in the root.
    return os.path.abspath(path)


def told(options):
    """The settings that the peers of a workload take."""
    return [key for key in EXPERIMENT if options.workload == "mnist" or key not in SIZES]


def ours_arguments(options):
    """Our command, with `{run_dir}` left to fill in."""
    values = {key: getattr(options, key) for key in EXPERIMENT} | {"run_dir": "{run_dir}"}
    command = options.ours_command
    words = shlex.split(OURS_COMMANDS[options.workload] if command is None else command)
    if not any("{run_dir}" in word for word in words):
        raise ValueError("no {run_dir}")
    return [word.format(**values) for word in words]


def ours(options):
    arguments = ours_arguments(options)
    # Either on the PATH or, as that is where it starts, relative to the root.
    if not (shutil.which(arguments[0]) or shutil.which(ROOT / arguments[0])):
        raise Unavailable(f"no program {arguments[0]}")
    return arguments


def peer(name, options, versions):
    """The command of a peer; adds the versions of its modules to `versions`."""
    [script, *arguments], modules = PEERS[options.workload][name]
    python = getattr(options, f"{modules[0]}_python") or environment()
    if not python:
        raise Unavailable("the installation of requirements.txt failed")
    try:
        for module in modules:
            versions[module] = output([python, "-c", f"import {module} as m; print(m.__version__)"]).strip()
    except RunFailed:
        raise Unavailable(f"{python} cannot import {' and '.join(modules)}") from None
    settings = [f"--{key.replace('_', '-')}={getattr(options, key)}" for key in told(options)]
    return [python, str(HERE / script), *arguments, *settings]


@functools.cache
def environment():
    """The interpreter of an environment that has requirements.txt, or None if that cannot be made."""
    requirements = HERE / "requirements.txt"
    version = platform.python_version()
    digest = hashlib.sha256(requirements.read_bytes() + version.encode()).hexdigest()
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    directory = cache / "burn-lr" / f"peers-{digest[:12]}"
    python = str(directory / ("Scripts/python.exe" if os.name == "nt" else "bin/python"))
    complete = directory / "complete"
    if not complete.exists():
        print(f"installing the peers in {directory}", file=sys.stderr)
        try:
            output([sys.executable, "-m", "venv", "--clear", str(directory)])
            output([python, "-m", "pip", "install", "--quiet", "-r", str(requirements)])
        except RunFailed:
            return None
        complete.touch()
    return python


def run_ours(arguments, measure):
    with tempfile.TemporaryDirectory() as directory:
        run_dir = Path(directory) / "run"
        output([word.replace("{run_dir}", str(run_dir)) for word in arguments])
        try:
            with open(run_dir / "history.csv", newline="") as file:
                rows = list(csv.DictReader(file))
            columns = ["seconds", "train_loss", f"train_{measure}", "valid_loss", f"valid_{measure}", "lr"]
            return [
                {"epoch": int(row["epoch"])} | {column: float(row[column]) for column in columns}
                for row in rows
            ]
        except (OSError, LookupError, TypeError, ValueError) as error:
            raise RunFailed(f"{OURS}: history.csv: {error!r}") from None


def run_peer(command):
    try:
        return [json.loads(line) for line in output(command).splitlines()]
    except ValueError as error:
        raise RunFailed(f"{command[1]}: {error}") from None


def output(command):
    """What a command prints, in the repository's root; its errors go where ours go."""
    try:
        run = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    except OSError as error:
        raise RunFailed(f"{command[0]}: {error.strerror}") from None
    if run.returncode:
        raise RunFailed(f"exit status {run.returncode} from: {shlex.join(command)}")
    return run.stdout


def report(records, versions, options):
    """What was measured, and the table in Markdown."""
    measured = {}
    for record in records:
        if record["epoch"] > 1:
            measured.setdefault(record["peer"], []).append(record)
    ours_seconds = median(measured[OURS], "seconds") if OURS in measured else None

    versions = [f"{module} {version}" for module, version in versions.items()]
    machine = f"{platform.system()} {platform.machine()}"
    measure = MEASURES[options.workload]
    sized = options.workload == "mnist"
    experiment = (
        f"{options.train_samples} images in batches of {options.batch}, network "
        f"{mnist.PIXELS}-{options.hidden}-{mnist.CLASSES}" if sized else f"The example {options.workload}"
    )
    lines = [
        f"{experiment}; "
        + ", ".join([f"{options.threads} threads on {os.cpu_count()} CPUs", machine, *versions])
        + ".",
        f"Medians of the epochs from 2 to {options.epochs}; runs of each: {options.rounds}.",
        "",
        "| | epoch, s | min–max | training alone, s |" + " images/s |" * sized
        + f" time / ours | validation {measure} |",
        "|---|--:|--:|--:|" + "--:|" * sized + "--:|--:|",
    ]
    for name, epochs in measured.items():
        seconds = median(epochs, "seconds")
        every = [epoch["seconds"] for epoch in epochs]
        last = [epoch for epoch in epochs if epoch["epoch"] == options.epochs]
        reached = median(last, f"valid_{measure}")
        cells = [
            LABELS[name],
            f"{seconds:.3f}",
            f"{min(every):.3f}–{max(every):.3f}",
            "–" if name == OURS else f"{median(epochs, 'train_seconds'):.3f}",
            *([f"{options.train_samples / seconds:.0f}"] if sized else []),
            f"{seconds / ours_seconds:.2f}" if ours_seconds else "–",
            f"{100 * reached:.2f} %" if measure == "accuracy" else f"{reached:.2f}",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def median(epochs, column):
    return statistics.median(epoch[column] for epoch in epochs)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except RunFailed as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(FAILED)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
