"""Composer: schedulers asked with the state of a trainer, in its units of time."""

import math
import types

import stand_ins
from cases import Cases, constant, sequence, shifted, warmup
from composer.core.time import Time, Timestamp
from composer.optim import scheduler as theirs

TWICE = "one that is given twice"
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

    def time(self, draw, least=1, ratio=None):
        """Drawn from up to the whole run, and multiplied by the run's ratio if by no other."""
        kind = draw.choice(["ba", "ep", "dur"])
        if kind == "dur":
            share = draw.choice([0.1, 0.25, 0.5, 1.0, draw.number(0.01, 1)])
            return self.span(f"{share}dur", math.floor(share * 100 / 100 * self.batches + 0.5))
        ratio = self.ratio if ratio is None else ratio
        number = draw.randint(least, self.epochs if kind == "ep" else self.batches)
        steps = int(number * (self.per_epoch if kind == "ep" else 1) * ratio)
        return self.span(f"{number}{kind}", steps, ratio)

    def span(self, text, ours, ratio=1.0):
        return Span(text, self.steps(text, ratio), ours)

    def steps(self, text, ratio=1.0):
        return theirs._convert_time(text, self.state(0), ratio).value

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


def translated(name, lr, given):
    """The document of one without warmup; times are as they are written."""
    of = given.get
    if name == "StepScheduler":
        return {"StepLr": {"initial_lr": lr, "step_size": given["step_size"], "gamma": given["gamma"]}}
    if name == "MultiStepScheduler":
        return {"MultiStepLr": {"initial_lr": lr, "milestones": given["milestones"], "gamma": given["gamma"]}}
    if name == "ConstantScheduler":
        parts = [constant(given["alpha"] * lr), constant(lr)]
        return {"Sequence": {"schedules": parts, "milestones": [given["t_max"]]}}
    if name == "ExponentialScheduler":
        return {"ExponentialDecay": {"initial_lr": lr, "decay_steps": given["decay_period"], "decay_rate": of("gamma")}}
    low = of("alpha_f", 0.0) * lr
    if name == "CosineAnnealingScheduler":
        return {"CosineAnnealingLr": {"initial_lr": lr, "t_max": given["t_max"], "eta_min": low}}
    if name == "CosineAnnealingWarmRestartsScheduler":
        mult = of("t_mult", 1.0)
        fields = {"initial_lr": lr, "t_0": given["t_0"], "t_mult": int(mult) if mult == int(mult) else mult}
        return {"CosineAnnealingWarmRestarts": {**fields, "eta_min": low}}
    fields = {"initial_lr": of("alpha_i", 1.0) * lr, "end_lr": low, "length": given["t_max"]}
    return {"PolynomialDecay": {**fields, "power": of("power", 1.0)}}


def drawn(draw, run, name):
    """Arguments of one without warmup, and the times among them."""
    time, final = run.time(draw), draw.choice([0.0, 0.1, 1.0])
    if name == "StepScheduler":
        return {"step_size": time.text, "gamma": draw.choice([0.1, 0.5, 0.97])}, [time]
    if name == "MultiStepScheduler":
        times = [run.time(draw) for _ in range(draw.randint(1, 4))]
        return {"milestones": [time.text for time in times], "gamma": draw.choice([0.1, 0.5])}, times
    if name == "ConstantScheduler":
        return {"alpha": draw.choice([0.1, 1.0, 2.0]), "t_max": time.text}, [time]
    if name == "LinearScheduler":
        return {"alpha_i": draw.choice([0.0, 1.0, 0.5]), "alpha_f": final, "t_max": time.text}, [time]
    if name == "ExponentialScheduler":
        return {"gamma": draw.choice([0.9, 0.5, 1.01]), "decay_period": time.text}, [time]
    if name == "CosineAnnealingScheduler":
        return {"t_max": time.text, "alpha_f": final}, [time]
    if name == "CosineAnnealingWarmRestartsScheduler":
        return {"t_0": time.text, "t_mult": draw.choice([1.0, 2.0, 1.5]), "alpha_f": final}, [time]
    return {"power": draw.choice([1.0, 2.0, 0.5]), "t_max": time.text, "alpha_f": final}, [time]


