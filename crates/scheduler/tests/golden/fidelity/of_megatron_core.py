"""Megatron-core: one class for all styles, here stepped by one and read at each step."""

import stand_ins
from cases import Cases, constant, sequence, shifted, warmup
from megatron.core.optimizer_param_scheduler import OptimizerParamScheduler

KINDS = {"linear": "linear", "cosine": "cosine", "exponential": "exponential", "minus_sqrt": "1-sqrt"}


FRACTION = "a warmup that ends within an update, as of `lr_warmup_fraction`: what comes after it begins at a step"


class Rates:
    def __init__(self, arguments, per_step=1):
        self.per_step = per_step
        fixed = {"start_wd": 0.1, "end_wd": 0.1, "wd_incr_steps": 1, "wd_incr_style": "constant"}
        self.scheduler = OptimizerParamScheduler(stand_ins.optimizer(0.0), **arguments, **fixed)

    def __call__(self, step):
        self.scheduler.num_steps = step * self.per_step
        return self.scheduler.get_lr({})


def inverse_sqrt(arguments):
    top, low, w = arguments["max_lr"], arguments["min_lr"], arguments["lr_warmup_steps"]
    fields = {"peak_lr": top, "warmup": w, "timescale": max(w, 1)}
    decay = {"Clamped": {"base": {"InverseSqrt": fields}, "min_lr": low}}
    if w:
        decay = warmup(decay, w, start_lr=arguments["init_lr"], target_lr=top, prefix=False)
    else:
        # Steps 0 and 1 have the same rate.
        decay = sequence([constant(top), decay], [1])
    return sequence([decay, constant(low)], [arguments["lr_decay_steps"] + 1])


def document(arguments):
    top, low, w = arguments["max_lr"], arguments["min_lr"], arguments["lr_warmup_steps"]
    style, length = arguments["lr_decay_style"], arguments["lr_decay_steps"] - w
    if style == "inverse-square-root":
        return inverse_sqrt(arguments)
    base = {
        "constant": lambda: constant(top),
        "linear": lambda: {"PolynomialDecay": {"initial_lr": top, "end_lr": low, "length": length}},
        "cosine": lambda: {"CosineAnnealingLr": {"initial_lr": top, "t_max": length, "eta_min": low}},
        "WSD": lambda: wsd(arguments, length),
    }[style]()
    return warmup(base, w, start_lr=arguments["init_lr"])


def wsd(arguments, length):
    d, kind = arguments["wsd_decay_steps"], KINDS[arguments["lr_wsd_decay_style"]]
    fields = {
        "peak_lr": arguments["max_lr"],
        "warmup": 0,
        "stable": length - d,
        "decay": d,
        "end_lr": arguments["min_lr"],
    }
    return {"WarmupStableDecay": {**fields, "decay_kind": kind, "decay_ratio": 0.5}}


def within(arguments):
    """A decay that begins within the warmup is what is left of it after that."""
    w, d = arguments["lr_warmup_steps"], arguments["wsd_decay_steps"]
    if w == 0:
        # Without warmup: one that has begun before the run.
        return shifted(wsd(arguments, d), d - arguments["lr_decay_steps"])
    ramp = warmup(constant(arguments["max_lr"]), w, start_lr=arguments["init_lr"])
    over = w + 1 - (arguments["lr_decay_steps"] - d)
    return sequence([ramp, shifted(wsd(arguments, d), over)], [w + 1])


def by_samples(cases, style):
    """As its training script has it: counted in samples, and with a share of the run as the warmup."""
    draw = cases.draw
    top, batch, end = draw.rate(), draw.choice([8, 256, 1024]), draw.randint(200, 9000)
    share = draw.choice([0.01, 0.002, 0.1, draw.number(0.001, 0.3)])
    while share * end == int(share * end):
        end += 1
    given = {"max_lr": top, "min_lr": top / 10, "init_lr": draw.choice([0.0, top / 100]), "lr_decay_style": style}
    w = share * end
    in_updates = {**given, "lr_warmup_steps": w, "lr_decay_steps": end}
    arguments = {**given, "lr_warmup_steps": share * (end * batch), "lr_decay_steps": end * batch}
    if style == "WSD":
        of_wsd = {"lr_wsd_decay_style": draw.choice(list(KINDS))}
        in_updates |= {**of_wsd, "wsd_decay_steps": end // 5}
        arguments |= {**of_wsd, "wsd_decay_steps": end // 5 * batch}
    shown, rates = {**arguments, "samples_per_step": batch}, Rates(arguments, batch)
    if style == "cosine":
        return cases.refused(style, shown, "length", FRACTION, document(in_updates), rates)
    over = {"start_lr": given["init_lr"], "target_lr": top, "prefix": False}
    low, boundaries = given["min_lr"], [w, end]
    if style == "constant":
        ours = warmup(constant(top), w, **over)
    elif style == "linear":
        first = low + (top - low) * end / (end - w)
        ours = warmup({"PolynomialDecay": {"initial_lr": first, "end_lr": low, "length": end}}, w, **over)
    elif style == "WSD":
        ours = warmup(wsd(in_updates, end), w, **over)
        boundaries.append(end - in_updates["wsd_decay_steps"])
    else:
        fields = {"max_lr": top, "coefficient": top * w**0.5, "exponent": -0.5, "warmup": 0}
        ours = warmup({"Clamped": {"base": {"PowerLr": fields}, "min_lr": low}}, w, **over)
        ours = sequence([ours, constant(low)], [end + 1])
    cases.equal(style, shown, ours, rates, boundaries)


def cases(seed):
    cases = Cases(seed, stand_ins.version("megatron-core", "megatron_core"), stand_ins.source())
    draw = cases.draw
    for number in range(240):
        top, w = draw.rate(), draw.choice([0, draw.length(high=500), draw.length(high=500)])
        arguments = {"max_lr": top, "min_lr": draw.choice([0.0, top / 10, draw.number(0, 1) * top, top])}
        arguments["init_lr"] = draw.choice([0.0, top / 100, top])
        arguments |= {"lr_warmup_steps": w, "lr_decay_steps": w + draw.length()}
        style = ["linear", "cosine", "WSD", "WSD", "inverse-square-root", "constant"][number % 6]
        arguments["lr_decay_style"] = style
        w, end = arguments["lr_warmup_steps"], arguments["lr_decay_steps"]
        boundaries = [w, end]
        if style == "WSD":
            arguments["lr_wsd_decay_style"] = draw.choice(list(KINDS))
            arguments["wsd_decay_steps"] = draw.randint(1, draw.choice([end, end, end, 2 * end]))
            boundaries.append(end - arguments["wsd_decay_steps"])
        ours = within(arguments) if style == "WSD" and boundaries[-1] < w else document(arguments)
        cases.equal(style, arguments, ours, Rates(arguments), boundaries)
    for style in ["linear", "cosine", "WSD", "inverse-square-root", "constant"] * 4:
        by_samples(cases, style)
    return cases
