"""Composer: schedulers asked with the state of a trainer, in its units of time."""

import math
import types

import stand_ins
from cases import Cases, constant, sequence, shifted, warmup
from composer.core.time import Time, Timestamp
from composer.optim import scheduler as theirs

ROUNDED = "Composer rounds a share of the run down, and ours is the nearest step"


class Span:
    """A time as people write it, which is our length too, and the steps that it is there and here."""

    def __init__(self, text, theirs, ours):
        self.text, self.theirs, self.ours = text, theirs, ours

    @property
    def in_ours(self):
        return f"{self.ours}ba"


class Run:
    """A run of epochs or batches."""

    def __init__(self, draw):
        self.per_epoch = draw.randint(2, 40)
        self.epochs = draw.randint(2, 30)
        self.batches = self.per_epoch * self.epochs
        self.duration = draw.choice([f"{self.epochs}ep", f"{self.batches}ba"])
        self.ratio = draw.choice([1.0, 1.0, 0.5, 2.0, draw.number(0.3, 3)])

    def time(self, draw, least=1):
        kind = draw.choice(["ba", "ep", "dur"])
        if kind == "dur":
            share = draw.choice([0.1, 0.25, 0.5, 1.0, draw.number(0.01, 1)])
            steps = share * self.batches
            return Span(f"{share}dur", int(steps), math.floor(steps + 0.5))
        number = draw.randint(least, self.epochs if kind == "ep" else self.batches)
        steps = int(number * (self.per_epoch if kind == "ep" else 1) * self.ratio)
        return Span(f"{number}{kind}", steps, steps)

    def ours(self, schedule):
        return {"Stretched": {"base": schedule, "ratio": self.ratio}} if self.ratio != 1 else schedule

    def state(self, step):
        epoch, batch = divmod(step, self.per_epoch)
        timestamp = Timestamp(epoch=epoch, batch=step, batch_in_epoch=batch)
        return types.SimpleNamespace(
            timestamp=timestamp, dataloader_len=self.per_epoch, max_duration=Time.from_timestring(self.duration)
        )

    def rates(self, scheduler, lr, ratio=None):
        return lambda step: lr * float(scheduler(self.state(step), self.ratio if ratio is None else ratio))

    def shown(self, lr, arguments):
        fixed = {"lr": lr, "max_duration": self.duration, "dataloader_len": self.per_epoch}
        return {**fixed, "scale_schedule_ratio": self.ratio, **arguments}


def plain(cases, name):
    draw = cases.draw
    run, lr = Run(draw), draw.rate()
    time = run.time(draw)
    if time.theirs == 0 or time.ours == 0:
        return None
    times, final, steps, length = [time], draw.choice([0.0, 0.1, 1.0]), time.theirs, time.text
    boundaries = [steps, 2 * steps]
    if name == "StepScheduler":
        arguments = {"step_size": length, "gamma": draw.choice([0.1, 0.5, 0.97])}
        ours = {"StepLr": {"initial_lr": lr, "step_size": length, "gamma": arguments["gamma"]}}
    elif name == "MultiStepScheduler":
        times = [run.time(draw) for _ in range(draw.randint(1, 4))]
        arguments = {"milestones": [time.text for time in times], "gamma": draw.choice([0.1, 0.5])}
        boundaries = [time.theirs for time in times]
        times.sort(key=lambda time: time.ours)
        at_once = sum(time.ours == 0 for time in times)
        fields = {"initial_lr": lr * arguments["gamma"] ** at_once, "milestones": [t.text for t in times[at_once:]]}
        ours = {"MultiStepLr": {**fields, "gamma": arguments["gamma"]}}
    elif name == "ConstantScheduler":
        arguments = {"alpha": draw.choice([0.1, 1.0, 2.0]), "t_max": length}
        parts = [constant(arguments["alpha"] * lr), constant(lr)]
        ours = {"Sequence": {"schedules": parts, "milestones": [length]}}
    elif name == "LinearScheduler":
        arguments = {"alpha_i": draw.choice([0.0, 1.0, 0.5]), "alpha_f": final, "t_max": length}
        ours = {"PolynomialDecay": {"initial_lr": arguments["alpha_i"] * lr, "end_lr": final * lr, "length": length}}
    elif name == "ExponentialScheduler":
        arguments = {"gamma": draw.choice([0.9, 0.5, 1.01]), "decay_period": length}
        ours = {"ExponentialDecay": {"initial_lr": lr, "decay_steps": length, "decay_rate": arguments["gamma"]}}
    elif name == "CosineAnnealingScheduler":
        arguments = {"t_max": length, "alpha_f": final}
        ours = {"CosineAnnealingLr": {"initial_lr": lr, "t_max": length, "eta_min": final * lr}}
    elif name == "CosineAnnealingWarmRestartsScheduler":
        mult = draw.choice([1.0, 2.0, 1.5])
        arguments = {"t_0": length, "t_mult": mult, "alpha_f": final}
        mult = int(mult) if mult == int(mult) else mult
        fields = {"initial_lr": lr, "t_0": length, "t_mult": mult, "eta_min": final * lr}
        ours, boundaries = {"CosineAnnealingWarmRestarts": fields}, [steps, 2 * steps, 3 * steps, 7 * steps]
    else:
        arguments = {"power": draw.choice([1.0, 2.0, 0.5]), "t_max": length, "alpha_f": final}
        ours = {
            "PolynomialDecay": {"initial_lr": lr, "end_lr": final * lr, "length": length, "power": arguments["power"]}
        }
    make, in_run = getattr(theirs, name), [run.per_epoch, run.epochs]
    rates, shown, document = run.rates(make(**arguments), lr), run.shown(lr, arguments), run.ours(ours)
    if name == "MultiStepScheduler" and len({t.ours for t in times[at_once:]}) < len(times[at_once:]):
        return cases.refused(name, shown, "milestones", "one that is given twice", document, rates, in_run)
    if arguments.get("t_mult") == 1.5:
        reason = "with a fraction: Composer rounds the length of each cycle"
        return cases.refused(name, shown, "t_mult", reason, document, rates, in_run)
    departs = None
    if any(time.theirs != time.ours for time in times):
        in_ours = {time.text: time.in_ours for time in times}
        changed = {
            key: [in_ours[text] for text in value] if isinstance(value, list) else in_ours.get(value, value)
            for key, value in arguments.items()
        }
        there = run.rates(make(**changed), lr, 1.0)
        departs = lambda step: (ROUNDED, there(step))
    cases.equal(name, shown, document, rates, boundaries, departs, in_run)


