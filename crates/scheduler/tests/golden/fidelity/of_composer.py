"""Composer: schedulers asked with the state of a trainer, in its units of time."""

import types

import stand_ins
from cases import Cases, constant, warmup
from composer.core.time import Time, Timestamp
from composer.optim import scheduler as theirs

SCALED = "`scale_warmup`: the ramp is scaled, where it ends is not"


class Run:
    """A run of epochs or batches, and the times that people write: as text, in steps, and as our length, which
    is the text but for a share of the run that is rounded down there."""

    def __init__(self, draw):
        self.per_epoch = draw.randint(2, 40)
        self.epochs = draw.randint(2, 30)
        self.batches = self.per_epoch * self.epochs
        self.duration = draw.choice([f"{self.epochs}ep", f"{self.batches}ba"])
        self.ratio = draw.choice([1.0, 1.0, 0.5, 2.0, draw.number(0.3, 3)])

    def time(self, draw, least=1):
        """A time, and the steps that it is."""
        kind = draw.choice(["ba", "ep", "dur"])
        if kind == "dur":
            share = draw.choice([0.1, 0.25, 0.5, 1.0])
            steps = share * self.batches
            return f"{share}dur", int(steps), f"{share}dur" if steps == int(steps) else None
        number = draw.randint(least, self.epochs if kind == "ep" else self.batches)
        steps = number * (self.per_epoch if kind == "ep" else 1)
        return f"{number}{kind}", int(steps * self.ratio), f"{number}{kind}"

    def ours(self, schedule):
        return {"Stretched": {"base": schedule, "ratio": self.ratio}} if self.ratio != 1 else schedule

    def state(self, step):
        epoch, batch = divmod(step, self.per_epoch)
        timestamp = Timestamp(epoch=epoch, batch=step, batch_in_epoch=batch)
        return types.SimpleNamespace(
            timestamp=timestamp, dataloader_len=self.per_epoch, max_duration=Time.from_timestring(self.duration)
        )

    def rates(self, scheduler, lr):
        return lambda step: lr * float(scheduler(self.state(step), self.ratio))

    def shown(self, lr, arguments):
        fixed = {"lr": lr, "max_duration": self.duration, "dataloader_len": self.per_epoch}
        return {**fixed, "scale_schedule_ratio": self.ratio, **arguments}


def plain(cases, name):
    draw = cases.draw
    run, lr = Run(draw), draw.rate()
    time, steps, length = run.time(draw)
    if steps == 0 or length is None:
        return None
    final = draw.choice([0.0, 0.1, 1.0])
    boundaries = [steps, 2 * steps]
    if name == "StepScheduler":
        arguments = {"step_size": time, "gamma": draw.choice([0.1, 0.5, 0.97])}
        ours = {"StepLr": {"initial_lr": lr, "step_size": length, "gamma": arguments["gamma"]}}
    elif name == "MultiStepScheduler":
        times = [run.time(draw) for _ in range(draw.randint(1, 4))]
        times = [time for time in times if time[2] is not None]
        if not times:
            return None
        arguments = {"milestones": [time for time, _, _ in times], "gamma": draw.choice([0.1, 0.5])}
        times.sort(key=lambda time: time[1])
        boundaries = [steps for _, steps, _ in times]
        at_once = boundaries.count(0)
        fields = {"initial_lr": lr * arguments["gamma"] ** at_once, "milestones": [time[2] for time in times[at_once:]]}
        ours = {"MultiStepLr": {**fields, "gamma": arguments["gamma"]}}
        if len(set(boundaries[at_once:])) < len(boundaries[at_once:]):
            return cases.refused(
                name,
                run.shown(lr, arguments),
                "a milestone that is given twice",
                run.ours(ours),
                [run.per_epoch, run.epochs],
            )
    elif name == "ConstantScheduler":
        arguments = {"alpha": draw.choice([0.1, 1.0, 2.0]), "t_max": time}
        parts = [constant(arguments["alpha"] * lr), constant(lr)]
        ours = {"Sequence": {"schedules": parts, "milestones": [length]}}
    elif name == "LinearScheduler":
        arguments = {"alpha_i": draw.choice([0.0, 1.0, 0.5]), "alpha_f": final, "t_max": time}
        ours = {"PolynomialDecay": {"initial_lr": arguments["alpha_i"] * lr, "end_lr": final * lr, "length": length}}
    elif name == "ExponentialScheduler":
        arguments = {"gamma": draw.choice([0.9, 0.5, 1.01]), "decay_period": time}
        ours = {"ExponentialDecay": {"initial_lr": lr, "decay_steps": length, "decay_rate": arguments["gamma"]}}
    elif name == "CosineAnnealingScheduler":
        arguments = {"t_max": time, "alpha_f": final}
        ours = {"CosineAnnealingLr": {"initial_lr": lr, "t_max": length, "eta_min": final * lr}}
    elif name == "CosineAnnealingWarmRestartsScheduler":
        arguments = {"t_0": time, "t_mult": draw.choice([1.0, 2.0, 1.5]), "alpha_f": final}
        if arguments["t_mult"] == 1.5:
            return cases.refused(
                name, run.shown(lr, arguments), "a `t_mult` with a fraction, where each length is rounded"
            )
        fields = {"initial_lr": lr, "t_0": length, "t_mult": int(arguments["t_mult"]), "eta_min": final * lr}
        ours, boundaries = {"CosineAnnealingWarmRestarts": fields}, [steps, 2 * steps, 3 * steps, 7 * steps]
    else:
        arguments = {"power": draw.choice([1.0, 2.0, 0.5]), "t_max": time, "alpha_f": final}
        ours = {
            "PolynomialDecay": {"initial_lr": lr, "end_lr": final * lr, "length": length, "power": arguments["power"]}
        }
    rates = run.rates(getattr(theirs, name)(**arguments), lr)
    cases.equal(name, run.shown(lr, arguments), run.ours(ours), rates, boundaries, run=[run.per_epoch, run.epochs])


def warmed(cases, name):
    draw = cases.draw
    run, lr = Run(draw), draw.rate()
    w = draw.randint(0, run.batches // 2)
    arguments, final = {"t_warmup": f"{w}ba"}, draw.choice([0.0, 0.1, 1.0])
    if name == "MultiStepWithWarmupScheduler":
        times = sorted({steps: time for time, steps, _ in (run.time(draw) for _ in range(3)) if steps}.items())
        arguments["milestones"] = [time for _, time in times]
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
    if draw.maybe(0.1) and run.ratio != 1:
        return cases.refused(name, run.shown(lr, {**arguments, "scale_warmup": True}), SCALED)
    ours = warmup(base, w, target_lr=target, prefix=prefix)
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
