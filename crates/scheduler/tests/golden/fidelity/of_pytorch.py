"""PyTorch, stepped as its users step it; cosines over long lengths by its closed form, since the errors of its
recursive one pile up."""

import stand_ins
import torch.optim.lr_scheduler as theirs
import torch.optim.swa_utils as swa
from cases import Cases

CLOSURE = "a function: in code, not in documents"


class Closed:
    def __init__(self, make, lr):
        self.scheduler = make(stand_ins.optimizer(lr))

    def __call__(self, step):
        self.scheduler.last_epoch = step
        return self.scheduler._get_closed_form_lr()[0]


def simple(draw, name, lr, top=600):
    """Arguments of one of the schedulers of one phase, and the boundaries of its rates."""
    length = draw.randint(1, draw.choice([4, 40, top]))
    if name == "StepLR":
        return {"step_size": length, "gamma": draw.choice([0.1, 0.5, 0.97, 1.0, 1.05])}, [length, 2 * length]
    if name == "MultiStepLR":
        marks = sorted(draw.sample(range(1, top), draw.randint(1, 4)))
        return {"milestones": marks, "gamma": draw.choice([0.1, 0.5, 1.1])}, marks
    if name == "ConstantLR":
        return {"factor": draw.choice([1 / 3, 0.1, 1.0, 0.5]), "total_iters": length}, [length]
    if name == "LinearLR":
        start = draw.choice([1 / 3, 0.001, 1.0])
        return {"start_factor": start, "end_factor": draw.choice([1.0, 0.0, 0.1]), "total_iters": length}, [length]
    if name == "ExponentialLR":
        return {"gamma": draw.choice([0.9, 0.99, 0.5, 1.001, 1.0])}, [length]
    return {"total_iters": length, "power": draw.choice([1.0, 2.0, 0.5, 0.9])}, [length]


SIMPLE = ["StepLR", "MultiStepLR", "ConstantLR", "LinearLR", "ExponentialLR", "PolynomialLR"]


def ours(name, lr, arguments):
    return {name[:-1] + "r": {"initial_lr": lr, **arguments}}


def one_phase(cases, name):
    draw = cases.draw
    lr = draw.rate()
    arguments, boundaries = simple(draw, name, lr)
    if draw.maybe(0.1):
        bad = {
            "StepLR": ({"gamma": -0.5}, "a negative `gamma`"),
            "MultiStepLR": ({"milestones": [3, 3, 7]}, "a milestone that is given twice"),
            "ConstantLR": ({"total_iters": 0}, "no iterations"),
            "LinearLR": ({"total_iters": 0}, "no iterations"),
            "ExponentialLR": ({"gamma": 0.0}, "a `gamma` of 0"),
            "PolynomialLR": ({"power": 0.0}, "a `power` of 0 or less"),
        }[name]
        arguments |= bad[0]
        return cases.refused(name, {"lr": lr, **arguments}, bad[1], ours(name, lr, arguments))
    rates = stand_ins.Stepped(lambda o: getattr(theirs, name)(o, **arguments), lr)
    cases.equal(name, {"lr": lr, **arguments}, ours(name, lr, arguments), rates, boundaries)


def cosine(cases):
    draw = cases.draw
    lr, length = draw.rate(), draw.choice([draw.randint(1, 90), draw.length()])
    arguments = {"T_max": length, "eta_min": draw.choice([0.0, lr / 100, lr / 3, draw.rate()])}
    document = {
        "CosineAnnealingLr": {"initial_lr": lr, "t_max": length, "eta_min": arguments["eta_min"], "mirrored": True}
    }
    name, shown = "CosineAnnealingLR", {"lr": lr, **arguments}
    if arguments["eta_min"] > lr:
        return cases.refused(name, shown, "an `eta_min` above the rate", document)
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
    if arguments["eta_min"] > lr:
        return cases.refused(name, shown, "an `eta_min` above the rate", document)
    rates = stand_ins.Stepped(lambda o: theirs.CosineAnnealingWarmRestarts(o, **arguments), lr)
    starts = [arguments["T_0"] * sum(arguments["T_mult"] ** i for i in range(n)) for n in (1, 2, 3)]
    cases.equal(name, shown, document, rates, starts)


