"""PyTorch's chains and sequences, and what each of their parts gives on its own, which is what ours combine."""

import math

import stand_ins
import torch.optim.lr_scheduler as theirs
from cases import ROUNDED


def simple(draw, name, top=600):
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


# The rates of these go by the one that the optimizer has, or set it regardless.
ENTANGLED = {
    "CosineAnnealingLR": "PyTorch's cosine goes by the rate that the others of a chain have left",
    "CosineAnnealingWarmRestarts": "PyTorch's warm restarts overwrite what the chain has done before them",
    "OneCycleLR": "PyTorch's one-cycle overwrites what the chain has done before it, and the rate it began with",
    "CyclicLR": "PyTorch's cyclic rate overwrites what the chain has done before it, and the rate it began with",
}
RESET = "PyTorch's one-cycle and cyclic rates set the rate that the others of a sequence begin with"
NESTED = "PyTorch's sequence within a sequence or a chain begins its next part with other rates, or a step early"


class Part:
    """A scheduler of PyTorch with its arguments, and our document for it."""

    def __init__(self, draw, kind, lr, top=60):
        self.kind, self.lr = kind, lr
        if kind in SIMPLE:
            self.arguments, _ = simple(draw, kind, top)
        elif kind == "CyclicLR":
            low = lr * draw.choice([0.1, 1.0, 2.0])
            self.arguments = {
                "base_lr": low,
                "max_lr": low * draw.choice([2.0, 10.0]),
                "step_size_up": draw.randint(2, top),
            }
        elif kind == "OneCycleLR":
            self.arguments = {"max_lr": lr * draw.choice([1.0, 25.0, 0.3]), "total_steps": draw.randint(250, 400)}
        else:
            lengths = {"CosineAnnealingLR": {"T_max": draw.randint(2, top)}}
            restarts = {"T_0": draw.randint(2, top), "T_mult": draw.choice([1, 2])}
            self.arguments = {**lengths.get(kind, restarts), "eta_min": draw.choice([0.0, lr / 100, lr / 3])}

    def make(self, optimizer):
        named = {"cycle_momentum": False} if self.kind in ("OneCycleLR", "CyclicLR") else {}
        return getattr(theirs, self.kind)(optimizer, **self.arguments, **named)

    def alone(self):
        return stand_ins.Stepped(self.make, self.lr)

    def document(self, unit=1.0):
        """With rates that are divided by `unit`."""
        given, lr = self.arguments, self.lr / unit
        if self.kind == "OneCycleLR":
            return {"OneCycleLr": {**given, "max_lr": given["max_lr"] / unit}}
        if self.kind == "CyclicLR":
            return {"CyclicLr": {**given, "base_lr": given["base_lr"] / unit, "max_lr": given["max_lr"] / unit}}
        if self.kind == "CosineAnnealingLR":
            fields = {"t_max": given["T_max"], "mirrored": True}
        elif self.kind == "CosineAnnealingWarmRestarts":
            fields = {"t_0": given["T_0"], "t_mult": given["T_mult"]}
        else:
            return ours(self.kind, lr, given)
        return {self.kind.replace("LR", "Lr"): {"initial_lr": lr, **fields, "eta_min": given["eta_min"] / unit}}


def chain(cases, kinds):
    draw = cases.draw
    lr = draw.rate()
    parts = [Part(draw, kind, lr) for kind in kinds]
    for part in parts:
        if part.arguments.get("end_factor") == 0:
            # A chain that has reached 0 is left with a rounding error in PyTorch, which the others multiply.
            part.arguments["end_factor"] = 0.05
    rates = stand_ins.Stepped(lambda o: theirs.ChainedScheduler([part.make(o) for part in parts]), lr)
    alone = [part.alone() for part in parts]
    reasons = sorted({ENTANGLED[kind] for kind in kinds if kind in ENTANGLED})
    product = lambda step: lr * math.prod(part(step) / lr for part in alone)
    departs = (lambda step: ("; ".join(reasons), product(step))) if reasons else None
    documents = [part.document(lr if number else 1.0) for number, part in enumerate(parts)]
    shown = {"lr": lr, "schedulers": [{part.kind: part.arguments} for part in parts]}
    ends = draw.sample(range(1, 90), 2)
    document = {"Product": {"schedules": documents}}
    cases.equal("ChainedScheduler", shown, document, rates, ends, departs, tolerance=ROUNDED)


