"""Levanter: the configuration of its optimizer gives a schedule of optax. Of its module, which imports all of
Levanter, only the definitions of that are run."""

import ast
import importlib.util
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

import jax
import jax.numpy as jnp
import optax

import stand_ins
from cases import Cases, constant, sequence, warmup

jax.config.update("jax_enable_x64", True)

USED = {"OptimizerConfig", "_inv_sqrt_decay_schedule", "_convert_ratio_or_steps"}


def trainer():
    if stand_ins.FOLDER:
        return Path(stand_ins.FOLDER, "levanter/levanter/trainer.py")
    return Path(importlib.util.find_spec("levanter").submodule_search_locations[0], "trainer.py")


tree = ast.parse(trainer().read_text())
tree.body = [node for node in tree.body if getattr(node, "name", None) in USED]
theirs = {"jax": jax, "jnp": jnp, "optax": optax, "dataclass": dataclass, "Optional": Optional, "warnings": warnings}
theirs["GradientTransformation"] = optax.GradientTransformation
exec(compile(tree, "trainer.py", "exec"), theirs)


def steps_of(value, length):
    return int(value * length) if value < 1 else int(value)


def cases(seed):
    source = "the definitions in the package's trainer.py, in JAX with 64 bits"
    cases = Cases(seed, stand_ins.version("levanter", "levanter"), source)
    draw = cases.draw
    while len(cases.cases) < 200:
        lr, n = draw.rate(), draw.length(low=20)
        arguments = {"learning_rate": lr}
        for argument, values in {
            "min_lr_ratio": [0.0, 0.1, 0.5, 1.0, 1.5],
            "warmup": [0.0, 0.01, 0.1, draw.randint(1, n // 4)],
            "cooldown": [0.0, 0.1, 0.3, draw.randint(1, n // 4)],
            "lr_schedule": ["constant", "cosine", "linear", "inv_sqrt"],
        }.items():
            if draw.maybe(0.7):
                arguments[argument] = draw.choice(values)
        kind, low = arguments.get("lr_schedule", "cosine"), arguments.get("min_lr_ratio", 0.1) * lr
        w, down = steps_of(arguments.get("warmup", 0.01), n), steps_of(arguments.get("cooldown", 0.0), n)
        main = n - w - down
        if kind == "inv_sqrt":
            fields = {"max_lr": lr, "coefficient": 100 * lr, "exponent": -0.5, "warmup": 0}
            base = {"Clamped": {"base": {"Shifted": {"base": {"PowerLr": fields}, "by": w}}, "min_lr": low}}
        elif kind == "linear" and main > w:
            base = {"PolynomialDecay": {"initial_lr": lr, "end_lr": low, "length": main - w}}
        elif kind == "cosine":
            base = {"CosineAnnealingLr": {"initial_lr": lr, "t_max": main, "eta_min": low}}
        else:
            base = constant(lr)
        config = theirs["OptimizerConfig"](**arguments)
        schedule = config.lr_scheduler(n)
        ours = warmup(base, w, target_lr=lr)
        if down:
            # The cooldown starts from where the schedule would be after its own steps, the warmup not counted.
            there = {
                "constant": lr,
                "cosine": low,
                "linear": low if main > w else lr,
                "inv_sqrt": max(lr * min(1.0, (10_000 / max(main + w, 1)) ** 0.5), low),
            }[kind]
            ours = sequence(
                [ours, {"PolynomialDecay": {"initial_lr": there, "end_lr": low, "length": down}}], [n - down]
            )
        shown = {"num_train_steps": n, **arguments}
        if low > lr and kind == "cosine":
            reason = "a `min_lr_ratio` above 1: a cosine that rises"
            cases.refused(kind, shown, "eta_min", reason, ours, lambda step: float(schedule(step)))
            continue
        cases.equal(kind, shown, ours, lambda step: float(schedule(step)), [w, n - down, n])
    return cases
