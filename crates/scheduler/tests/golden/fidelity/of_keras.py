"""Keras, called with the number of a step, on JAX with 64 bits."""

import math
from fractions import Fraction

import jax.numpy
import keras
from keras.src import ops

from cases import Cases, Unsteady, constant, cycle, end_of_cycles, nudged, warmup

keras.config.set_floatx("float64")
# Keras casts what these are given to 32 bits, also where it has 64.
ops.cos, ops.log, ops.floor, ops.ceil = jax.numpy.cos, jax.numpy.log, jax.numpy.floor, jax.numpy.ceil
schedules = keras.optimizers.schedules

ROUNDED = "Keras rounds a share to a whole number of cycles or stairs that is another one"
RISES = "an `alpha` above 1: a cosine that rises"


def by_step(schedule):
    return lambda step: float(schedule(step))


def stairs(size, function):
    """Whether floating-point division finds another number of stairs than there are."""

    def departs(step):
        counted, exact = math.floor(step / size), math.floor(Fraction(step) / Fraction(size))
        return None if counted == exact else (ROUNDED, nudged(function, step, counted, exact))

    return departs


def size(draw):
    return draw.choice([draw.length(), draw.length(), draw.length(), draw.number(0.5, 80)])


def smooth(cases, name, ours):
    draw = cases.draw
    arguments = {"initial_learning_rate": draw.rate(), "decay_steps": size(draw)}
    rates = [0.0, 0.5, 0.96, 1.0, 1.02, 2.0]
    arguments["decay_rate"] = draw.choice(rates if name == "ExponentialDecay" else [*rates, -0.001])
    if draw.maybe():
        arguments["staircase"] = draw.maybe()
    document = {ours: {"initial_lr": arguments["initial_learning_rate"], **arguments}}
    del document[ours]["initial_learning_rate"]
    function, steps = by_step(getattr(schedules, name)(**arguments)), arguments["decay_steps"]
    if arguments["decay_rate"] == 0 and name == "ExponentialDecay":
        return cases.refused(name, arguments, "decay_rate", "0", document, function)
    if arguments["decay_rate"] < 0:
        return cases.refused(name, arguments, "decay_rate", "negative", document, function)
    departs = stairs(steps, function) if arguments.get("staircase") else None
    cases.equal(name, arguments, document, function, [steps, 3 * steps, 10 * steps], departs)


def pieces(cases):
    draw = cases.draw
    boundaries = sorted(draw.sample(range(draw.choice([9, 90, 9000])), draw.randint(1, 5)))
    values = [draw.choice([draw.rate(), 0.0, draw.rate()]) for _ in range(len(boundaries) + 1)]
    ours = {"PiecewiseConstant": {"values": values, "boundaries": [boundary + 1 for boundary in boundaries]}}
    arguments = {"boundaries": boundaries, "values": values}
    function = by_step(schedules.PiecewiseConstantDecay(**arguments))
    cases.equal("PiecewiseConstantDecay", arguments, ours, function, boundaries)


def polynomial(cases):
    draw = cases.draw
    arguments = {"initial_learning_rate": draw.rate(), "decay_steps": size(draw)}
    if draw.maybe(0.7):
        arguments["end_learning_rate"] = draw.choice([0.0, 1e-5, draw.rate()])
    if draw.maybe():
        arguments["power"] = draw.choice([0.5, 1.0, 2.0, 3.0, 0.0])
    if draw.maybe():
        arguments["cycle"] = draw.maybe(0.7)
    ours = {"initial_lr": arguments["initial_learning_rate"], "length": arguments["decay_steps"]}
    ours |= {"end_lr": arguments.get("end_learning_rate", 1e-4), "power": arguments.get("power", 1.0)}
    document = {"PolynomialDecay": {**ours, "cycle": arguments.get("cycle", False)}}
    function, steps = by_step(schedules.PolynomialDecay(**arguments)), arguments["decay_steps"]
    if arguments.get("power") == 0:
        return cases.refused("PolynomialDecay", arguments, "power", "0 or less", document, function)

    def departs(step):
        counted, exact = math.ceil(step / steps), math.ceil(Fraction(step) / Fraction(steps))
        differs = arguments.get("cycle") and counted != exact
        return (ROUNDED, nudged(function, step, counted, exact)) if differs else None

    highest = max(arguments["initial_learning_rate"], ours["end_lr"])
    ends, without = [steps, 2 * steps, 5 * steps], Unsteady(function, highest)
    cases.equal("PolynomialDecay", arguments, document, function, ends, departs, without=without)


def cosine(cases):
    draw = cases.draw
    arguments = {"initial_learning_rate": draw.choice([0.0, draw.rate(), draw.rate()]), "decay_steps": size(draw)}
    if draw.maybe():
        arguments["alpha"] = draw.choice([0.0, 0.1, 1.0, draw.number(0, 1), 1.5])
    if draw.maybe():
        arguments["warmup_target"] = draw.choice([None, draw.rate(), draw.rate()])
        arguments["warmup_steps"] = draw.length(low=0, high=2000)
    lr, target, length = (
        arguments["initial_learning_rate"],
        arguments.get("warmup_target"),
        arguments.get("warmup_steps", 0),
    )
    top = lr if target is None else target
    ours = {"initial_lr": top, "t_max": arguments["decay_steps"], "eta_min": arguments.get("alpha", 0.0) * top}
    document = {"CosineAnnealingLr": ours}
    if target is None:
        length = 0
    else:
        document = warmup(document, length, start_lr=lr)
    function = by_step(schedules.CosineDecay(**arguments))
    if arguments.get("alpha", 0.0) > 1 and top > 0:
        return cases.refused("CosineDecay", arguments, "eta_min", RISES, document, function)
    cases.equal("CosineDecay", arguments, document, function, [length, length + arguments["decay_steps"]])


