"""timm, stepped by number, as its train.py steps: `scheduler.step(epoch + 1)` after each epoch, none before the first."""

import math

import stand_ins
from cases import Cases, Unsteady, constant, cycle, end_of_cycles, nudged, sequence, shifted, warmup
from timm.scheduler.cosine_lr import CosineLRScheduler
from timm.scheduler.multistep_lr import MultiStepLRScheduler
from timm.scheduler.plateau_lr import PlateauLRScheduler
from timm.scheduler.poly_lr import PolyLRScheduler
from timm.scheduler.step_lr import StepLRScheduler
from timm.scheduler.tanh_lr import TanhLRScheduler
from timm.scheduler.wsd_lr import WSDLRScheduler

LOGARITHM = "timm's logarithm is rounded down at the start of a cycle, which gives the old one a step more"
FLOOR = "an `lr_min` above the rate"
FRACTION = "a `warmup_t` with a fraction in front: what comes after it begins at a step"
NOISE = {"noise_range_t": [5, 20]}


class ByNumber:
    def __init__(self, kind, lr, arguments):
        self.optimizer = stand_ins.optimizer(lr)
        self.scheduler = kind(self.optimizer, **arguments)
        self.first = self.optimizer.param_groups[0]["lr"]

    def __call__(self, step):
        if step == 0:
            return self.first
        self.scheduler.step(step)
        return self.optimizer.param_groups[0]["lr"]


def starts(arguments):
    length, mul = arguments["t_initial"], arguments.get("cycle_mul", 1.0)
    widths = [length * mul**i for i in range(min(arguments.get("cycle_limit", 1), 6))]
    return [math.ceil(sum(widths[: i + 1])) for i in range(len(widths))]


def drawn_warmup(draw, lr, prefix):
    if draw.maybe(0.4):
        return {}
    arguments = {"warmup_t": draw.length(high=60), "warmup_lr_init": draw.choice([0.0, 1e-6, lr / 10, draw.rate()])}
    if draw.maybe():
        arguments["warmup_prefix"] = draw.maybe()
    return arguments


def warmed(base, lr, arguments, prefix, target=None):
    length = arguments.get("warmup_t", 0)
    if not length:
        return base
    prefix = arguments.get("warmup_prefix", prefix)
    start = arguments.get("warmup_lr_init", 0.0)
    return warmup(base, length, start_lr=start, target_lr=lr if target is None else target, prefix=prefix)


def begun(document, lr):
    """With the optimizer's rate at step 0, for which timm does not ask its scheduler."""
    return sequence([constant(lr), shifted(document, 1)], [1])


def cycles(cases, kind, name):
    draw = cases.draw
    lr = draw.rate()
    arguments = {"t_initial": draw.choice([draw.length(), draw.length(), draw.number(1, 40)])}
    if draw.maybe(0.6):
        arguments["lr_min"] = draw.choice([0.0, 1e-5, lr / 10, lr / 3, draw.rate()])
    if draw.maybe():
        arguments["cycle_mul"] = draw.choice([1.0, 2.0, 3.0, 1.5, 0.5, draw.number(0.6, 2.5)])
    if draw.maybe():
        arguments["cycle_decay"] = draw.choice([0.1, 0.5, 0.9, 1.0, 1.5])
    if draw.maybe(0.7):
        arguments["cycle_limit"] = draw.choice([1, 2, 3, 5])
    ours = {"initial_lr": lr, "cycle_length": arguments["t_initial"], "min_lr": arguments.get("lr_min", 0.0)}
    ours |= {name: arguments.get(name, 1.0) for name in ("cycle_mul", "cycle_decay")}
    ours |= {"cycle_limit": arguments.get("cycle_limit", 1), "peaks": "free"}
    if kind is TanhLRScheduler:
        if draw.maybe():
            arguments |= {"lb": draw.number(-8, -1), "ub": draw.number(0, 4)}
            ours |= {"lb": arguments["lb"], "ub": arguments["ub"]}
    else:
        if draw.maybe(0.3):
            arguments["k_decay"] = draw.choice([0.5, 1.5, 2.0])
            ours["k_decay"] = arguments["k_decay"]
    if kind is PolyLRScheduler:
        if draw.maybe():
            arguments["power"] = draw.choice([0.5, 1.0, 2.0, 0.9, draw.number(0.1, 4)])
        ours["power"] = arguments.get("power", 0.5)
    if arguments.get("lr_min", 0.0) > lr:
        shown, rates = {"lr": lr, **arguments}, ByNumber(kind, lr, arguments)
        return cases.refused(kind.__name__, shown, "min_lr", FLOOR, {name: ours}, rates)
    if draw.maybe(0.03):
        return cases.no_counterpart(kind.__name__, {"lr": lr, **arguments, **NOISE}, "noise")
    arguments |= drawn_warmup(draw, lr, False)
    length, mul = arguments["t_initial"], arguments.get("cycle_mul", 1.0)
    delay = arguments.get("warmup_t", 0) if arguments.get("warmup_prefix") else 0
    # Cycles that shorten end, and timm with an error.
    before = delay + end_of_cycles(length, mul)
    if arguments.get("warmup_t", 0) >= before - 1:
        return cycles(cases, kind, name)
    rates = ByNumber(kind, lr, arguments)
    target = None
    if kind is TanhLRScheduler and not arguments.get("warmup_prefix") and arguments.get("warmup_t"):
        target = rates(arguments["warmup_t"])

    def departs(step):
        if mul == 1 or step < arguments.get("warmup_t", 0):
            return None
        step -= delay
        counted = math.floor(math.log(1 - step / length * (1 - mul), mul))
        exact = cycle(step, length, mul)
        right = lambda step: rates(step + delay)
        return None if counted == exact else (LOGARITHM, nudged(right, step, counted, exact))

    document = warmed({name: ours}, lr, arguments, False, target)
    if kind is TanhLRScheduler and not arguments.get("warmup_t"):
        document = begun(document, lr)
    boundaries = [delay, arguments.get("warmup_t", 0), *(delay + start for start in starts(arguments))]
    shown, without = {"lr": lr, **arguments}, Unsteady(rates, lr) if kind is PolyLRScheduler else ()
    cases.equal(kind.__name__, shown, document, rates, boundaries, departs, before=before, without=without)


