"""Hugging Face transformers: functions of an optimizer that give one of PyTorch's schedulers."""

import math
from fractions import Fraction

import stand_ins
from cases import Cases, constant, nudged, sequence, shifted, warmup
from transformers import optimization as hf

CYCLES = [0.5, 0.5, 1.0, 1.5, 2.0, 0.25, 0.45, 3.0]
ROUNDED = "`num_cycles * progress` is rounded to less than a whole number at a restart"
RISES = "above the rate: a cosine that rises"
FRACTION = "a warmup with a fraction: what comes after it begins at a step"


def lengths(draw):
    """Of the warmup and of the run, which may be as short as that or shorter."""
    w = draw.choice([0, draw.length(high=500), draw.length(high=500)])
    n = draw.choice([w, max(w - draw.randint(0, 5), 0), w + 1] + [w + draw.length(high=4000)] * 9)
    return {"num_warmup_steps": w, "num_training_steps": n}


def cosine(lr, w, n, cycles, eta_min=0.0):
    return cosine_of(lr, max(1, n - w), cycles, eta_min)


def cosine_of(lr, length, cycles, eta_min):
    if cycles == 0:
        return constant(lr)
    fields = {"initial_lr": lr, "t_max": length / (2 * cycles), "eta_min": eta_min, "mirrored": True}
    return {"CosineAnnealingLr": fields}


def with_min(draw, lr, arguments):
    if draw.maybe():
        arguments["min_lr"] = draw.choice([0.0, lr / 10, lr * 0.5, 2 * lr])
        return arguments["min_lr"]
    arguments["min_lr_rate"] = draw.choice([0.0, 0.1, 0.25, 1.0, 1.2])
    return arguments["min_lr_rate"] * lr


def constants(cases, lr):
    cases.equal("get_constant_schedule", {"lr": lr}, constant(lr), stand_ins.Stepped(hf.get_constant_schedule, lr))
    w = cases.draw.length(low=0)
    rates = stand_ins.Stepped(lambda o: hf.get_constant_schedule_with_warmup(o, w), lr)
    name = "get_constant_schedule_with_warmup"
    cases.equal(name, {"lr": lr, "num_warmup_steps": w}, warmup(constant(lr), w), rates, [w])


def linear(cases, lr):
    draw = cases.draw
    arguments = lengths(draw)
    w, n = arguments.values()
    if n > w:
        ours = warmup({"PolynomialLr": {"initial_lr": lr, "total_iters": n - w}}, w)
    else:
        ours = warmup(constant(0.0), w, target_lr=lr)
    if n > w and draw.maybe(0.2):
        # A ramp that ends between two steps; the line underneath is the one that is at 0 at the end.
        arguments["num_warmup_steps"] = w = w + draw.choice([0.5, draw.number(0, 1)]) if w else 1.5
        arguments["num_training_steps"] = n = n + 1
        fields = {"initial_lr": lr * n / (n - w), "length": n}
        ours = warmup({"PolynomialDecay": fields}, w, target_lr=lr, prefix=False)
    rates = stand_ins.Stepped(lambda o: hf.get_linear_schedule_with_warmup(o, **arguments), lr)
    cases.equal("get_linear_schedule_with_warmup", {"lr": lr, **arguments}, ours, rates, [w, n])