def cyclic(cases):
    draw = cases.draw
    low = draw.rate()
    arguments = {"base_lr": low, "max_lr": low * draw.choice([1.0, 2.0, 10.0]), "step_size_up": draw.length(high=900)}
    if draw.maybe():
        arguments["step_size_down"] = draw.length(high=900)
    if draw.maybe(0.7):
        arguments["mode"] = draw.choice(["triangular", "triangular2", "exp_range"])
    if arguments.get("mode") == "exp_range":
        arguments["gamma"] = draw.choice([0.99, 0.999, 1.0])
    up, down = arguments["step_size_up"], arguments.get("step_size_down", arguments["step_size_up"])
    if draw.maybe(0.04):
        return cases.refused("CyclicLR", {**arguments, "scale_fn": "a function"}, CLOSURE)
    rates = stand_ins.Stepped(lambda o: theirs.CyclicLR(o, cycle_momentum=False, **arguments), low)
    cases.equal("CyclicLR", arguments, {"CyclicLr": arguments}, rates, [up, up + down, 2 * up + down, 2 * (up + down)])


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
    if sorted(phases) != phases or phases[0] <= 0 or len(set(phases)) < len(phases):
        reason = "a phase that ends before it begins, where PyTorch divides by zero or leaves its range"
        return cases.refused("OneCycleLR", arguments, reason)
    rates = stand_ins.Stepped(lambda o: theirs.OneCycleLR(o, cycle_momentum=False, **arguments), 0.1)
    cases.equal("OneCycleLR", arguments, {"OneCycleLr": arguments}, rates, phases, before=total)


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


def combined(cases, name):
    """A sequence, or a chain whose first factor has the rate."""
    draw = cases.draw
    lr, parts, documents = draw.rate(), [], []
    chained = name == "ChainedScheduler"
    for number in range(draw.randint(2, 3)):
        # PyTorch's SequentialLR restarts the others from a rate that is not theirs.
        kind = draw.choice(
            ["StepLR", "ConstantLR", "LinearLR", "ExponentialLR"]
            if chained
            else ["LinearLR", "ExponentialLR", "StepLR"]
        )
        arguments, _ = simple(draw, kind, lr, top=60)
        if chained and arguments.get("end_factor") == 0:
            # A chain that has reached 0 is left with a rounding error in PyTorch, which the others multiply.
            arguments["end_factor"] = 0.05
        parts.append((kind, arguments))
        documents.append(ours(kind, 1.0 if chained and number else lr, arguments))
    ends = sorted(draw.sample(range(1, 90), len(parts) - 1))

    def make(optimizer):
        schedulers = [getattr(theirs, kind)(optimizer, **arguments) for kind, arguments in parts]
        return theirs.ChainedScheduler(schedulers) if chained else theirs.SequentialLR(optimizer, schedulers, ends)

    shown = {"lr": lr, "schedulers": [{kind: arguments} for kind, arguments in parts]}
    document = {"Product": {"schedules": documents}}
    if not chained:
        shown["milestones"] = ends
        document = {"Sequence": {"schedules": documents, "milestones": ends}}
    cases.equal(name, shown, document, stand_ins.Stepped(make, lr), ends)


def cases(seed):
    cases = Cases(seed, stand_ins.version("torch", "torch"), stand_ins.source())
    for _ in range(15):
        for name in SIMPLE:
            one_phase(cases, name)
    for _ in range(25):
        cosine(cases)
        restarts(cases)
        cyclic(cases)
        one_cycle(cases)
        averaging(cases)
        combined(cases, "SequentialLR")
        combined(cases, "ChainedScheduler")
        stand_ins.plateau(cases, "ReduceLROnPlateau", theirs.ReduceLROnPlateau, stand_ins.PLATEAU)
    for name in ("LambdaLR", "MultiplicativeLR"):
        cases.refused(name, {"lr_lambda": "a function"}, CLOSURE)
    return cases