def stepped(cases):
    draw = cases.draw
    lr = draw.rate()
    arguments = {"decay_t": draw.choice([2.4, draw.length(), draw.number(0.1, 30)])}
    arguments["decay_rate"] = draw.choice([0.1, 0.97, 0.5, 1.0, 1.1, 0.0])
    arguments |= drawn_warmup(draw, lr, True)
    ours = {"StepLr": {"initial_lr": lr, "step_size": arguments["decay_t"], "gamma": arguments["decay_rate"]}}
    shown, name = {"lr": lr, **arguments}, "StepLRScheduler"
    rates = ByNumber(StepLRScheduler, lr, arguments)
    if arguments["decay_rate"] == 0:
        return cases.refused(name, shown, "gamma", "a `decay_rate` of 0", ours, rates)
    size, length = arguments["decay_t"], arguments.get("warmup_t", 0)
    cases.equal(name, shown, warmed(ours, lr, arguments, True), rates, [length, size, 2 * size, length + 3 * size])


def milestones(cases):
    draw = cases.draw
    lr = draw.rate()
    decay = sorted(draw.randint(1, draw.choice([8, 60, 4000])) for _ in range(draw.randint(0, 5)))
    arguments = {"decay_t": decay, "decay_rate": draw.choice([0.1, 0.5, 1.0, 1.2])}
    arguments |= drawn_warmup(draw, lr, True)
    at_once = sum(milestone <= 1 for milestone in decay)
    ours = {"initial_lr": lr * arguments["decay_rate"] ** at_once, "milestones": [m - 1 for m in decay if m > 1]}
    ours = {"MultiStepLr": {**ours, "gamma": arguments["decay_rate"]}}
    shown, name = {"lr": lr, **arguments}, "MultiStepLRScheduler"
    later = decay[at_once:]
    rates = ByNumber(MultiStepLRScheduler, lr, arguments)
    if len(set(later)) < len(later):
        return cases.refused(name, shown, "milestones", "one that is given twice", ours, rates)
    length = arguments.get("warmup_t", 0)
    document = warmed(ours, lr, arguments, True)
    if at_once and not length:
        document = begun(document, lr)
    cases.equal(name, shown, document, rates, [length, *decay, *(length + m for m in decay)])


