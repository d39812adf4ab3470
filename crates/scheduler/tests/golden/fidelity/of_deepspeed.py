"""DeepSpeed: schedulers of its own, which its engine steps after each update."""

import stand_ins
from cases import ROUNDED, Cases, constant, sequence, warmup
from deepspeed.runtime import lr_schedules as theirs

SHARE = "DeepSpeed rounds the share of a cycle: it shows where the highest rate is far below the lowest"


def rates(kind, lr, arguments):
    return stand_ins.Stepped(lambda optimizer: kind(optimizer, **arguments), lr)


def late(start, schedule):
    """The first two updates have the rate of step 0."""
    return sequence([constant(start), schedule], [1])


def kind(draw, arguments):
    if draw.maybe():
        arguments["warmup_type"] = draw.choice(["log", "linear"])
    return arguments.get("warmup_type", "log")


def warmups(cases):
    draw = cases.draw
    lr = draw.rate()
    arguments = {"warmup_min_lr": draw.choice([0.0, lr / 100, draw.rate()])}
    arguments |= {"warmup_max_lr": lr, "warmup_num_steps": draw.length()}
    shape, low = kind(draw, arguments), arguments["warmup_min_lr"]
    w = max(2, arguments["warmup_num_steps"])
    if draw.maybe(0.4):
        ours = warmup(constant(lr), w, kind=shape, start_lr=low)
        cases.equal("WarmupLR", arguments, late(low, ours), rates(theirs.WarmupLR, lr, arguments), [1, w + 1])
        return
    total = draw.choice([w, max(w - 3, 0), w + draw.length(high=9000), w + draw.length(high=9000)])
    arguments = {"total_num_steps": total, **arguments}
    base = {"PolynomialDecay": {"initial_lr": lr, "end_lr": low, "length": total - w}}
    base = base if total > w else constant(low)
    ours = late(low, warmup(base, w, kind=shape, start_lr=low, target_lr=lr))
    cases.equal("WarmupDecayLR", arguments, ours, rates(theirs.WarmupDecayLR, lr, arguments), [1, w + 1, total + 1])


def cosine(cases):
    draw = cases.draw
    lr = draw.rate()
    arguments = {"warmup_num_steps": draw.length(high=3000)}
    w = max(2, arguments["warmup_num_steps"])
    total = draw.choice([w, w + 1, w + draw.length(high=9000), w + draw.length(high=9000)])
    arguments = {"total_num_steps": total, **arguments}
    if draw.maybe():
        arguments["warmup_min_ratio"] = draw.choice([0.0, 0.01, 0.5])
    if draw.maybe():
        arguments["cos_min_ratio"] = draw.choice([0.0, 0.1, 1.0, 1.5])
    shape = kind(draw, arguments)
    ours = {"initial_lr": lr, "t_max": max(1, total - w), "eta_min": arguments.get("cos_min_ratio", 1e-4) * lr}
    base = {"Shifted": {"base": {"CosineAnnealingLr": ours}, "by": 1}}
    start = arguments.get("warmup_min_ratio", 0.0) * lr
    document = late(0.0, warmup(base, w, kind=shape, start_lr=start, target_lr=lr))
    shown, name = {"lr": lr, **arguments}, "WarmupCosineLR"
    there = rates(theirs.WarmupCosineLR, lr, arguments)
    if arguments.get("cos_min_ratio", 0) > 1:
        return cases.refused(name, shown, "eta_min", "a `cos_min_ratio` above 1: a cosine that rises", document, there)
    cases.equal(name, shown, document, there, [1, w + 1, total + 1])


def stairs(low, high, first, second, count):
    """A cycle in stairs, of which each half has `count`."""
    values, boundaries = [low], []
    for step in range(1, first + second):
        stair = step * count // first if step <= first else (first + second - step) * count // second
        value = low + (high - low) * (stair / count)
        if value != values[-1]:
            values.append(value)
            boundaries.append(step)
    return {"PiecewiseConstant": {"values": values, "boundaries": boundaries}}


def range_test(cases):
    """Over a run of some length: theirs has no end."""
    draw = cases.draw
    low, size, rate = draw.rate(high=1e-2), draw.length(high=500), draw.number(0.1, 5)
    arguments = {"lr_range_test_min_lr": low, "lr_range_test_step_size": size, "lr_range_test_step_rate": rate}
    periods = draw.randint(2, 9)
    after = lambda period: low * (1 + rate * period)
    values, ends = [low, after(periods)], [periods * size]
    name = "PiecewiseInterpolate"
    if draw.maybe():
        arguments["lr_range_test_staircase"] = True
        name, ends = "PiecewiseConstant", [period * size for period in range(1, periods + 1)]
        values = [after(period) for period in range(periods + 1)]
    there, document = rates(theirs.LRRangeTest, low, arguments), {name: {"values": values, "boundaries": ends}}
    cases.equal("LRRangeTest", arguments, document, there, ends, before=ends[-1] + 1)


def one_cycle(cases):
    draw = cases.draw
    low = draw.rate()
    high = draw.choice([10 * low, draw.rate()])
    first = draw.length(high=3000)
    arguments = {"cycle_min_lr": low, "cycle_max_lr": high, "cycle_first_step_size": first, "cycle_momentum": False}
    if draw.maybe():
        arguments["cycle_second_step_size"] = draw.choice([0, draw.length(high=3000)])
    second = arguments.get("cycle_second_step_size", first)
    if draw.maybe():
        arguments |= {
            "decay_lr_rate": draw.choice([0.0, 0.1, 2.0]),
            "decay_step_size": draw.choice([0, draw.length(high=500)]),
        }
    if draw.maybe(0.15):
        arguments["cycle_first_stair_count"] = draw.randint(2, 9)
    end = first + second
    decays = arguments.get("decay_lr_rate") and arguments.get("decay_step_size")
    after = constant(low)
    if decays:
        steps, rate = arguments["decay_step_size"], arguments["decay_lr_rate"]
        after = {"InverseTimeDecay": {"initial_lr": low, "decay_steps": steps, "decay_rate": rate}}
    values, ends = ([low, high, low], [first, end]) if second else ([low, high], [first])
    up = {"PiecewiseInterpolate": {"values": values, "boundaries": ends}}
    if "cycle_first_stair_count" in arguments:
        up = stairs(low, high, first, second, arguments["cycle_first_stair_count"])
    ours = sequence([up, after], [end])

    def departs(step):
        over = step / first if step <= first else (end - step) / max(second, 1)
        return (SHARE, high * over + low * (1 - over)) if step < end else None

    departs = None if "cycle_first_stair_count" in arguments else departs
    there = rates(theirs.OneCycle, low, arguments)
    cases.equal("OneCycle", arguments, ours, there, [first, end, end + 5], departs, tolerance=ROUNDED)


def cases(seed):
    cases = Cases(seed, stand_ins.version("deepspeed", "deepspeed"), stand_ins.source())
    for _ in range(120):
        warmups(cases)
    for _ in range(50):
        cosine(cases)
        one_cycle(cases)
    for _ in range(20):
        range_test(cases)
    return cases
