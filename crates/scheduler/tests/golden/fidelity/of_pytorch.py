"""PyTorch, stepped as its users step it; cosines over long lengths by its closed form, since the errors of its
recursive one pile up."""

import math
from fractions import Fraction

import pytorch_combined
import stand_ins
import torch.optim.lr_scheduler as theirs
import torch.optim.swa_utils as swa
from cases import Cases
from pytorch_combined import SIMPLE, ours, simple

CLOSURE = "a function: in code, not in documents"
MULTIPLES = "PyTorch decays where a step is a multiple of `step_size`; with a fraction not every one of those is a step"


class Closed:
    def __init__(self, make, lr):
        self.scheduler = make(stand_ins.optimizer(lr))

    def __call__(self, step):
        self.scheduler.last_epoch = step
        return self.scheduler._get_closed_form_lr()[0]


def one_phase(cases, name):
    draw = cases.draw
    lr = draw.rate()
    arguments, boundaries = simple(draw, name)
    rates = stand_ins.Stepped(lambda o: getattr(theirs, name)(o, **arguments), lr)
    cases.equal(name, {"lr": lr, **arguments}, ours(name, lr, arguments), rates, boundaries)


def edges(cases):
    """What PyTorch accepts and ours does not, of the schedulers of one phase."""
    for name, bad, parameter, reason in [
        ("StepLR", {"gamma": -0.5}, "gamma", "0 or less"),
        ("StepLR", {"gamma": 0.0}, "gamma", "0 or less"),
        ("MultiStepLR", {"gamma": -0.5}, "gamma", "0 or less"),
        ("MultiStepLR", {"gamma": 0.0}, "gamma", "0 or less"),
        ("MultiStepLR", {"milestones": [3, 3, 7]}, "milestones", "one that is given twice"),
        ("MultiStepLR", {"milestones": [0, 7]}, "milestones", "one at 0"),
        ("MultiStepLR", {"milestones": [7, 3]}, "milestones", "not sorted"),
        ("ConstantLR", {"total_iters": 0}, "total_iters", "0"),
        ("LinearLR", {"total_iters": 0}, "total_iters", "0"),
        ("ExponentialLR", {"gamma": -0.5}, "gamma", "0 or less"),
        ("ExponentialLR", {"gamma": 0.0}, "gamma", "0 or less"),
        ("PolynomialLR", {"power": 0.0}, "power", "0 or less"),
        ("PolynomialLR", {"total_iters": 0}, "total_iters", "0"),
        ("MultiStepLR", {"milestones": [2.5, 7]}, "milestones", "one with a fraction"),
        ("ConstantLR", {"total_iters": 2.5}, "total_iters", "a fraction"),
        ("LinearLR", {"total_iters": 2.5}, "total_iters", "a fraction"),
        ("PolynomialLR", {"total_iters": 2.5}, "total_iters", "a fraction"),
    ]:
        lr = cases.draw.rate()
        arguments = {**simple(cases.draw, name)[0], **bad}
        rates = stand_ins.Stepped(lambda o: getattr(theirs, name)(o, **arguments), lr)
        document = ours(name, lr, arguments)
        cases.refused(name, {"lr": lr, **arguments}, parameter, reason, document, rates)