def plateau(cases, threshold=None):
    draw = cases.draw
    lr = draw.rate()
    arguments = {"decay_rate": draw.choice([0.1, 0.5, 0.9]), "patience_t": draw.choice([0, 1, 2, 5])}
    arguments |= {"threshold": draw.choice([1e-4, 0.0, 0.1]), "cooldown_t": draw.choice([0, 0, 2])}
    arguments |= {"lr_min": draw.choice([0.0, lr / 50]), "mode": draw.choice(["min", "max"])}
    if threshold is not None:
        arguments |= {"threshold": threshold, "mode": "min", "lr_min": 0.0}
    elif draw.maybe():
        arguments |= {"warmup_t": draw.randint(1, 12), "warmup_lr_init": draw.choice([0.0, lr / 10, 3 * lr])}
    ours = {"base": constant(lr), "factor": arguments["decay_rate"], "patience": arguments["patience_t"]}
    ours |= {"threshold": arguments["threshold"], "threshold_mode": "factor", "cooldown": arguments["cooldown_t"]}
    ours |= {"min_lr": arguments["lr_min"], "mode": arguments["mode"]}
    metrics = draw.metrics(negative=draw.maybe(0.3) if threshold is None else False)

    def observing(first=None):
        optimized, after = stand_ins.optimizer(lr), []
        scheduler = PlateauLRScheduler(optimized, **arguments)
        for epoch, metric in enumerate(metrics):
            scheduler.lr_scheduler.threshold = arguments["threshold"] if first is None or epoch else first
            scheduler.step(epoch + 1, metric)
            after.append(optimized.param_groups[0]["lr"])
        return after

    document = warmed({"ReduceLrOnPlateau": ours}, lr, {**arguments, "warmup_prefix": True}, True)
    departs = None if threshold is None else (stand_ins.BAD, observing(first=0.0))
    cases.observed("PlateauLRScheduler", {"lr": lr, **arguments}, document, metrics, observing(), departs)


def edges(cases):
    """What timm accepts and ours does not."""
    cycles = {"t_initial": 20, "cycle_limit": 3}
    cosine, poly, tanh = (CosineLRScheduler, PolyLRScheduler, TanhLRScheduler)
    fields = {"cycle_length": 20, "cycle_limit": 3, "peaks": "free"}
    for kind, ours in [(cosine, "CosineDecayCycles"), (poly, "PolynomialDecayCycles"), (tanh, "TanhDecay")]:
        lr, given = cases.draw.rate(), {"t_initial": 20, "cycle_limit": 0}
        rates, document = ByNumber(kind, lr, given), {ours: {"initial_lr": lr, **fields, "cycle_limit": 0}}
        cases.refused(kind.__name__, {"lr": lr, **given}, "cycle_limit", "0", document, rates)
        for name in ["cycle_decay", *(["k_decay"] if kind is not tanh else []), *(["power"] if kind is poly else [])]:
            lr = cases.draw.rate()
            rates, document = ByNumber(kind, lr, {**cycles, name: 0.0}), {ours: {"initial_lr": lr, **fields, name: 0.0}}
            cases.refused(kind.__name__, {"lr": lr, **cycles, name: 0.0}, name, "0", document, rates)
    lr, given = cases.draw.rate(), {"decay_t": [5, 9], "decay_rate": 0.0}
    ours = {"MultiStepLr": {"initial_lr": lr, "milestones": [4, 8], "gamma": 0.0}}
    rates = ByNumber(MultiStepLRScheduler, lr, given)
    cases.refused("MultiStepLRScheduler", {"lr": lr, **given}, "gamma", "a `decay_rate` of 0", ours, rates)
    lr, given = cases.draw.rate(), {"decay_rate": 0.0, "mode": "min"}
    PlateauLRScheduler(stand_ins.optimizer(lr), **given).step(1, 0.5)
    ours = {"ReduceLrOnPlateau": {"base": constant(lr), "factor": 0.0}}
    cases.refused("PlateauLRScheduler", {"lr": lr, **given}, "factor", "a `decay_rate` of 0", ours)


def fractions(cases):
    """Warmups that end between two steps: over a schedule they may, in front of one not."""
    lr = cases.draw.rate()
    ramp = {"warmup_t": 2.5, "warmup_lr_init": lr / 10}
    for kind, given, ours in [
        (
            CosineLRScheduler,
            {"t_initial": 20},
            {"CosineDecayCycles": {"initial_lr": lr, "cycle_length": 20, "cycle_limit": 1, "peaks": "free"}},
        ),
        (
            PolyLRScheduler,
            {"t_initial": 20},
            {"PolynomialDecayCycles": {"initial_lr": lr, "cycle_length": 20, "cycle_limit": 1, "power": 0.5}},
        ),
        (
            StepLRScheduler,
            {"decay_t": 4, "decay_rate": 0.5},
            {"StepLr": {"initial_lr": lr, "step_size": 4, "gamma": 0.5}},
        ),
        (
            MultiStepLRScheduler,
            {"decay_t": [5, 9], "decay_rate": 0.5},
            {"MultiStepLr": {"initial_lr": lr, "milestones": [4, 8], "gamma": 0.5}},
        ),
    ]:
        for prefix in (False, True):
            arguments = {**given, **ramp, "warmup_prefix": prefix}
            rates, document = ByNumber(kind, lr, arguments), warmed(ours, lr, arguments, prefix)
            shown = {"lr": lr, **arguments}
            if prefix:
                cases.refused(kind.__name__, shown, "length", FRACTION, document, rates)
            else:
                cases.equal(kind.__name__, shown, document, rates, [2, 20])
    arguments = {"t_initial": 20, "decay_t": 5, **ramp}
    ours = {"peak_lr": lr, "warmup": 2.5, "start_lr": lr / 10, "stable": 15, "decay": 5, "decay_kind": "1-sqrt"}
    rates, document = ByNumber(WSDLRScheduler, lr, arguments), {"WarmupStableDecay": ours}
    cases.refused("WSDLRScheduler", {"lr": lr, **arguments}, "warmup", FRACTION, document, rates)
    # A milestone between two steps is met at the next one.
    arguments = {"decay_t": [2.5, 7.2], "decay_rate": 0.5}
    document = {"MultiStepLr": {"initial_lr": lr, "milestones": [2, 7], "gamma": 0.5}}
    rates = ByNumber(MultiStepLRScheduler, lr, arguments)
    cases.equal("MultiStepLRScheduler", {"lr": lr, **arguments}, document, rates, [2, 7])