def cosines(cases, lr):
    draw = cases.draw
    arguments = lengths(draw)
    w, n = arguments.values()
    if draw.maybe(0.7):
        arguments["num_cycles"] = draw.choice([*CYCLES, 0.0])
    ours = warmup(cosine(lr, w, n, arguments.get("num_cycles", 0.5)), w)
    rates = stand_ins.Stepped(lambda o: hf.get_cosine_schedule_with_warmup(o, **arguments), lr)
    cases.equal("get_cosine_schedule_with_warmup", {"lr": lr, **arguments}, ours, rates, [w, (w + n) // 2, n])


def min_cosines(cases, lr):
    draw = cases.draw
    arguments = lengths(draw)
    w, n = arguments.values()
    if draw.maybe(0.4):
        arguments["num_cycles"] = draw.choice([*CYCLES, 0.0])
    floor = with_min(draw, lr, arguments)
    decay = cosine(lr, w, n, arguments.get("num_cycles", 0.5), floor)
    make, ours = hf.get_cosine_with_min_lr_schedule_with_warmup, warmup(decay, w)
    if draw.maybe():
        # It is one step ahead.
        make = hf.get_cosine_with_min_lr_schedule_with_warmup_lr_rate
        later = {"Shifted": {"base": decay, "by": 1}}
        ours = {"Shifted": {"base": warmup(decay, w), "by": 1}}
        if draw.maybe():
            arguments["warmup_lr_rate"] = draw.choice([0.0, 0.1, 0.5, 1.0])
            start = arguments["warmup_lr_rate"] * lr
            ours = warmup(decay, w - 1, start_lr=start) if w > 1 else warmup(later, w, start_lr=start, target_lr=lr)
    shown, name = {"lr": lr, **arguments}, make.__name__
    rates = stand_ins.Stepped(lambda o: make(o, **arguments), lr)
    if floor > lr and arguments.get("num_cycles") != 0.0:
        return cases.refused(name, shown, "eta_min", RISES, ours, rates)
    cases.equal(name, shown, ours, rates, [w, n])


def restarts(cases, lr):
    draw = cases.draw
    arguments = lengths(draw)
    w, n = arguments.values()
    if draw.maybe(0.8):
        arguments["num_cycles"] = draw.choice([1, 2, 3, 5, 6, 7, 2.5, 0.5, 0])
    cycles, whole = arguments.get("num_cycles", 1), max(1, n - w)
    length = whole / cycles if cycles else whole
    if cycles and Fraction(length) * Fraction(cycles) > whole:
        length = math.nextafter(length, 0)
    fields = {"initial_lr": lr, "cycle_length": length, "cycle_limit": math.ceil(cycles)}
    by_number = hf.get_cosine_with_hard_restarts_schedule_with_warmup(stand_ins.optimizer(lr), **arguments).lr_lambdas[
        0
    ]
    rates = lambda step: lr * by_number(step)

    def departs(step):
        exact = math.floor(Fraction(step - w, whole) * Fraction(cycles))
        counted = math.floor(float(cycles) * (float(step - w) / float(whole)))
        return (ROUNDED, nudged(rates, step, counted, exact)) if w <= step < n and exact != counted else None

    ours, name = warmup({"CosineDecayCycles": fields}, w), "get_cosine_with_hard_restarts_schedule_with_warmup"
    if cycles == 0:
        ours = sequence([warmup(constant(lr), w), constant(0.0)], [w + whole])
    if cycles != int(cycles):
        # The last cycle is cut off where the run ends.
        ours = sequence([ours, constant(0.0)], [w + whole])
    starts = [w + math.ceil(i * whole / (cycles or 1)) for i in range(math.ceil(cycles) + 1)]
    cases.equal(name, {"lr": lr, **arguments}, ours, rates, [w, n, *starts], departs)


def polynomial(cases, lr):
    draw = cases.draw
    arguments = lengths(draw)
    w, n = arguments.values()
    arguments["lr_end"] = draw.choice([1e-7, 0.0, lr / 10])
    if draw.maybe():
        arguments["power"] = draw.choice([0.5, 1.0, 2.0, 3.0])
    end, name, shown = arguments["lr_end"], "get_polynomial_decay_schedule_with_warmup", {"lr": lr, **arguments}
    # With a warmup as long as the run theirs divides by zero at its end.
    before = w if n == w else math.inf
    if before == 0:
        return None
    if n > w:
        fields = {"initial_lr": lr, "end_lr": end, "length": n - w, "power": arguments.get("power", 1.0)}
        ours = warmup({"PolynomialDecay": fields}, w)
    else:
        ours = warmup(constant(end), w, target_lr=lr)
    rates = stand_ins.Stepped(lambda o: hf.get_polynomial_decay_schedule_with_warmup(o, **arguments), lr)
    cases.equal(name, shown, ours, rates, [w, n], before=before)


def polynomial_edges(cases):
    for power in (0.0, -1.0):
        lr = cases.draw.rate()
        arguments = {"num_warmup_steps": 5, "num_training_steps": 20, "power": power}
        rates = stand_ins.Stepped(lambda o: hf.get_polynomial_decay_schedule_with_warmup(o, **arguments), lr)
        ours = warmup({"PolynomialDecay": {"initial_lr": lr, "end_lr": 1e-7, "length": 15, "power": power}}, 5)
        name, shown = "get_polynomial_decay_schedule_with_warmup", {"lr": lr, **arguments}
        cases.refused(name, shown, "power", "0 or less", ours, rates)


def fractions(cases):
    """Warmups that end between two steps, as of `0.1 * steps`. They may lie over a base; none can begin there."""
    for w in (0.5, 2.5):
        lr, name = cases.draw.rate(), "get_constant_schedule_with_warmup"
        rates = stand_ins.Stepped(lambda o: hf.get_constant_schedule_with_warmup(o, w), lr)
        cases.equal(name, {"lr": lr, "num_warmup_steps": w}, warmup(constant(lr), w, prefix=False), rates, [w])
    w, n, lr = 2.5, 25, cases.draw.rate()
    bases = {
        "cosine_schedule_with_warmup": {"CosineAnnealingLr": {"initial_lr": lr, "t_max": n - w, "mirrored": True}},
        "cosine_with_hard_restarts_schedule_with_warmup": {
            "CosineDecayCycles": {"initial_lr": lr, "cycle_length": n - w, "cycle_limit": 1}
        },
        "polynomial_decay_schedule_with_warmup": {
            "PolynomialDecay": {"initial_lr": lr, "length": n - w, "end_lr": 1e-7}
        },
    }
    given = {"num_warmup_steps": w, "num_training_steps": n}
    for name, base in bases.items():
        rates = stand_ins.Stepped(lambda o: getattr(hf, f"get_{name}")(o, **given), lr)
        cases.refused(f"get_{name}", {"lr": lr, **given}, "length", FRACTION, warmup(base, w), rates)
    rates = stand_ins.Stepped(lambda o: hf.get_inverse_sqrt_schedule(o, w), lr)
    ours = {"InverseSqrt": {"peak_lr": lr, "warmup": w, "timescale": w}}
    cases.refused("get_inverse_sqrt_schedule", {"lr": lr, "num_warmup_steps": w}, "warmup", FRACTION, ours, rates)
    given = {"num_warmup_steps": w, "num_decay_steps": 4, "num_stable_steps": 10}
    rates = stand_ins.Stepped(lambda o: hf.get_wsd_schedule(o, **given), lr)
    ours = {"WarmupStableDecay": {"peak_lr": lr, "warmup": w, "stable": 10, "decay": 4, "decay_kind": "cosine"}}
    cases.refused("get_wsd_schedule", {"lr": lr, **given}, "warmup", FRACTION, ours, rates)


def inverse_sqrt(cases, lr):
    draw = cases.draw
    w = draw.choice([0, draw.length()])
    arguments = {"num_warmup_steps": w}
    if draw.maybe():
        arguments["timescale"] = draw.length()
    ours = {"peak_lr": lr, "warmup": w, "timescale": arguments.get("timescale", w or 10_000)}
    rates = stand_ins.Stepped(lambda o: hf.get_inverse_sqrt_schedule(o, **arguments), lr)
    cases.equal("get_inverse_sqrt_schedule", {"lr": lr, **arguments}, {"InverseSqrt": ours}, rates, [w])


def wsd(cases, lr):
    draw = cases.draw
    w, d = draw.length(low=0, high=300), draw.length(low=0, high=300)
    arguments = {"num_warmup_steps": w, "num_decay_steps": d}
    if draw.maybe(0.6):
        arguments["num_stable_steps"] = stable = draw.length(low=0, high=2000)
    else:
        arguments["num_training_steps"] = n = max(w + d + draw.randint(-20, 400), 0)
        stable = n - w - d
    for argument, values in [
        ("warmup_type", ["linear", "cosine", "1-sqrt"]),
        ("decay_type", ["linear", "cosine", "1-sqrt"]),
        ("min_lr_ratio", [0.0, 0.1, 0.5, 1.0, 1.5]),
        ("num_cycles", [0.5, 1.0, 1.5, 0.25, 0.0]),
    ]:
        if draw.maybe():
            arguments[argument] = draw.choice(values)
    kind, decay = arguments.get("warmup_type", "linear"), arguments.get("decay_type", "cosine")
    floor, cycles = arguments.get("min_lr_ratio", 0) * lr, arguments.get("num_cycles", 0.5)
    name, shown, top = "get_wsd_schedule", {"lr": lr, **arguments}, w + stable
    rates = stand_ins.Stepped(lambda o: hf.get_wsd_schedule(o, **arguments), lr)
    ours = {"peak_lr": lr, "warmup": w, "stable": stable, "decay": d, "decay_kind": decay, "end_lr": floor}
    if top < 0:
        # A decay that is longer than the run has begun before it.
        under = {"WarmupStableDecay": {**ours, "warmup": 0, "stable": 0}}
        if decay == "cosine" and cycles != 0.5 and d:
            under = sequence([cosine_of(lr, d, cycles, floor), constant(floor)], [d])
        ours = warmup(shifted(under, -top), w, kind=kind, start_lr=floor, target_lr=lr, prefix=False)
    elif decay == "cosine" and cycles != 0.5 and d:
        parts = [constant(lr), cosine_of(lr, d, cycles, floor), constant(floor)]
        ours = warmup(sequence(parts, [top, top + d]), w, kind=kind, start_lr=floor, target_lr=lr, prefix=False)
    elif kind == "linear" and stable >= 0:
        ours = {"WarmupStableDecay": {**ours, "start_lr": floor}}
    else:
        ours = {"WarmupStableDecay": {**ours, "warmup": 0, "stable": top}}
        ours = warmup(ours, w, kind=kind, start_lr=floor, target_lr=lr, prefix=False)
    if floor > lr and decay == "cosine" and cycles == 0 and d:
        # No cosine has to rise.
        return cases.equal(name, shown, ours, rates, [w, max(top, 0), max(top + d, 0)])
    if floor > lr:
        parameter = "eta_min" if decay == "cosine" and cycles != 0.5 and d else "end_lr"
        parameter = "start_lr" if "start_lr" in ours.get("WarmupStableDecay", {}) else parameter
        return cases.refused(name, shown, parameter, "a `min_lr_ratio` above 1", ours, rates)
    cases.equal(name, shown, ours, rates, [w, max(top, 0), max(top + d, 0)])


def greedy(cases, lr, threshold=None):
    """With a relative `threshold` of 1 or more it departs, as PyTorch's plateau."""
    draw, arguments = cases.draw, {}
    choices = {
        "mode": ["min", "max"],
        "factor": [0.95, 0.5, 0.1],
        "patience": [0, 1, 2, 5, 10],
        "threshold": [1e-6, 0.0, 0.1, 1e-3],
        "threshold_mode": ["rel", "abs"],
        "cooldown": [0, 1, 3],
        "warmup": [0, 1, 3],
        "min_lr": [0.0, lr / 4, lr, 1.5 * lr],
        "max_lr": [lr / 2, 1.5 * lr, 2 * lr, 100 * lr],
        "eps": [1e-8, 0.0, lr / 20],
        "reset_start": [1, 2, 3, 500],
    }
    for argument, values in choices.items():
        if draw.maybe(0.7) or argument in ("min_lr", "max_lr"):
            arguments[argument] = draw.choice(values)
    if threshold is not None:
        # It shows in the first cut.
        shows = {"threshold_mode": "rel", "patience": draw.randint(0, 5), "min_lr": 0.0, "max_lr": 2 * lr, "eps": 0.0}
        arguments |= {"mode": "min", "threshold": threshold, **shows}
    metrics = draw.metrics(negative=draw.maybe(0.3) if threshold is None else False)
    shown, document = {"lr": lr, **arguments}, greedy_document(lr, arguments)
    if arguments["min_lr"] > arguments["max_lr"]:
        hf.get_greedy_schedule(stand_ins.optimizer(lr), **arguments).step(metrics[0])
        return cases.refused("get_greedy_schedule", shown, "min_lr", "above `max_lr`", document)

    def observing(first=None):
        optimized, after = stand_ins.optimizer(lr), []
        scheduler = hf.get_greedy_schedule(optimized, **arguments)
        given = scheduler.threshold
        for number, metric in enumerate(metrics):
            scheduler.threshold = given if first is None or number else first
            scheduler.step(metric)
            after.append(optimized.param_groups[0]["lr"])
        return after

    departs = None if threshold is None else (stand_ins.BAD, observing(first=0.0))
    cases.observed("get_greedy_schedule", shown, document, metrics, observing(), departs)


def greedy_document(lr, arguments):
    threshold_mode = {"rel": "factor", "abs": "abs"}[arguments.get("threshold_mode", "abs")]
    return {"GreedyLr": {"base": constant(lr), **arguments, "threshold_mode": threshold_mode}}


def greedy_edges(cases):
    """What Hugging Face accepts of it and ours does not."""
    for name, value, reason in [
        ("reset_start", 0, "0, which is 1 there"),
        ("threshold", -0.1, "negative"),
        ("patience", -1, "negative"),
        ("cooldown", -1, "negative"),
        ("warmup", -1, "negative"),
    ]:
        lr = cases.draw.rate()
        hf.get_greedy_schedule(stand_ins.optimizer(lr), **{name: value}).step(0.5)
        document = greedy_document(lr, {name: value})
        cases.refused("get_greedy_schedule", {"lr": lr, name: value}, name, reason, document)
    for window in (50, 5):
        arguments = {"lr": cases.draw.rate(), "smooth": True, "window_size": window}
        cases.no_counterpart("get_greedy_schedule", arguments, "`smooth`: observe a metric that is smoothed")


def cases(seed):
    cases = Cases(seed, stand_ins.version("transformers", "transformers"), stand_ins.source())
    rate = cases.draw.rate
    for _ in range(6):
        constants(cases, rate())
    for _ in range(30):
        linear(cases, rate())
        cosines(cases, rate())
        min_cosines(cases, rate())
        restarts(cases, rate())
        polynomial(cases, rate())
        wsd(cases, rate())
    for _ in range(30):
        min_cosines(cases, rate())
        wsd(cases, rate())
    for _ in range(15):
        inverse_sqrt(cases, rate())
        stand_ins.plateau(cases, "get_reduce_on_plateau_schedule", hf.get_reduce_on_plateau_schedule, stand_ins.PLATEAU)
    for _ in range(3):
        cases.no_counterpart("get_adafactor_schedule", {"initial_lr": rate()}, "it reports what Adafactor computes")
    polynomial_edges(cases)
    name = "get_reduce_on_plateau_schedule"
    for threshold in (1.0, 1.5):
        stand_ins.plateau(cases, name, getattr(hf, name), stand_ins.PLATEAU, threshold)
    fractions(cases)
    for _ in range(30):
        greedy(cases, rate())
    for threshold in (1.0, 1.5):
        greedy(cases, rate(), threshold)
    greedy_edges(cases)
    return cases
