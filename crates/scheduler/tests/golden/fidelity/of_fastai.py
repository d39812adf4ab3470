"""fastai: functions of the share of the run, and the learner's methods that set them. Of its module, which imports
all of fastai, only the definitions of those are run."""

import ast
import importlib.util
import math
import sys
import types
from pathlib import Path

import numpy

import stand_ins
from cases import Cases, constant, sequence, warmup

METHODS = ["fit_one_cycle", "fit_flat_cos", "fit_sgdr"]
USED = {"_Annealer", "sched_lin", "sched_cos", "sched_no", "sched_exp", "SchedLin", "SchedCos", "SchedNo", "SchedExp"}
USED |= {"SchedPoly", "combine_scheds", "combined_cos", *METHODS}
SHARES = "fastai's sum of shares is rounded to another step"


def module():
    if stand_ins.FOLDER:
        return Path(stand_ins.FOLDER, "fastai/fastai/callback/schedule.py")
    return Path(importlib.util.find_spec("fastai").submodule_search_locations[0], "callback/schedule.py")


class Shares(numpy.ndarray):
    """As much of a tensor of 64 bits as the functions ask for."""

    def nonzero(self):
        return numpy.ndarray.nonzero(self)[0]


def tensor(values):
    return numpy.asarray(list(values), dtype=float).view(Shares)


def store_attr(names):
    """fastcore's: the caller's arguments as attributes of its `self`."""
    given = sys._getframe(1).f_locals
    for name in names.split(","):
        setattr(given["self"], name, given[name])


names = lambda node: {getattr(node, "name", None)}
tree = ast.parse(module().read_text())
tree.body = [node for node in tree.body if names(node) & USED]
theirs = {
    "math": math,
    "np": numpy,
    "tensor": tensor,
    "L": lambda values=None: list(values or []),
    "patch": lambda f: f,
}
theirs |= {"torch": types.SimpleNamespace(all=numpy.all, cumsum=lambda values, axis: numpy.cumsum(values).view(Shares))}
theirs |= {"Learner": object, "ParamScheduler": lambda scheds: [scheds], "store_attr": store_attr}
exec(compile(tree, "schedule.py", "exec"), theirs)


class Learner:
    """What the methods set for the rate."""

    moms = (0.95, 0.85, 0.95)

    def __init__(self, lr):
        self.lr = lr
        self.opt = types.SimpleNamespace(hypers=[{"lr": lr}], set_hyper=lambda name, value: None)

    def fit(self, n_epoch, cbs=None, **named):
        self.rate = cbs[0]["lr"]


def method(name, lr, *arguments, **named):
    learner = Learner(lr)
    theirs[name](learner, *arguments, **named)
    return lambda share: float(numpy.asarray(learner.rate(share)).reshape(-1)[0])


def by_step(rate, length):
    """As the callback has it: before batch number `step` of `length`."""
    return lambda step: rate(step / length)


def run(draw):
    """Epochs, updates per epoch, and all updates."""
    epochs, updates = draw.randint(1, 20), draw.randint(5, 300)
    return epochs, updates, epochs * updates


def one_cycle(cases):
    draw = cases.draw
    lr, (epochs, updates, n) = draw.rate(), run(draw)
    arguments = {}
    for argument, values in {
        "div": [25.0, 10.0, 1.0],
        "div_final": [1e5, 1e3],
        "pct_start": [0.25, 0.3, draw.number(0.01, 0.9)],
    }.items():
        if draw.maybe():
            arguments[argument] = draw.choice(values)
    div, final, first = arguments.get("div", 25.0), arguments.get("div_final", 1e5), arguments.get("pct_start", 0.25)
    # PyTorch's phases are a step shorter than their shares.
    fields = {"max_lr": lr, "total_steps": n + 1, "pct_start": (first * n + 1) / (n + 1)}
    ours = {"OneCycleLr": {**fields, "div_factor": div, "final_div_factor": final / div}}
    rates = by_step(method("fit_one_cycle", lr, epochs, **arguments), n)
    shown = {"lr_max": lr, "n_epoch": epochs, "updates_per_epoch": updates, **arguments}
    cases.equal("fit_one_cycle", shown, ours, rates, [first * n, n], before=n)


def flat_cos(cases):
    draw = cases.draw
    lr, (epochs, updates, n) = draw.rate(), run(draw)
    arguments = {}
    if draw.maybe():
        arguments["div_final"] = draw.choice([1e5, 1e3, 10.0])
    if draw.maybe():
        arguments["pct_start"] = draw.choice([0.5, 0.72, draw.number(0.01, 0.95)])
    final, first = arguments.get("div_final", 1e5), arguments.get("pct_start", 0.75)
    flat = first * n
    if flat == int(flat):
        ours = {"FlatCosine": {"initial_lr": lr, "flat": int(flat), "decay": n - int(flat), "end_lr": lr / final}}
    else:
        # The flat part ends between two steps.
        fields = {"max_lr": lr, "total_steps": n + 1, "pct_start": (flat + 1) / (n + 1), "div_factor": 1.0}
        ours = {"OneCycleLr": {**fields, "final_div_factor": final}}
    rates = by_step(method("fit_flat_cos", lr, epochs, **arguments), n)
    shown = {"lr": lr, "n_epoch": epochs, "updates_per_epoch": updates, **arguments}
    cases.equal("fit_flat_cos", shown, ours, rates, [flat, n], before=n)