def sequence(cases, kinds):
    draw = cases.draw
    lr = draw.rate()
    parts = [Part(draw, kind, lr) for kind in kinds]
    ends = sorted(draw.sample(range(1, 90), len(parts) - 1))
    make = lambda o: theirs.SequentialLR(o, [part.make(o) for part in parts], ends)
    alone = [part.alone() for part in parts]

    def departs(step):
        number = sum(end <= step for end in ends)
        return RESET, alone[number](step - (ends[number - 1] if number else 0))

    shown = {"lr": lr, "schedulers": [{part.kind: part.arguments} for part in parts], "milestones": ends}
    document = {"Sequence": {"schedules": [part.document() for part in parts], "milestones": ends}}
    rates = stand_ins.Stepped(make, lr)
    resets = {"OneCycleLR", "CyclicLR"} & set(kinds)
    cases.equal("SequentialLR", shown, document, rates, ends, departs if resets else None)


def nested(cases, chained):
    """A sequence of two within a sequence, or within a chain."""
    draw = cases.draw
    lr = draw.rate()
    parts = [Part(draw, draw.choice(["ConstantLR", "ExponentialLR", "StepLR"]), lr) for _ in range(3)]
    inner, outer = sorted(draw.sample(range(1, 60), 2))
    alone = [part.alone() for part in parts]
    within = lambda step: alone[0](step) if step < inner else alone[1](step - inner)
    sequence = lambda o: theirs.SequentialLR(o, [parts[0].make(o), parts[1].make(o)], [inner])
    first = {"Sequence": {"schedules": [part.document() for part in parts[:2]], "milestones": [inner]}}
    shown = {"lr": lr, "schedulers": [{part.kind: part.arguments} for part in parts], "milestones": [inner, outer]}
    if chained:
        make = lambda o: theirs.ChainedScheduler([sequence(o), parts[2].make(o)])
        departs = lambda step: (NESTED, within(step) * alone[2](step) / lr)
        document = {"Product": {"schedules": [first, parts[2].document(lr)]}}
        name, shown["milestones"] = "ChainedScheduler", [inner]
    else:
        make = lambda o: theirs.SequentialLR(o, [sequence(o), parts[2].make(o)], [outer])
        departs = lambda step: (NESTED, within(step) if step < outer else alone[2](step - outer))
        document = {"Sequence": {"schedules": [first, parts[2].document()], "milestones": [outer]}}
        name = "SequentialLR"
    cases.equal(name, shown, document, stand_ins.Stepped(make, lr), [inner, outer], departs)


def milestones(cases):
    """What PyTorch's sequence accepts and ours does not."""
    for ends, reason in [([9, 3], "not sorted"), ([3, 3], "one that is given twice"), ([0, 7], "one at 0")]:
        lr = cases.draw.rate()
        parts = [Part(cases.draw, kind, lr) for kind in ("ConstantLR", "StepLR", "ExponentialLR")]
        rates = stand_ins.Stepped(lambda o: theirs.SequentialLR(o, [part.make(o) for part in parts], ends), lr)
        shown = {"lr": lr, "schedulers": [{part.kind: part.arguments} for part in parts], "milestones": ends}
        document = {"Sequence": {"schedules": [part.document() for part in parts], "milestones": ends}}
        cases.refused("SequentialLR", shown, "milestones", reason, document, rates)


def draw(cases):
    some = lambda kinds: [cases.draw.choice(kinds) for _ in range(cases.draw.randint(2, 3))]
    for _ in range(20):
        chain(cases, some(SIMPLE))
        chain(cases, some([*SIMPLE, *ENTANGLED]))
        sequence(cases, ["LinearLR", "CosineAnnealingLR"])
        sequence(cases, some(SIMPLE))
    for _ in range(10):
        chain(cases, ["LinearLR", "CosineAnnealingLR"])
        sequence(cases, ["LinearLR", "OneCycleLR"])
        sequence(cases, ["LinearLR", "CosineAnnealingWarmRestarts"])
        sequence(cases, some([*SIMPLE, *ENTANGLED]))
        sequence(cases, ["CyclicLR", "StepLR"])
        chain(cases, ["StepLR", "CyclicLR"])
        nested(cases, chained=False)
        nested(cases, chained=True)
    milestones(cases)