def restarts(cases):
    draw = cases.draw
    arguments = {"initial_learning_rate": draw.rate(), "first_decay_steps": size(draw)}
    if draw.maybe(0.7):
        arguments["t_mul"] = draw.choice([1.0, 2.0, 1.5, 3.0, 0.5, 0.9, draw.number(1.1, 4)])
    if draw.maybe():
        arguments["m_mul"] = draw.choice([1.0, 0.9, 0.5, 1.2, 0.1])
    if draw.maybe():
        arguments["alpha"] = draw.choice([0.0, 0.1, draw.number(0, 1), 1.3])
    lr, first, mul = arguments["initial_learning_rate"], arguments["first_decay_steps"], arguments.get("t_mul", 2.0)
    ours = {"initial_lr": lr, "cycle_length": first, "cycle_mul": mul, "cycle_decay": arguments.get("m_mul", 1.0)}
    document = {"CosineDecayCycles": {**ours, "min_lr": arguments.get("alpha", 0.0) * lr, "peaks": "height"}}
    name = "CosineDecayRestarts"
    function = by_step(schedules.CosineDecayRestarts(**arguments))
    if arguments.get("alpha", 0.0) > 1:
        return cases.refused(name, arguments, "min_lr", RISES, document, function)

    def departs(step):
        done = step / first
        theirs = done if mul == 1 else float(jax.numpy.log(1.0 - done * (1.0 - mul)) / jax.numpy.log(mul))
        counted, exact = math.floor(theirs), cycle(step, first, mul)
        return None if counted == exact else (ROUNDED, nudged(function, step, counted, exact))

    # Cycles that shorten end, and Keras with NaN.
    before = end_of_cycles(first, mul)
    boundaries = [sum(first * mul**i for i in range(cycles)) for cycles in range(1, 5)]
    cases.equal(name, arguments, document, function, map(math.ceil, boundaries), departs, before=before)


def edges(cases):
    """What Keras accepts and ours does not."""
    lr, first = cases.draw.rate(), 20
    arguments = {"initial_learning_rate": lr, "first_decay_steps": first, "m_mul": 0.0}
    fields = {"initial_lr": lr, "cycle_length": first, "cycle_mul": 2.0, "cycle_decay": 0.0, "peaks": "height"}
    rates = by_step(schedules.CosineDecayRestarts(**arguments))
    cases.refused(
        "CosineDecayRestarts", arguments, "cycle_decay", "an `m_mul` of 0", {"CosineDecayCycles": fields}, rates
    )
    for name, ours, value, reason in [
        ("factor", "factor", 0.0, "0"),
        ("min_delta", "threshold", -0.1, "negative"),
        ("patience", "patience", -1, "negative"),
    ]:
        lr = cases.draw.rate()
        keras.callbacks.ReduceLROnPlateau(monitor="metric", **{name: value})
        document = {"base": constant(lr), "threshold_mode": "abs", "counting": "keras", ours: value}
        shown = {"lr": lr, name: value}
        cases.refused("ReduceLROnPlateau", shown, ours, reason, {"ReduceLrOnPlateau": document})


class Model:
    """Keras's own optimizer keeps its rate as an f32; the callback reads and sets this attribute alone."""

    class Optimizer:
        pass

    def __init__(self, lr):
        self.optimizer = self.Optimizer()
        self.optimizer.learning_rate = lr


def plateau(cases):
    draw = cases.draw
    lr, name = draw.rate(), "ReduceLROnPlateau"
    arguments = {"mode": draw.choice(["min", "max"])}
    for argument, values in {
        "factor": [0.1, 0.5, 0.9],
        "patience": [0, 1, 2, 5, 10],
        "min_delta": [1e-4, 0.0, 0.05],
        "cooldown": [0, 1, 2, 4],
        "min_lr": [0.0, lr / 50, 2 * lr],
    }.items():
        if draw.maybe(0.7):
            arguments[argument] = draw.choice(values)
    shown = {"lr": lr, **arguments}
    given = {"factor": 0.1, "patience": 10, "min_delta": 1e-4, "cooldown": 0, "min_lr": 0.0, **arguments}
    ours = {"base": constant(lr), **given, "threshold": given["min_delta"], "threshold_mode": "abs"}
    del ours["min_delta"]
    ours |= {"eps": 0.0, "counting": "keras"}
    if draw.maybe(0.05):
        reason = "`auto`: a plateau does not know the metric's name"
        return cases.refused(
            name, {**shown, "mode": "auto"}, "mode", reason, {"ReduceLrOnPlateau": {**ours, "mode": "auto"}}
        )
    callback = keras.callbacks.ReduceLROnPlateau(monitor="metric", **arguments)
    callback.set_model(Model(lr))
    callback.on_train_begin()
    metrics, after = draw.metrics(negative=draw.maybe(0.3)), []
    for epoch, metric in enumerate(metrics):
        callback.on_epoch_end(epoch, {"metric": metric})
        after.append(float(callback.model.optimizer.learning_rate))
    cases.observed(name, shown, {"ReduceLrOnPlateau": ours}, metrics, after)


def cases(seed):
    cases = Cases(
        seed,
        keras.__version__,
        "the installed package, on JAX with 64 bits, which its cosine and logarithm are made to keep",
    )
    for _ in range(35):
        smooth(cases, "ExponentialDecay", "ExponentialDecay")
        smooth(cases, "InverseTimeDecay", "InverseTimeDecay")
        pieces(cases)
        polynomial(cases)
        cosine(cases)
        restarts(cases)
        plateau(cases)
    for _ in range(15):
        polynomial(cases)
        restarts(cases)
    edges(cases)
    return cases