def plain(cases, name):
    draw = cases.draw
    run, lr = Run(draw), draw.rate()
    arguments, times = drawn(draw, run, name)
    given, ours_lr, steps = dict(arguments), lr, times[0].theirs
    boundaries = [steps, 2 * steps, 3 * steps, 7 * steps]
    if name == "MultiStepScheduler":
        boundaries = [time.theirs for time in times]
        times.sort(key=lambda time: time.ours)
        at_once = sum(time.ours == 0 for time in times)
        ours_lr *= arguments["gamma"] ** at_once
        given["milestones"] = [time.text for time in times[at_once:]]
    elif times[0].theirs == 0 or times[0].ours == 0:
        # It divides by zero.
        return None
    make, in_run = getattr(theirs, name), [run.per_epoch, run.epochs]
    rates, shown = run.rates(make(**arguments), lr), run.shown(lr, arguments)
    document = run.ours(translated(name, ours_lr, given))
    if name == "MultiStepScheduler" and len({t.ours for t in times[at_once:]}) < len(times[at_once:]):
        return cases.refused(name, shown, "milestones", TWICE, document, rates, in_run)
    if arguments.get("t_mult") == 1.5:
        reason = "with a fraction: Composer rounds the length of each cycle"
        return cases.refused(name, shown, "t_mult", reason, document, rates, in_run)
    cases.equal(name, shown, document, rates, boundaries, departs(run, lr, make, arguments, times), in_run)


def departs(run, lr, make, arguments, times, ratio=1.0):
    """Where the nearest step is another one than Composer's."""
    if all(time.theirs == time.ours for time in times):
        return None
    in_ours = {time.text: time.in_ours for time in times}
    changed = {
        key: [in_ours.get(text, text) for text in value] if isinstance(value, list) else in_ours.get(value, value)
        for key, value in arguments.items()
    }
    there = run.rates(make(**changed), lr, ratio)
    return lambda step: (ROUNDED, there(step))


def warmed(cases, name):
    draw = cases.draw
    run, lr = Run(draw), draw.rate()
    # A share of the run, epochs or batches, up to the whole run; never multiplied, but with `scale_warmup`.
    warm = run.time(draw, least=0, ratio=1.0)
    w, times, end = warm.theirs, [warm], math.inf
    arguments, final, target = {"t_warmup": warm.text}, draw.choice([0.0, 0.1, 1.0]), lr
    if name == "MultiStepWithWarmupScheduler":
        spans = {t.theirs: t for t in (run.time(draw) for _ in range(3)) if t.theirs}
        boundaries = sorted(spans)
        arguments["milestones"] = [spans[steps].text for steps in boundaries]
        base = {"MultiStepLr": {"initial_lr": lr, "milestones": boundaries, "gamma": 0.1}}
        if not boundaries:
            return None
    else:
        n, epochs = run.batches + draw.randint(0, 200), run.epochs + draw.randint(0, 4)
        arguments["t_max"] = draw.choice(["1dur", f"{run.batches}ba", f"{n}ba", f"{epochs}ep", "1.5dur"])
        end = run.steps(arguments["t_max"], run.ratio)
        if end < run.batches:
            # Not shorter than the run, or it is refused there.
            return None
        boundaries = [end]
        if name == "ConstantWithWarmupScheduler":
            arguments["alpha"] = draw.choice([1.0, 0.5])
            target, base = arguments["alpha"] * lr, constant(arguments["alpha"] * lr)
        else:
            arguments["alpha_f"] = final
            if name == "PolynomialWithWarmupScheduler":
                arguments["power"] = draw.choice([1.0, 2.0, 0.5])
            if name == "LinearWithWarmupScheduler" and draw.maybe():
                arguments["alpha_i"] = draw.choice([0.5, 2.0])
                target = arguments["alpha_i"] * lr
            # A warmup as long as that, and the decay never begins.
            left = end - warm.ours
            given = {**arguments, "t_max": left}
            base = translated(name.replace("WithWarmup", ""), lr, given) if left > 0 else constant(target)
    prefix, make = name != "MultiStepWithWarmupScheduler", getattr(theirs, name)
    ours = warmup(base, warm.text, target_lr=target, prefix=prefix)
    scaled = run.steps(warm.text, run.ratio)
    if warm.theirs == warm.ours and scaled and draw.maybe(0.3):
        # The ramp is scaled, where it ends is not.
        arguments["scale_warmup"] = True
        ours = sequence([warmup(constant(target), scaled), base if prefix else shifted(base, w)], [w])
    rates, shown = run.rates(make(**arguments), lr), run.shown(lr, arguments)
    apart, in_run = departs(run, lr, make, arguments, times, run.ratio), [run.per_epoch, run.epochs]
    cases.equal(name, shown, ours, rates, [w, *boundaries], apart, in_run)