def fractions(cases):
    """Lengths that PyTorch does not have in its types, and accepts."""
    for size in (2.5, 4.2, 0.4):
        lr = cases.draw.rate()
        arguments = {"step_size": size, "gamma": 0.9}
        rates = stand_ins.Stepped(lambda o: theirs.StepLR(o, **arguments), lr)
        departs = lambda step: (MULTIPLES, lr * 0.9 ** (Fraction(step) // Fraction(size)))
        ours = {"StepLr": {"initial_lr": lr, **arguments}}
        cases.equal("StepLR", {"lr": lr, **arguments}, ours, rates, [5, 10, 21], departs)
    for length in (0.5, 7.5):
        lr = cases.draw.rate()
        rates = stand_ins.Stepped(lambda o: theirs.CosineAnnealingLR(o, T_max=length, eta_min=lr / 10), lr)
        ours = {"initial_lr": lr, "t_max": length, "eta_min": lr / 10, "mirrored": True}
        shown = {"lr": lr, "T_max": length, "eta_min": lr / 10}
        cases.equal("CosineAnnealingLR", shown, {"CosineAnnealingLr": ours}, rates, [length, 15])


def more_edges(cases):
    lr = cases.draw.rate()
    for name, arguments, document in [
        ("CosineAnnealingLR", {"T_max": 20}, {"CosineAnnealingLr": {"initial_lr": lr, "t_max": 20}}),
        (
            "CosineAnnealingWarmRestarts",
            {"T_0": 20},
            {"CosineAnnealingWarmRestarts": {"initial_lr": lr, "t_0": 20, "t_mult": 1}},
        ),
    ]:
        arguments["eta_min"] = next(iter(document.values()))["eta_min"] = -0.01
        rates = stand_ins.Stepped(lambda o: getattr(theirs, name)(o, **arguments), lr)
        cases.refused(name, {"lr": lr, **arguments}, "eta_min", "below 0", document, rates)
    arguments = {"max_lr": lr, "total_steps": 100, "div_factor": 0.5}
    rates = stand_ins.Stepped(lambda o: theirs.OneCycleLR(o, cycle_momentum=False, **arguments), 0.1)
    cases.refused("OneCycleLR", arguments, "div_factor", "below 1", {"OneCycleLr": arguments}, rates)
    for name, value, reason in [
        ("factor", 0.0, "0"),
        ("patience", -1, "negative"),
        ("threshold", -0.1, "negative"),
    ]:
        theirs.ReduceLROnPlateau(stand_ins.optimizer(lr), **{name: value}).step(1.0)
        document = {"ReduceLrOnPlateau": {"base": {"Constant": {"lr": lr}}, name: value}}
        cases.refused("ReduceLROnPlateau", {"lr": lr, name: value}, name, reason, document)


def cosine(cases):
    draw = cases.draw
    lr, length = draw.rate(), draw.choice([draw.randint(1, 90), draw.length()])
    arguments = {"T_max": length, "eta_min": draw.choice([0.0, lr / 100, lr / 3, draw.rate()])}
    document = {
        "CosineAnnealingLr": {"initial_lr": lr, "t_max": length, "eta_min": arguments["eta_min"], "mirrored": True}
    }
    name, shown = "CosineAnnealingLR", {"lr": lr, **arguments}
    if arguments["eta_min"] > lr:
        rates = Closed(lambda o: theirs.CosineAnnealingLR(o, **arguments), lr)
        return cases.refused(name, shown, "eta_min", "above the rate", document, rates)
    kind = stand_ins.Stepped if length <= 90 else Closed
    rates = kind(lambda o: theirs.CosineAnnealingLR(o, **arguments), lr)
    cases.equal(name, shown, document, rates, [length, 2 * length, 3 * length])


def restarts(cases):
    draw = cases.draw
    lr = draw.rate()
    arguments = {"T_0": draw.length(high=500), "T_mult": draw.choice([1, 1, 2, 3])}
    arguments["eta_min"] = draw.choice([0.0, lr / 100, lr / 3, draw.rate()])
    fields = {"initial_lr": lr, "t_0": arguments["T_0"], "t_mult": arguments["T_mult"], "eta_min": arguments["eta_min"]}
    document, name, shown = (
        {"CosineAnnealingWarmRestarts": fields},
        "CosineAnnealingWarmRestarts",
        {"lr": lr, **arguments},
    )
    rates = stand_ins.Stepped(lambda o: theirs.CosineAnnealingWarmRestarts(o, **arguments), lr)
    if arguments["eta_min"] > lr:
        return cases.refused(name, shown, "eta_min", "above the rate", document, rates)
    starts = [arguments["T_0"] * sum(arguments["T_mult"] ** i for i in range(n)) for n in (1, 2, 3)]
    cases.equal(name, shown, document, rates, starts)


class Cyclic:
    """By the number of a step, which may have a fraction: it is what its formula takes."""

    def __init__(self, arguments):
        lr = arguments["base_lr"]
        self.scheduler = theirs.CyclicLR(stand_ins.optimizer(lr), cycle_momentum=False, **arguments)

    def __call__(self, step):
        self.scheduler.last_epoch = step
        return self.scheduler.get_lr()[0]


def cyclic(cases):
    draw = cases.draw
    low = draw.rate()
    size = lambda: draw.choice([draw.length(high=900), draw.length(high=900), draw.number(0.5, 80)])
    arguments = {"base_lr": low, "max_lr": low * draw.choice([1.0, 2.0, 10.0]), "step_size_up": size()}
    if draw.maybe():
        arguments["step_size_down"] = size()
    if draw.maybe(0.7):
        arguments["mode"] = draw.choice(["triangular", "triangular2", "exp_range"])
    if arguments.get("mode") == "exp_range":
        arguments["gamma"] = draw.choice([0.99, 0.999, 1.0])
    up, down = arguments["step_size_up"], arguments.get("step_size_down", arguments["step_size_up"])
    rates = Cyclic(arguments)
    boundaries = [up, up + down, 2 * up + down, 2 * (up + down)]
    cases.equal("CyclicLR", arguments, {"CyclicLr": arguments}, rates, boundaries)


def cyclic_edges(cases):
    fields = {"base_lr": 0.01, "max_lr": 0.1, "step_size_up": 20}
    for bad, parameter, reason in [
        ({"base_lr": 0.2}, "base_lr", "above `max_lr`"),
        ({"mode": "exp_range", "gamma": 0.0}, "gamma", "0 or less"),
        ({"mode": "exp_range", "gamma": -0.9}, "gamma", "0 or less"),
    ]:
        arguments = {**fields, **bad}
        cases.refused("CyclicLR", arguments, parameter, reason, {"CyclicLr": arguments}, Cyclic(arguments))
    cases.no_counterpart("CyclicLR", {**fields, "scale_fn": "a function"}, CLOSURE)


def one_cycle(cases):
    draw = cases.draw
    arguments = {"max_lr": draw.rate(), "total_steps": draw.length(low=2, high=4000)}
    for argument, values in {
        "pct_start": [0.1, 0.3, 0.5, draw.number(0, 1), 0.0, 1.0],
        "anneal_strategy": ["cos", "linear"],
        "div_factor": [10.0, 25.0, 1.0],
        "final_div_factor": [1e4, 100.0, 0.5],
        "three_phase": [True, False],
    }.items():
        if draw.maybe():
            arguments[argument] = draw.choice(values)
    total, first = arguments["total_steps"], arguments.get("pct_start", 0.3) * arguments["total_steps"] - 1
    phases = [first, 2 * first, total - 1] if arguments.get("three_phase") else [first, total - 1]
    try:
        rates = stand_ins.Stepped(lambda o: theirs.OneCycleLR(o, cycle_momentum=False, **arguments), 0.1)
        before = next((step for step in range(total) if not goes_on(rates, step)), total)
    except ZeroDivisionError:
        # An empty first phase: there is no scheduler at all.
        return one_cycle(cases)
    cases.equal("OneCycleLR", arguments, {"OneCycleLr": arguments}, rates, phases, before=before)


def goes_on(rates, step):
    """Whether there is a rate: PyTorch divides by the length of a phase that is empty."""
    try:
        return math.isfinite(rates(step))
    except ZeroDivisionError:
        return False


def averaging(cases):
    draw = cases.draw
    lr = draw.rate()
    arguments = {"swa_lr": draw.choice([lr / 10, draw.rate()]), "anneal_epochs": draw.choice([0, draw.randint(1, 60)])}
    if draw.maybe():
        arguments["anneal_strategy"] = draw.choice(["cos", "linear"])
    fields = {"initial_lr": lr, "swa_lr": arguments["swa_lr"], "anneal_steps": arguments["anneal_epochs"]}
    fields["anneal_strategy"] = arguments.get("anneal_strategy", "cos")
    rates = stand_ins.Stepped(lambda o: swa.SWALR(o, **arguments), lr)
    cases.equal("SWALR", {"lr": lr, **arguments}, {"SwaLr": fields}, rates, [arguments["anneal_epochs"]])


def cases(seed):
    cases = Cases(seed, stand_ins.version("torch", "torch"), stand_ins.source())
    for _ in range(15):
        for name in SIMPLE:
            one_phase(cases, name)
    edges(cases)
    fractions(cases)
    more_edges(cases)
    for _ in range(25):
        cosine(cases)
        restarts(cases)
        cyclic(cases)
        one_cycle(cases)
        averaging(cases)
        stand_ins.plateau(cases, "ReduceLROnPlateau", theirs.ReduceLROnPlateau, stand_ins.PLATEAU)
    cyclic_edges(cases)
    for threshold in (1.0, 1.5):
        stand_ins.plateau(cases, "ReduceLROnPlateau", theirs.ReduceLROnPlateau, stand_ins.PLATEAU, threshold)
    for name in ("LambdaLR", "MultiplicativeLR"):
        cases.no_counterpart(name, {"lr_lambda": "a function"}, CLOSURE)
    pytorch_combined.draw(cases)
    return cases