def warmed(cases, name):
    draw = cases.draw
    run, lr = Run(draw), draw.rate()
    w = draw.randint(0, run.batches // 2)
    arguments, final = {"t_warmup": f"{w}ba"}, draw.choice([0.0, 0.1, 1.0])
    if name == "MultiStepWithWarmupScheduler":
        times = sorted({t.theirs: t.text for t in (run.time(draw) for _ in range(3)) if t.theirs}.items())
        arguments["milestones"] = [text for _, text in times]
        boundaries = [steps for steps, _ in times]
        base = {"MultiStepLr": {"initial_lr": lr, "milestones": boundaries, "gamma": 0.1}}
        if not times:
            return None
    else:
        # Not shorter than the run, or it is refused there.
        n = draw.choice([run.batches, run.batches + draw.randint(0, 200)])
        arguments["t_max"] = draw.choice(["1dur", f"{n}ba"])
        end = int(n * run.ratio) if arguments["t_max"] != "1dur" else run.batches
        if end < run.batches:
            return None
        if run.duration.endswith("ep") and arguments["t_max"] == "1dur":
            end = run.batches
        boundaries, left = [end], end - w
        base = {"PolynomialDecay": {"initial_lr": lr, "end_lr": final * lr, "length": left}}
        if name == "CosineAnnealingWithWarmupScheduler":
            base = {"CosineAnnealingLr": {"initial_lr": lr, "t_max": left, "eta_min": final * lr}}
        if name == "PolynomialWithWarmupScheduler":
            arguments["power"] = draw.choice([1.0, 2.0, 0.5])
            base["PolynomialDecay"]["power"] = arguments["power"]
        if name == "ConstantWithWarmupScheduler":
            arguments["alpha"] = draw.choice([1.0, 0.5])
            base = constant(arguments["alpha"] * lr)
        else:
            arguments["alpha_f"] = final
    target = arguments.get("alpha", 1.0) * lr
    prefix = name != "MultiStepWithWarmupScheduler"
    ours = warmup(base, w, target_lr=target, prefix=prefix)
    if draw.maybe(0.3) and int(w * run.ratio):
        # The ramp is scaled, where it ends is not.
        arguments["scale_warmup"] = True
        ramp = warmup(constant(target), int(w * run.ratio))
        ours = sequence([ramp, base if prefix else shifted(base, w)], [w])
    rates = run.rates(getattr(theirs, name)(**arguments), lr)
    cases.equal(name, run.shown(lr, arguments), ours, rates, [w, *boundaries])


PLAIN = [
    "Step",
    "MultiStep",
    "Constant",
    "Linear",
    "Exponential",
    "CosineAnnealing",
    "CosineAnnealingWarmRestarts",
    "Polynomial",
]
WARMED = ["MultiStep", "Constant", "Linear", "CosineAnnealing", "Polynomial"]


def cases(seed):
    cases = Cases(seed, stand_ins.version("composer", "composer"), stand_ins.source())
    for _ in range(20):
        for name in PLAIN:
            plain(cases, f"{name}Scheduler")
        for name in WARMED:
            warmed(cases, f"{name}WithWarmupScheduler")
    return cases
