"""pytorch_optimizer: schedulers beside its optimizers, stepped after each update."""

import stand_ins
from cases import Cases, constant, sequence, warmup
from pytorch_optimizer.lr_scheduler.linear_warmup import CosineScheduler, LinearScheduler
from pytorch_optimizer.lr_scheduler.rex import REXScheduler
from pytorch_optimizer.lr_scheduler.wsd import get_wsd_schedule


def wsd(cases):
    draw = cases.draw
    lr = draw.rate()
    w, stable, d = draw.length(low=0, high=300), draw.length(low=0, high=2000), draw.length(low=0, high=500)
    arguments = {"num_warmup_steps": w, "num_stable_steps": stable, "num_decay_steps": d}
    for argument, values in {
        "min_lr_ratio": [0.0, 0.1, 1.0, 1.5],
        "num_cycles": [0.5, 1.0, 0.25, 0.0],
        "cooldown_type": ["1-sqrt", "1-square", "linear", "cosine"],
    }.items():
        if draw.maybe(0.7):
            arguments[argument] = draw.choice(values)
    kind, floor = arguments.get("cooldown_type", "1-sqrt"), arguments.get("min_lr_ratio", 0.0) * lr
    cycles, top = arguments.get("num_cycles", 0.5), w + stable
    fields = {"peak_lr": lr, "warmup": w, "stable": stable, "decay": d, "decay_kind": kind}
    if kind == "cosine" and cycles != 0.5 and d:
        decay = constant(lr)
        if cycles:
            fields = {"initial_lr": lr, "t_max": d / (2 * cycles), "eta_min": floor, "mirrored": True}
            decay = {"CosineAnnealingLr": fields}
        parts = sequence([constant(lr), decay, constant(floor)], [top, top + d])
        ours = warmup(parts, w, target_lr=lr, prefix=False)
    elif kind == "cosine" or floor == 0.0:
        ours = {"WarmupStableDecay": {**fields, "end_lr": floor}}
    else:
        # Only its cosine leads to the ratio; the others fall to 0 and jump.
        ours = sequence([{"WarmupStableDecay": fields}, constant(floor)], [top + d])
    rates = stand_ins.Stepped(lambda o: get_wsd_schedule(o, **arguments), lr)
    shown, name = {"lr": lr, **arguments}, "get_wsd_schedule"
    if floor > lr and kind == "cosine" and (cycles or not d):
        parameter = "eta_min" if cycles != 0.5 and d else "end_lr"
        return cases.refused(name, shown, parameter, "a `min_lr_ratio` above 1", ours, rates)
    cases.equal(name, shown, ours, rates, [w, top, top + d])


def rex(cases):
    draw = cases.draw
    arguments = {"total_steps": draw.length(), "max_lr": draw.rate()}
    if draw.maybe():
        arguments["min_lr"] = draw.choice([0.0, arguments["max_lr"] / 100])
    low, length = arguments.get("min_lr", 0.0), arguments["total_steps"]
    fall = {"Rex": {"initial_lr": arguments["max_lr"], "length": length, "end_lr": low}}
    ours = sequence([constant(low), {"Shifted": {"base": fall, "by": 1}}], [1])
    rates = stand_ins.Stepped(lambda o: REXScheduler(o, **arguments), low)
    cases.equal("REXScheduler", arguments, ours, rates, [1, length])


def ramps(cases, kind):
    draw = cases.draw
    top, w = draw.rate(), draw.length(low=0, high=300)
    arguments = {"t_max": w + draw.length(), "max_lr": top, "warmup_steps": w}
    if draw.maybe():
        arguments |= {
            "min_lr": draw.choice([0.0, top / 100, top, 2 * top]),
            "init_lr": draw.choice([0.0, top / 10, 2 * top]),
        }
    low, start, length = arguments.get("min_lr", 0.0), arguments.get("init_lr", 0.0), arguments["t_max"] - w
    if kind is LinearScheduler:
        base, before = {"PolynomialDecay": {"initial_lr": top, "end_lr": low, "length": length}}, arguments["t_max"] + 2
    else:
        fields = {"initial_lr": top, "t_max": length, "eta_min": low, "mirrored": True}
        base, before = {"CosineAnnealingLr": fields}, float("inf")
    ours = sequence([constant(low), warmup(base, w, start_lr=start, target_lr=top)], [1])
    rates = stand_ins.Stepped(lambda o: kind(o, **arguments), low)
    if low > top and kind is CosineScheduler:
        return cases.refused(kind.__name__, arguments, "eta_min", "a `min_lr` above `max_lr`", ours, rates)
    cases.equal(kind.__name__, arguments, ours, rates, [1, w + 1, arguments["t_max"] + 1], before=before)


def cases(seed):
    version = stand_ins.version("pytorch_optimizer", "pytorch_optimizer")
    cases = Cases(seed, version, stand_ins.source())
    for _ in range(60):
        wsd(cases)
    for _ in range(40):
        rex(cases)
        ramps(cases, LinearScheduler)
        ramps(cases, CosineScheduler)
    for name, reason in {
        "PolyScheduler": "a power that grows with the step and has no end",
        "CosineAnnealingWarmupRestarts": "a warmup in every cycle",
        "get_chebyshev_schedule": "an order of rates, not a function of the step",
        "ProportionScheduler": "a value that follows a rate: a curve of its own",
    }.items():
        cases.no_counterpart(name, {}, reason)
    return cases
