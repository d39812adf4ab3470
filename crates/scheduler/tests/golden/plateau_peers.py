"""Writes keras.json and optax.json, the golden files of ../plateau_peers.rs.

    pip install keras==3.15.1 optax==0.2.8 jax==0.10.2
    python plateau_peers.py

A case holds what differs from the preset of ReduceLrOnPlateau, the metrics, one an epoch, null for
NaN, and the rate after each.
"""

import json
import math
import os
import random
from pathlib import Path

os.environ["KERAS_BACKEND"] = "jax"

import jax

jax.config.update("jax_enable_x64", True)

import jax.numpy as jnp
import keras
import optax

HERE = Path(__file__).parent


def noisy_fall(seed, length=80, decay=0.95, noise=0.05):
    source = random.Random(seed)
    return [round(decay**i + noise * source.random(), 4) for i in range(length)]


FLAT = [0.5] * 60
FALLING = noisy_fall(1)
RISING = [round(1.5 - m, 4) for m in noisy_fall(2, decay=0.9)]
JUMPS = [round(abs(math.sin(0.7 * i)) + 0.001, 4) for i in range(80)]
# Improves now and then in the middle of a cooldown.
STEPS = [round(1.0 - 0.1 * (i // 6) + 0.01 * (i % 5), 4) for i in range(60)]
# Not at first: a NaN there is Keras's best for ever.
HOLES = [None if i % 7 == 3 or 40 < i < 52 else m for i, m in enumerate(FALLING)]


def value(metric):
    return math.nan if metric is None else metric


class Optimizer:
    """Keras's own keeps its rate as an f32; the callback reads and sets this attribute alone."""

    def __init__(self, learning_rate):
        self.learning_rate = learning_rate


class Model:
    def __init__(self, learning_rate):
        self.optimizer = Optimizer(learning_rate)


def keras_case(lr, metrics, renamed):
    parameters = {"mode": "min", **renamed}
    if "threshold" in parameters:
        parameters["min_delta"] = parameters.pop("threshold")
    callback = keras.callbacks.ReduceLROnPlateau(monitor="metric", **parameters)
    callback.set_model(Model(lr))
    callback.on_train_begin()
    after = []
    for epoch, metric in enumerate(metrics):
        callback.on_epoch_end(epoch, {"metric": value(metric)})
        after.append(float(callback.model.optimizer.learning_rate))
    return {"initial_lr": lr, "with": renamed, "metrics": metrics, "lrs": after}


def optax_case(lr, metrics, renamed):
    parameters = dict(renamed)
    if "min_lr" in parameters:
        parameters["min_scale"] = parameters.pop("min_lr") / lr
    if "threshold" in parameters:
        absolute = parameters.pop("threshold_mode", "rel") == "abs"
        threshold = parameters.pop("threshold")
        parameters |= {"rtol": 0.0, "atol": threshold} if absolute else {"rtol": threshold}
    transform = optax.contrib.reduce_on_plateau(**parameters)
    gradient = jnp.ones((), dtype=jnp.float64)
    state = transform.init(gradient)
    after = []
    for metric in metrics:
        _, state = transform.update(gradient, state, value=value(metric))
        after.append(lr * float(state.scale))
    return {"initial_lr": lr, "with": renamed, "metrics": metrics, "lrs": after}


SHARED = [
    (0.1, FLAT, {}),
    (0.1, FLAT, {"patience": 1, "factor": 0.7}),
    (0.3, FALLING, {"patience": 1, "factor": 0.9}),
    (0.3, FALLING, {"patience": 3, "factor": 0.5, "cooldown": 4}),
    (0.3, FLAT, {"patience": 2, "factor": 0.5, "cooldown": 1}),
    (0.3, FLAT, {"patience": 2, "factor": 0.5, "cooldown": 2}),
    (0.3, FLAT, {"patience": 1, "factor": 0.8, "cooldown": 3}),
    (0.07, FALLING, {"patience": 2, "factor": 0.3, "min_lr": 0.001}),
    (0.07, FLAT, {"patience": 1, "factor": 0.3, "min_lr": 0.001, "cooldown": 3}),
    (1.0, STEPS, {"patience": 2, "factor": 0.5, "cooldown": 5}),
    (1.0, STEPS, {"patience": 3, "factor": 0.9}),
    (0.1, HOLES, {"patience": 3, "factor": 0.5}),
    (0.1, HOLES, {"patience": 2, "factor": 0.9, "cooldown": 2}),
    (0.1, JUMPS, {"patience": 5, "factor": 0.3, "cooldown": 7, "min_lr": 1e-5}),
    (1.0, FALLING, {"patience": 3, "factor": 0.6, "threshold": 0.05}),
]
KERAS = [
    (0.1, FALLING, {"patience": 0, "factor": 0.95}),
    (2.0, RISING, {"mode": "max", "patience": 4, "factor": 0.5}),
    (2.0, RISING, {"mode": "max", "patience": 2, "factor": 0.8, "threshold": 0.02, "cooldown": 2}),
    (0.1, [-m for m in RISING], {"patience": 2, "factor": 0.5}),
]
OPTAX = [(1.0, FALLING, {"patience": 3, "factor": 0.6, "threshold": 0.1, "threshold_mode": "abs"})]


def write(name, versions, make, parameters):
    lines = ",\n".join(json.dumps(make(*p), separators=(",", ":")) for p in parameters)
    path = HERE / f"{name}.json"
    path.write_text(f'{{"versions":{json.dumps(versions)},"cases":[\n{lines}\n]}}\n')
    print(f"{path.name}: {len(parameters)} cases, {path.stat().st_size} bytes")


if __name__ == "__main__":
    write("keras", {"keras": keras.__version__}, keras_case, SHARED + KERAS)
    versions = {"optax": optax.__version__, "jax": jax.__version__}
    write("optax", versions, optax_case, SHARED + OPTAX)