KINDS = {"linear": "linear", "1-sqrt": "1-sqrt", "cosine": "cosine", "power": "1-power", "exp": "exponential"}


def wsd(cases):
    draw = cases.draw
    lr = draw.rate()
    arguments = {"t_initial": draw.length(low=2)}
    arguments["decay_t"] = draw.randint(1, arguments["t_initial"])
    if draw.maybe():
        arguments["lr_min"] = draw.choice([0.0, lr / 10, draw.rate()])
    if draw.maybe(0.7):
        arguments["decay_fn"] = draw.choice(list(KINDS))
    if draw.maybe(0.3):
        arguments |= {"decay_power": draw.number(0.1, 3), "decay_ratio": draw.number(0.01, 0.9)}
    if draw.maybe(0.6):
        arguments |= {"warmup_t": draw.length(high=60), "warmup_lr_init": draw.choice([0.0, lr / 10, draw.rate()])}
    length, start = arguments.get("warmup_t", 0), arguments.get("warmup_lr_init", 0.0)
    if draw.maybe(0.4):
        arguments["stable_fn"] = draw.choice(["rsqrt", "power"])
        if draw.maybe() or not length:
            arguments["stable_timescale"] = draw.number(1, 200)
        if draw.maybe():
            arguments["stable_power"] = draw.number(0.2, 2)
    ours = {"peak_lr": lr, "stable": arguments["t_initial"] - arguments["decay_t"], "decay": arguments["decay_t"]}
    ours |= {"end_lr": arguments.get("lr_min", 0.0), "decay_kind": KINDS[arguments.get("decay_fn", "1-sqrt")]}
    ours |= {"decay_power": arguments.get("decay_power", 0.5), "decay_ratio": arguments.get("decay_ratio", 0.1)}
    if "stable_fn" in arguments:
        power = 0.5 if arguments["stable_fn"] == "rsqrt" else arguments.get("stable_power", 0.5)
        ours |= {"stable_timescale": arguments.get("stable_timescale", length), "stable_power": power}
    if start <= lr:
        document = {"WarmupStableDecay": {**ours, "warmup": length, "start_lr": start}}
    else:
        document = warmup({"WarmupStableDecay": {**ours, "warmup": 0}}, length, start_lr=start, target_lr=lr)
    shown, name = {"lr": lr, **arguments}, "WSDLRScheduler"
    if arguments.get("lr_min", 0.0) > lr:
        return cases.refused(name, shown, "end_lr", FLOOR, document, ByNumber(WSDLRScheduler, lr, arguments))
    if draw.maybe(0.03):
        return cases.no_counterpart(name, {**shown, "decay_fn": "a function"}, "a function as `decay_fn`")
    ends = [length, length + ours["stable"], length + arguments["t_initial"]]
    cases.equal(name, shown, document, ByNumber(WSDLRScheduler, lr, arguments), ends)


def cases(seed):
    cases = Cases(seed, stand_ins.version("timm", "timm"), stand_ins.source())
    for _ in range(50):
        cycles(cases, CosineLRScheduler, "CosineDecayCycles")
        cycles(cases, PolyLRScheduler, "PolynomialDecayCycles")
        cycles(cases, TanhLRScheduler, "TanhDecay")
    for _ in range(35):
        stepped(cases)
        milestones(cases)
        plateau(cases)
        wsd(cases)
    for _ in range(25):
        wsd(cases)
    edges(cases)
    for threshold in (1.0, 1.5):
        plateau(cases, threshold)
    fractions(cases)
    return cases
