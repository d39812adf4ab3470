"""OLMo-core: schedulers as data, asked for the rate of a step of a run of `t_max`. Its trainer counts an update
before it asks for its rate, and so does this: step 0 has the rate of 1."""

import math

import stand_ins
from cases import Cases, constant, sequence, shifted, warmup
from olmo_core.optim import scheduler as olmo

RISES = "an `alpha_f` above 1"
FRACTION = "a warmup in tokens that ends within an update: what comes after it begins at a step"


def phase(draw, arguments, name, length, low=0):
    """A length as steps, or as a fraction of the run; in steps. Sometimes as long as that."""
    if draw.maybe(0.4):
        arguments[name] = draw.randint(low, max(low, draw.choice([length // 3, length // 3, length])))
        return arguments[name]
    arguments[f"{name}_fraction"] = draw.choice([0.02, 0.1, 0.25, draw.choice([0.75, 1.0])])
    if name == "decay":
        arguments.pop("decay", None)
    return round(length * arguments[f"{name}_fraction"])


def decaying(draw, arguments, length):
    d = phase(draw, arguments, "decay", length, low=1)
    if "decay" in arguments:
        # There is a fraction by default.
        arguments["decay_fraction"] = None
    return d


class Rates:
    def __init__(self, scheduler, lr, length, per_step=1):
        """`length` is in steps, or in tokens of which a step has `per_step`."""
        self.of = lambda step: scheduler.get_lr(lr, (step + 1) * per_step, length)

    def __call__(self, step):
        return self.of(step)


def with_warmup(cases, kind, alpha=None):
    draw = cases.draw
    lr, length, name = draw.rate(), draw.length(low=4), kind.__name__
    arguments = {}
    until = length
    if name not in ("ConstantWithWarmup", "WSD", "PowerLR", "InvSqrtWithWarmup") and draw.maybe(0.3):
        # A cosine or a line as long as another run.
        arguments["t_max"] = until = draw.length(low=4)
    w = phase(draw, arguments, "warmup", until)
    if draw.maybe(0.4):
        arguments["warmup_min_lr"] = draw.choice([0.0, lr / 100, lr / 10])
    start = arguments.get("warmup_min_lr", 0.0)
    if w == 0 and name == "PowerLR":
        # It divides by zero.
        return None
    after, d, before = length, 0, math.inf
    if name in ("WSD", "PowerLR", "CosWithWarmupAndLinearDecay"):
        d = decaying(draw, arguments, length)
        if draw.maybe():
            arguments["decay_min_lr"] = draw.choice([0.0, lr / 1000])
        # Past the end of the run theirs goes on to fall below 0.
        after, before = length - d, length - (d == 0)
    low = arguments.get("decay_min_lr", 0.0)
    if name not in ("ConstantWithWarmup", "WSD", "PowerLR"):
        if draw.maybe() or alpha:
            choices = [0.0, 0.1, 0.3, 1.0, *([1.5] if name == "LinearWithWarmup" else [])]
            arguments["alpha_f"] = alpha or draw.choice(choices)
        alpha = arguments.get("alpha_f", 0.1)
    floor = (alpha or 0.0) * lr
    left = until - w
    ramp = {"start_lr": start, "target_lr": lr}
    cosine = {"initial_lr": lr, "t_max": left, "eta_min": floor}
    if name == "ConstantWithWarmup":
        ours = warmup(constant(lr), w, start_lr=start)
    elif name in ("WSD", "PowerLR"):
        b, top = 0.0, lr
        if name == "PowerLR":
            if draw.maybe():
                arguments["b"] = draw.choice([-0.5, -0.3, -1.0])
            b = arguments.get("b", -0.51)
            if after <= 0:
                # The power of 0 divides by zero.
                return None
            top = lr * (after / w) ** b
            if low >= top:
                return None
        fields = {"warmup": w, "stable": after - w, "decay": d, "start_lr": start, "end_lr": low}
        if after < w:
            # A decay that begins within the warmup is what is left of it after that.
            decay = {"peak_lr": top, "warmup": 0, "stable": 0, "decay": d, "decay_kind": "linear", "end_lr": low}
            decay = shifted({"WarmupStableDecay": decay}, w + 1 - after)
            ours = sequence([warmup(constant(lr), w, start_lr=start), decay], [w + 1])
        elif name == "WSD":
            ours = {"WarmupStableDecay": {"peak_lr": lr, "decay_kind": "linear", **fields}}
        else:
            ours = {"PowerLr": {"max_lr": lr, "coefficient": lr * w**-b, "exponent": b, **fields}}
    elif name == "InvSqrtWithWarmup" and w == 0:
        ours = constant(floor)
    elif name == "InvSqrtWithWarmup":
        ours = {"InverseSqrt": {"peak_lr": lr, "warmup": w, "start_lr": start, "end_lr": floor}}
    elif left <= 0:
        # A warmup as long as that ends in the last rate.
        half = floor + (lr - floor) / 2 if name == "HalfCosWithWarmup" else lr
        ours = warmup(constant(floor), w, start_lr=start, target_lr=half)
    elif name == "LinearWithWarmup":
        ours = warmup({"PolynomialDecay": {"initial_lr": lr, "end_lr": floor, "length": left}}, w, **ramp)
    elif name == "HalfCosWithWarmup":
        half = floor + (lr - floor) / 2
        base = {"Shifted": {"base": {"CosineAnnealingLr": {**cosine, "t_max": 2 * left}}, "by": left}}
        ours = warmup(base, w, start_lr=start, target_lr=half)
    else:
        ours = warmup({"CosineAnnealingLr": cosine}, w, **ramp)
    if name == "CosWithWarmupAndLinearDecay":
        there = olmo.CosWithWarmup.get_lr(kind(**arguments), lr, after, length)
        if there <= low:
            return None
        tail = {"PolynomialDecay": {"initial_lr": there, "end_lr": low, "length": max(d, 1)}}
        ours = sequence([ours, tail], [after]) if after > 0 else tail
    rates, shown = Rates(kind(**arguments), lr, length), {"lr": lr, "max_steps": length, **arguments}
    ours = shifted(ours, 1)
    if floor > lr and name != "LinearWithWarmup":
        if left <= 0 or w == 0:
            # Here no cosine has to rise.
            return with_warmup(cases, kind, alpha)
        parameter = "end_lr" if name == "InvSqrtWithWarmup" else "eta_min"
        return cases.refused(name, shown, parameter, RISES, ours, rates)
    cases.equal(name, shown, ours, rates, [w, after, length, until], before=before)


def between(shape, start, end, duration):
    return {"PiecewiseInterpolate": {"values": [start, end], "boundaries": [duration], "interpolation": shape}}


def rate_or_fraction(draw, given, name, lr, rate):
    """A rate as it is, or as a share of the optimizer's; what it is."""
    if draw.maybe(0.7):
        given[name] = rate
        return rate
    given[f"{name}_fraction"] = draw.choice([0.0, 0.1, 0.5, 1.0, 2.0])
    return lr * given[f"{name}_fraction"]


def typed(given):
    return {**given, "shape": olmo.ComposableSchedulerStageType[given.get("shape", "linear")]}


def composable(cases):
    draw = cases.draw
    lr = draw.rate()
    stages, parts, ends, previous = [], [], [], lr
    for _ in range(draw.randint(1, 4)):
        stage, start = {"duration": draw.length(high=400)}, previous
        if draw.maybe():
            stage["shape"] = draw.choice(["linear", "cosine"])
        if draw.maybe(0.4):
            start = rate_or_fraction(draw, stage, "start_lr", lr, draw.rate())
        end = rate_or_fraction(draw, stage, "end_lr", lr, draw.choice([0.0, lr, lr / 10]))
        parts.append(between(stage.get("shape", "linear"), start, end, stage["duration"]))
        ends.append((ends[-1] if ends else 0) + stage["duration"])
        stages.append(stage)
        previous = end
    shown, ours, override = {"lr": lr, "stages": stages}, sequence(parts, ends[:-1]), None
    made = [olmo.ComposableSchedulerStage(**typed(stage)) for stage in stages]
    if draw.maybe(0.3):
        start, duration = draw.randint(0, ends[-1] + 9), draw.length(high=200)
        there = olmo.ComposableScheduler(stages=made).get_lr(lr, start, 0)
        decay = {"start": start, "duration": duration}
        if draw.maybe():
            decay["shape"] = draw.choice(["linear", "cosine"])
        end = rate_or_fraction(draw, decay, "end_lr", lr, lr / 100)
        override = olmo.OverrideDecay(**typed(decay))
        shown["override_decay"] = decay
        ours = sequence([ours, between(decay.get("shape", "linear"), there, end, duration)], [start])
        ends += [start, start + duration]
    scheduler = olmo.ComposableScheduler(stages=made, override_decay=override)
    cases.equal("ComposableScheduler", shown, shifted(ours, 1), Rates(scheduler, lr, 0), ends)


def wsds(cases):
    draw = cases.draw
    lr = draw.rate()
    lengths = [draw.length(low=8, high=2000) for _ in range(draw.randint(1, 4))]
    arguments = {"period_lengths": lengths}
    if draw.maybe(0.3):
        arguments["warmup_fraction"] = draw.choice([0.0, 0.1, 0.25])
        w = round(arguments["warmup_fraction"] * lengths[0])
    else:
        w = arguments["warmup"] = draw.randint(0, lengths[0] // 4)
    if draw.maybe(0.3):
        arguments["warmup_min_lr"] = lr / 10
    start = arguments.get("warmup_min_lr", 0.0)
    low = arguments["decay_min_lr"] = draw.choice([0.0, lr / 1000])
    if draw.maybe():
        arguments["decay"] = draw.randint(1, draw.choice([min(lengths) // 2, min([lengths[0] - w, *lengths[1:]])]))
        decays = [arguments["decay"]] * len(lengths)
    else:
        arguments["decay_fraction"] = draw.choice([0.1, 0.2, 0.5])
        decays = [max(round(arguments["decay_fraction"] * length), 0) for length in lengths]
    if min(decays) < 1:
        return
    peaks = [lr] * len(lengths)
    if draw.maybe(0.3):
        arguments["period_lr_multipliers"] = [draw.choice([1.0, 0.5, 0.8]) for _ in lengths]
        peaks = [lr * multiplier for multiplier in arguments["period_lr_multipliers"]]
    ends = [sum(lengths[: i + 1]) for i in range(len(lengths))]
    if len(set(decays)) == len(set(peaks)) == 1:
        fields = {"peak_lr": peaks[0], "warmup": w, "ends": ends, "decay": decays[0], "end_lr": low, "start_lr": start}
        ours = {"WsdS": {**fields, "decay_kind": "linear"}}
    else:
        parts = []
        for i, (length, decay, peak) in enumerate(zip(lengths, decays, peaks)):
            ramp = w if i == 0 else 0
            fields = {"peak_lr": peak, "warmup": ramp, "stable": length - decay - ramp, "decay": decay}
            part = {"WarmupStableDecay": {**fields, "decay_kind": "linear", "end_lr": low, "start_lr": start}}
            parts.append(part if i == 0 else {"Shifted": {"base": part, "by": 1}})
        ours = sequence(parts, [end + 1 for end in ends[:-1]])
    boundaries = [w, *ends, *(end - decay for end, decay in zip(ends, decays))]
    cases.equal("WSDS", {"lr": lr, **arguments}, shifted(ours, 1), Rates(olmo.WSDS(**arguments), lr, 0), boundaries)


def exponential(cases):
    draw = cases.draw
    lr, length = draw.rate(), draw.length()
    arguments = {"lr_min": draw.choice([1e-9, lr / 100])}
    ours = warmup(constant(lr), length, kind="exponential", start_lr=arguments["lr_min"])
    rates = Rates(olmo.ExponentialScheduler(**arguments), lr, length)
    cases.equal("ExponentialScheduler", {"lr": lr, "max_steps": length, **arguments}, shifted(ours, 1), rates, [length])


def by_tokens(cases, whole):
    """Its other unit. A warmup of some tokens may end within an update."""
    draw = cases.draw
    lr, batch = draw.rate(), draw.choice([4_194_304, 1_048_576, draw.randint(1000, 10**7)])
    w = draw.length(low=2, high=300)
    tokens = {"warmup": w * batch if whole else w * batch - draw.randint(1, batch - 1), "decay": w * batch}
    length = 2 * tokens["warmup"] + (draw.length(low=4) + w) * batch
    w = w if whole else tokens["warmup"] / batch
    steps = length / batch
    for kind, fields, ours, parameter in [
        (olmo.ConstantWithWarmup, {}, warmup(constant(lr), w), "length"),
        (
            olmo.CosWithWarmup,
            {},
            warmup({"CosineAnnealingLr": {"initial_lr": lr, "t_max": steps - w, "eta_min": lr / 10}}, w),
            "length",
        ),
        (
            olmo.WSD,
            {"decay": tokens["decay"], "decay_fraction": None},
            {
                "WarmupStableDecay": {
                    **{"peak_lr": lr, "warmup": w, "decay": tokens["decay"] // batch, "decay_kind": "linear"},
                    "stable": round(steps - w - tokens["decay"] / batch),
                }
            },
            "warmup",
        ),
    ]:
        arguments = {"warmup": tokens["warmup"], **fields}
        shown = {"lr": lr, "units": "tokens", "tokens_per_step": batch, "max_tokens": length, **arguments}
        rates, name = Rates(kind(**arguments), lr, length, batch), kind.__name__
        if whole:
            before = steps if kind is olmo.WSD else math.inf
            cases.equal(name, shown, shifted(ours, 1), rates, [w, steps], before=before)
        elif kind is olmo.ConstantWithWarmup:
            ours["Warmup"]["prefix"] = False
            cases.equal(name, shown, shifted(ours, 1), rates, [w, steps])
        else:
            cases.refused(name, shown, parameter, FRACTION, shifted(ours, 1), rates)


def cases(seed):
    cases = Cases(seed, stand_ins.version("ai2-olmo-core", "ai2_olmo_core"), stand_ins.source())
    draw = cases.draw
    for _ in range(22):
        for name in ("ConstantWithWarmup", "WSD", "PowerLR", "LinearWithWarmup", "InvSqrtWithWarmup"):
            with_warmup(cases, getattr(olmo, name))
        for name in ("CosWithWarmup", "HalfCosWithWarmup", "CosWithWarmupAndLinearDecay"):
            with_warmup(cases, getattr(olmo, name))
        composable(cases)
        wsds(cases)
    for name in ("CosWithWarmup", "HalfCosWithWarmup", "CosWithWarmupAndLinearDecay", "InvSqrtWithWarmup"):
        for alpha in (1.5, 3.0):
            with_warmup(cases, getattr(olmo, name), alpha)
    for whole in (True, True, False, False):
        by_tokens(cases, whole)
    for _ in range(8):
        exponential(cases)
        lr = draw.rate()
        cases.equal("ConstantScheduler", {"lr": lr}, constant(lr), Rates(olmo.ConstantScheduler(), lr, 10))
    for _ in range(3):
        reason = "its parts start from the rate of the one before: give each its own in a `Sequence`"
        cases.no_counterpart("SequentialScheduler", {"schedulers": "..."}, reason)
    return cases