def sgdr(cases):
    draw = cases.draw
    lr, updates, cycles, first = draw.rate(), draw.randint(5, 100), draw.randint(1, 4), draw.randint(1, 3)
    arguments = {"n_cycles": cycles, "cycle_len": first}
    if draw.maybe():
        arguments["cycle_mult"] = draw.choice([2, 3])
    mul = arguments.get("cycle_mult", 2)
    lengths = [updates * first * mul**number for number in range(cycles)]
    n, starts = sum(lengths), [sum(lengths[:number]) for number in range(cycles)]
    if sum(length / n for length in lengths) != 1.0:
        # It refuses shares that add up to another number by a rounding error.
        return sgdr(cases)
    fields = {"initial_lr": lr, "cycle_length": lengths[0], "cycle_mul": float(mul), "cycle_limit": cycles}
    rate = method("fit_sgdr", lr, **arguments)
    exact = theirs["SchedCos"](lr, 0)

    def departs(step):
        number = sum(start <= step for start in starts) - 1
        return SHARES, exact((step - starts[number]) / lengths[number])

    shown = {"lr_max": lr, "updates_per_epoch": updates, **arguments}
    cases.equal("fit_sgdr", shown, {"CosineDecayCycles": fields}, by_step(rate, n), starts, departs, before=n)


def annealer(draw, length):
    """One of the functions from a rate to another, and ours over a length of steps."""
    kind = draw.choice(["SchedLin", "SchedCos", "SchedNo", "SchedExp", "SchedPoly"])
    start, end = draw.rate(), draw.rate()
    if kind == "SchedNo":
        return kind, {"start": start, "end": end}, theirs[kind](start, end), constant(start)
    if kind == "SchedExp":
        ours = warmup(constant(end), length, kind="exponential", start_lr=start)
    elif kind == "SchedPoly":
        power = draw.choice([0.5, 1.0, 2.0, 3.0])
        fields = {"peak_lr": start, "warmup": 0, "stable": 0, "decay": length, "end_lr": end}
        ours = {"WarmupStableDecay": {**fields, "decay_kind": "1-power", "decay_power": power}}
        return kind, {"start": start, "end": end, "power": power}, theirs[kind](start, end, power), ours
    else:
        shape = {"SchedLin": "linear", "SchedCos": "cosine"}[kind]
        ours = {"values": [start, end], "boundaries": [length], "interpolation": shape}
        ours = {"PiecewiseInterpolate": ours}
    return kind, {"start": start, "end": end}, theirs[kind](start, end), ours


def single(cases):
    draw = cases.draw
    n = draw.length(low=12)
    kind, arguments, rate, ours = annealer(draw, n)
    rates, shown = by_step(rate, n), {"updates": n, **arguments}
    if kind == "SchedPoly" and arguments["end"] > arguments["start"]:
        return cases.refused(kind, shown, "end_lr", "a power that rises, slowly at first", ours, rates)
    cases.equal(kind, shown, ours, rates, [n // 2, n], before=n)


def combined(cases):
    draw = cases.draw
    shares = draw.choice(
        [[0.25, 0.75], [0.5, 0.25, 0.25], [0.5, 0.5], [0.125, 0.375, 0.5], [0.3, 0.7], [0.1, 0.4, 0.5]]
    )
    n = 40 * draw.randint(1, 200)
    lengths = [round(share * n) for share in shares]
    starts = [sum(lengths[:number]) for number in range(len(lengths))]
    parts = [annealer(draw, length) for length in lengths]
    if any(kind == "SchedPoly" and given["end"] > given["start"] for kind, given, _, _ in parts):
        return combined(cases)

    def departs(step):
        number = sum(start <= step for start in starts) - 1
        return SHARES, parts[number][2]((step - starts[number]) / lengths[number])

    shown = {"updates": n, "pcts": shares, "scheds": [{kind: given} for kind, given, _, _ in parts]}
    rates = by_step(theirs["combine_scheds"](shares, [rate for _, _, rate, _ in parts]), n)
    ours = sequence([ours for _, _, _, ours in parts], starts[1:])
    cases.equal("combine_scheds", shown, ours, rates, starts, departs, before=n)


def cases(seed):
    source = "the definitions in the package's callback/schedule.py, at exact shares, which are made to keep 64 bits"
    cases = Cases(seed, stand_ins.version("fastai", "fastai"), source)
    for _ in range(40):
        for kind in (one_cycle, flat_cos, sgdr, single, combined):
            kind(cases)
    return cases
