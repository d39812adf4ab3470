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
from cases import ROUNDED, Cases, constant, sequence, warmup

METHODS = ["fit_one_cycle", "fit_flat_cos", "fit_sgdr"]
USED = {"_Annealer", "sched_lin", "sched_cos", "sched_no", "sched_exp", "SchedLin", "SchedCos", "SchedNo", "SchedExp"}
USED |= {"SchedPoly", "combine_scheds", "combined_cos", *METHODS}
SHARES = "fastai's sum of shares is rounded to another step"
SINGLE = "fastai has the shares of parts in single precision, and adds up that of the run batch by batch"
# How far apart that makes them, of the highest rate, but for a part that begins a step early or late.
SINGLE_APART = 1e-5


def module():
    if stand_ins.FOLDER:
        return Path(stand_ins.FOLDER, "fastai/fastai/callback/schedule.py")
    return Path(importlib.util.find_spec("fastai").submodule_search_locations[0], "callback/schedule.py")


class Shares(numpy.ndarray):
    """As much of a tensor as the functions ask for."""

    def nonzero(self):
        return numpy.ndarray.nonzero(self)[0]


def store_attr(names):
    """fastcore's: the caller's arguments as attributes of its `self`."""
    given = sys._getframe(1).f_locals
    for name in names.split(","):
        setattr(given["self"], name, given[name])


def defined(precision):
    """The definitions, with tensors of that precision."""
    tensor = lambda values: numpy.asarray(list(values), dtype=precision).view(Shares)
    # As PyTorch has it on a CPU: the sum itself is in double precision.
    cumsum = lambda values, axis: numpy.cumsum(values, dtype=float).astype(precision).view(Shares)
    names = {"math": math, "np": numpy, "tensor": tensor, "L": lambda values=None: list(values or [])}
    names |= {"torch": types.SimpleNamespace(all=numpy.all, cumsum=cumsum), "patch": lambda f: f}
    names |= {"Learner": object, "ParamScheduler": lambda scheds: [scheds], "store_attr": store_attr}
    exec(compile(tree, "schedule.py", "exec"), names)
    return names


tree = ast.parse(module().read_text())
tree.body = [node for node in tree.body if getattr(node, "name", None) in USED]
theirs, as_it_runs = defined(numpy.float64), defined(numpy.float32)


class Learner:
    """What the methods set for the rate."""

    moms = (0.95, 0.85, 0.95)

    def __init__(self, lr):
        self.lr = lr
        self.opt = types.SimpleNamespace(hypers=[{"lr": lr}], set_hyper=lambda name, value: None)

    def fit(self, n_epoch, cbs=None, **named):
        self.rate = cbs[0]["lr"]


def method(definitions, name, lr, *arguments, **named):
    learner = Learner(lr)
    definitions[name](learner, *arguments, **named)
    return lambda share: float(numpy.asarray(learner.rate(share)).reshape(-1)[0])


def by_step(rate, length):
    """Before batch number `step` of `length`, at its exact share."""
    return lambda step: rate(step / length)


def accumulated(rate, epochs, updates):
    """As the callbacks have it: the share is added up batch by batch, anew in every epoch."""

    def at(step):
        epoch, batches = divmod(step, updates)
        share = epoch / epochs
        for _ in range(batches):
            share += 1.0 / (updates * epochs)
        return rate(share)

    return at


def compared(cases, name, arguments, ours, make, spans, starts, exact=None, single=False):
    """A case of the function that `make` makes of the definitions, over epochs of updates, with parts that begin at
    `starts`; `exact` is what it gives where no sum of shares is rounded."""
    epochs, updates = spans
    n, rates = epochs * updates, by_step(make(theirs), epochs * updates)
    shown = {**arguments, "n_epoch": epochs, "updates_per_epoch": updates}
    if not single:
        departs = exact and (lambda step: (SHARES, exact(step)))
        return cases.equal(name, shown, ours, rates, [*starts, n], departs, before=n)
    right, there = exact or rates, accumulated(make(as_it_runs), epochs, updates)
    ends = {math.ceil(end) + before for end in [*starts, n] for before in (-1, 0)}
    highest = max(right(end) for end in ends if 0 <= end < n)

    def departs(step):
        value, at_start = right(step), any(abs(step - start) < 1.5 for start in starts)
        assert at_start or abs(there(step) - value) <= SINGLE_APART * highest, (name, shown, step)
        return SINGLE, value

    cases.equal(f"{name}, as it runs", shown, ours, there, [*starts, n], departs, before=n, tolerance=ROUNDED)


def run(draw):
    """Epochs and updates per epoch, and all updates."""
    epochs, updates = draw.randint(1, 20), draw.randint(5, 300)
    return (epochs, updates), epochs * updates


def one_cycle(cases, single=False):
    draw = cases.draw
    lr, (spans, n) = draw.rate(), run(draw)
    arguments = {}
    for argument, values in {
        "div": [25.0, 10.0, 1.0],
        "div_final": [1e5, 1e3],
        "pct_start": [0.25, 0.3, draw.number(0.01, 0.9), 0.0, 1.0],
    }.items():
        if draw.maybe():
            arguments[argument] = draw.choice(values)
    div, final, first = arguments.get("div", 25.0), arguments.get("div_final", 1e5), arguments.get("pct_start", 0.25)
    # PyTorch's phases are a step shorter than their shares.
    fields = {"max_lr": lr, "total_steps": n + 1, "pct_start": (first * n + 1) / (n + 1)}
    ours = {"OneCycleLr": {**fields, "div_factor": div, "final_div_factor": final / div}}
    make = lambda definitions: method(definitions, "fit_one_cycle", lr, spans[0], **arguments)
    compared(cases, "fit_one_cycle", {"lr_max": lr, **arguments}, ours, make, spans, [0, first * n], single=single)