def edges(cases):
    """What Composer accepts and ours does not."""
    rises, length = "an `alpha_f` above 1: a cosine that rises", {"t_max": "4ep"}
    unread = {"5_0ba": "with an underscore", "5EP": "in capitals", "1.5dur": "a share above 1"}
    # With warmup one unit has to be that of the run.
    same_unit = list(unread)
    unread |= {"1000tok": "in tokens", "64sp": "in samples", "7iter": "in iterations"}
    for name, arguments, parameter, reason in [
        ("StepScheduler", {"step_size": "2ep", "gamma": 0.0}, "gamma", "0 or less"),
        ("StepScheduler", {"step_size": "2ep", "gamma": -0.5}, "gamma", "0 or less"),
        ("MultiStepScheduler", {"milestones": ["2ep"], "gamma": 0.0}, "gamma", "0 or less"),
        ("ConstantScheduler", {**length, "alpha": -0.5}, "lr", "a negative `alpha`"),
        ("LinearScheduler", {**length, "alpha_i": -0.5}, "initial_lr", "a negative `alpha_i`"),
        ("LinearScheduler", {**length, "alpha_f": -0.5}, "end_lr", "a negative `alpha_f`"),
        ("ExponentialScheduler", {"decay_period": "2ep", "gamma": 0.0}, "decay_rate", "a `gamma` of 0"),
        ("CosineAnnealingScheduler", {**length, "alpha_f": 1.5}, "eta_min", rises),
        ("CosineAnnealingWarmRestartsScheduler", {"t_0": "2ep", "alpha_f": 1.5}, "eta_min", rises),
        ("PolynomialScheduler", {**length, "power": 0.0}, "power", "0 or less"),
        ("PolynomialScheduler", {**length, "power": -1.0}, "power", "0 or less"),
        *[("StepScheduler", {"step_size": text, "gamma": 0.5}, "step_size", reason) for text, reason in unread.items()],
        *[("CosineAnnealingScheduler", {"t_max": text}, "t_max", reason) for text, reason in unread.items()],
    ]:
        run, lr = Run(cases.draw), cases.draw.rate()
        rates, document = run.rates(getattr(theirs, name)(**arguments), lr), translated(name, lr, arguments)
        in_run = [run.per_epoch, run.epochs]
        cases.refused(name, run.shown(lr, arguments), parameter, reason, run.ours(document), rates, in_run)
    for name, arguments, parameter, reason in [
        ("MultiStep", {"milestones": ["2ep"], "gamma": 0.0}, "gamma", "0 or less"),
        ("MultiStep", {"milestones": ["2ep", "2ep"], "gamma": 0.5}, "milestones", TWICE),
        ("CosineAnnealing", {"t_max": "1dur", "alpha_f": 1.5}, "eta_min", rises),
        ("Polynomial", {"t_max": "1dur", "power": 0.0}, "power", "0 or less"),
        *[("CosineAnnealing", {"t_warmup": text, "t_max": "1dur"}, "length", unread[text]) for text in same_unit],
    ]:
        run, lr = Run(cases.draw), cases.draw.rate()
        arguments = {"t_warmup": "1ba", **arguments}
        base = translated(f"{name}Scheduler", lr, arguments)
        make, document = getattr(theirs, f"{name}WithWarmupScheduler"), warmup(base, arguments["t_warmup"])
        in_run, rates = [run.per_epoch, run.epochs], run.rates(make(**arguments), lr)
        cases.refused(make.__name__, run.shown(lr, arguments), parameter, reason, document, rates, in_run)


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
    edges(cases)
    return cases