def flat_cos(cases, single=False):
    draw = cases.draw
    lr, (spans, n) = draw.rate(), run(draw)
    arguments = {}
    if draw.maybe():
        arguments["div_final"] = draw.choice([1e5, 1e3, 10.0])
    if draw.maybe():
        arguments["pct_start"] = draw.choice([0.5, 0.72, draw.number(0.01, 0.95), 0.0, 1.0])
    final, first = arguments.get("div_final", 1e5), arguments.get("pct_start", 0.75)
    flat = first * n
    if flat == n:
        ours = constant(lr)
    elif flat == int(flat):
        ours = {"FlatCosine": {"initial_lr": lr, "flat": int(flat), "decay": n - int(flat), "end_lr": lr / final}}
    else:
        # The flat part ends between two steps.
        fields = {"max_lr": lr, "total_steps": n + 1, "pct_start": (flat + 1) / (n + 1), "div_factor": 1.0}
        ours = {"OneCycleLr": {**fields, "final_div_factor": final}}
    make = lambda definitions: method(definitions, "fit_flat_cos", lr, spans[0], **arguments)
    compared(cases, "fit_flat_cos", {"lr": lr, **arguments}, ours, make, spans, [0, flat], single=single)


def sgdr(cases, single=False):
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
        return sgdr(cases, single)
    fields = {"initial_lr": lr, "cycle_length": lengths[0], "cycle_mul": float(mul), "cycle_limit": cycles}
    of_cycle = theirs["SchedCos"](lr, 0)

    def exact(step):
        number = sum(start <= step for start in starts) - 1
        return of_cycle((step - starts[number]) / lengths[number])

    make = lambda definitions: method(definitions, "fit_sgdr", lr, **arguments)
    ours, spans = {"CosineDecayCycles": fields}, (n // updates, updates)
    compared(cases, "fit_sgdr", {"lr_max": lr, **arguments}, ours, make, spans, starts, exact, single)


def annealer(draw, length, edge=False):
    """One of the functions from a rate to another, and ours over a length of steps."""
    kind = draw.choice(["SchedLin", "SchedCos", "SchedNo", "SchedExp", "SchedPoly"])
    start, end = draw.rate(), draw.rate()
    if kind == "SchedNo":
        return kind, {"start": start, "end": end}, theirs[kind](start, end), constant(start)
    if kind == "SchedExp":
        ours = warmup(constant(end), length, kind="exponential", start_lr=start)
    elif kind == "SchedPoly":
        power = draw.choice([0.5, 1.0, 2.0, 3.0, *([0.0] if edge else [])])
        fields = {"peak_lr": start, "warmup": 0, "stable": 0, "decay": length, "end_lr": end}
        ours = {"WarmupStableDecay": {**fields, "decay_kind": "1-power", "decay_power": power}}
        return kind, {"start": start, "end": end, "power": power}, theirs[kind](start, end, power), ours
    else:
        shape = {"SchedLin": "linear", "SchedCos": "cosine"}[kind]
        ours = {"values": [start, end], "boundaries": [length], "interpolation": shape}
        ours = {"PiecewiseInterpolate": ours}
    return kind, {"start": start, "end": end}, theirs[kind](start, end), ours


def alone(cases):
    draw = cases.draw
    n = draw.length(low=12)
    kind, arguments, rate, ours = annealer(draw, n, edge=True)
    rates, shown = by_step(rate, n), {"updates": n, **arguments}
    if arguments.get("power") == 0:
        if arguments["end"] > arguments["start"]:
            return alone(cases)
        return cases.refused(kind, shown, "decay_power", "0", ours, rates)
    if kind == "SchedPoly" and arguments["end"] > arguments["start"]:
        return cases.refused(kind, shown, "end_lr", "a power that rises, slowly at first", ours, rates)
    cases.equal(kind, shown, ours, rates, [n // 2, n], before=n)


def combined(cases, single=False):
    draw = cases.draw
    shares = draw.choice(
        [[0.25, 0.75], [0.5, 0.25, 0.25], [0.5, 0.5], [0.125, 0.375, 0.5], [0.3, 0.7], [0.1, 0.4, 0.5]]
    )
    epochs, updates = draw.randint(1, 200), 40
    n = epochs * updates
    lengths = [round(share * n) for share in shares]
    starts = [sum(lengths[:number]) for number in range(len(lengths))]
    parts = [annealer(draw, length) for length in lengths]
    if any(kind == "SchedPoly" and given["end"] > given["start"] for kind, given, _, _ in parts):
        return combined(cases, single)

    def exact(step):
        number = sum(start <= step for start in starts) - 1
        return parts[number][2]((step - starts[number]) / lengths[number])

    shown = {"pcts": shares, "scheds": [{kind: given} for kind, given, _, _ in parts]}
    ours = sequence([ours for _, _, _, ours in parts], starts[1:])
    make = lambda definitions: definitions["combine_scheds"](shares, [rate for _, _, rate, _ in parts])
    compared(cases, "combine_scheds", shown, ours, make, (epochs, updates), starts, exact, single)


def cases(seed):
    source = "the definitions in the package's callback/schedule.py, at exact shares of 64 bits and as they run"
    cases = Cases(seed, stand_ins.version("fastai", "fastai"), source)
    for _ in range(40):
        for kind in (one_cycle, flat_cos, sgdr, alone, combined):
            kind(cases)
    for _ in range(10):
        for kind in (one_cycle, flat_cos, sgdr, combined):
            kind(cases, single=True)
    return cases
