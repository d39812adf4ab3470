"""fairseq: schedulers of its trainer, which asks for the rate of an update by its number."""

import math

import stand_ins
from cases import Cases, constant, cycle, nudged, sequence, warmup
from fairseq.optim import FairseqOptimizer
from fairseq.optim.lr_scheduler.cosine_lr_scheduler import CosineLRSchedule, CosineLRScheduleConfig
from fairseq.optim.lr_scheduler.inverse_square_root_schedule import (
    InverseSquareRootLRScheduleConfig,
    InverseSquareRootSchedule,
)
from fairseq.optim.lr_scheduler.polynomial_decay_schedule import (
    PolynomialDecayLRSchedule,
    PolynomialDecayLRScheduleConfig,
)
from fairseq.optim.lr_scheduler.reduce_lr_on_plateau import (
    ReduceLROnPlateauLRSchedule,
    ReduceLROnPlateauLRScheduleConfig,
)
from fairseq.optim.lr_scheduler.step_lr_scheduler import StepLRSchedule, StepLRScheduleConfig
from fairseq.optim.lr_scheduler.tri_stage_lr_scheduler import TriStageLRSchedule, TriStageLRScheduleConfig
from fairseq.optim.lr_scheduler.triangular_lr_scheduler import TriangularLRSchedule, TriangularLRScheduleConfig

LOGARITHM = "fairseq's logarithm is rounded at the start of a cycle"


def rates(kind, config, lr, arguments):
    """By the number of an update, as `--lr` and the other options have it."""
    return kind(config(lr=[lr], **arguments), FairseqOptimizer()).step_update


def ramp(draw, lr):
    """Options of a warmup that starts from a rate; below 0 that is the least one."""
    arguments = {"warmup_updates": draw.choice([0, draw.length(high=500), draw.length(high=500)])}
    if draw.maybe():
        arguments["warmup_init_lr"] = draw.choice([-1.0, 0.0, lr / 100])
    return arguments


def start(arguments, least):
    given = arguments.get("warmup_init_lr", -1.0)
    return least if given < 0 else given


def inverse_sqrt(cases):
    draw = cases.draw
    lr = draw.rate()
    arguments = ramp(draw, lr)
    w = arguments["warmup_updates"] = max(1, arguments["warmup_updates"])
    ours = {"InverseSqrt": {"peak_lr": lr, "warmup": w, "start_lr": start(arguments, 0.0)}}
    there = rates(InverseSquareRootSchedule, InverseSquareRootLRScheduleConfig, lr, arguments)
    cases.equal("inverse_sqrt", {"lr": lr, **arguments}, ours, there, [w, 4 * w])


def polynomial_decay(cases, power=None):
    draw = cases.draw
    lr, w = draw.rate(), draw.choice([0, draw.length(high=500), draw.length(high=500)])
    total = draw.choice([max(1, w - draw.randint(0, 5)), w + 1] + [w + draw.length(high=9000)] * 6)
    arguments = {"warmup_updates": w, "total_num_update": total}
    if draw.maybe():
        arguments["end_learning_rate"] = draw.choice([0.0, lr / 10, 2 * lr])
    if draw.maybe() or power is not None:
        arguments["power"] = draw.choice([0.5, 1.0, 2.0, 3.0]) if power is None else power
    end = arguments.get("end_learning_rate", 0.0)
    if total > w:
        fields = {"initial_lr": lr, "end_lr": end, "length": total - w, "power": arguments.get("power", 1.0)}
        ours = warmup({"PolynomialDecay": fields}, w)
    else:
        # The warmup comes first.
        ours = sequence([warmup(constant(lr), w), constant(end)], [w + 1])
    there = rates(PolynomialDecayLRSchedule, PolynomialDecayLRScheduleConfig, lr, arguments)
    shown, name = {"lr": lr, **arguments}, "polynomial_decay"
    if total > w and arguments.get("power", 1.0) <= 0:
        return cases.refused(name, shown, "power", "0 or less", ours, there)
    cases.equal(name, shown, ours, there, [w, total])


def cosine(cases):
    draw = cases.draw
    lr = draw.rate()
    arguments, w = ramp(draw, lr), 0
    low, shrink, mul = draw.choice([0.0, lr / 10, lr / 3]), draw.choice([0.1, 0.5, 1.0]), 1.0
    period = draw.choice([draw.length(low=2), draw.number(1, 40)])
    arguments |= {"min_lr": low, "lr_period_updates": period}
    if draw.maybe():
        arguments["lr_shrink"] = shrink
    if draw.maybe(0.4):
        arguments["t_mult"] = mul = draw.choice([2.0, 3.0, 1.5])
    w, shrink = arguments["warmup_updates"], arguments.get("lr_shrink", 0.1)
    fields = {"initial_lr": lr, "min_lr": low, "cycle_length": period, "cycle_mul": mul}
    before = math.inf
    if low == 0.0:
        ours = {"CosineDecayCycles": {**fields, "cycle_decay": shrink}}
    elif mul == 1.0:
        # Both ends of a cycle shrink.
        steps = {"StepLr": {"initial_lr": 1.0, "step_size": period, "gamma": shrink}}
        ours = {"Product": {"schedules": [{"CosineDecayCycles": fields}, steps]}}
    else:
        # The starts of the cycles of a run of some length.
        starts = [math.ceil(period * sum(mul**i for i in range(number))) for number in range(1, 5)]
        steps = {"MultiStepLr": {"initial_lr": 1.0, "milestones": sorted(set(starts)), "gamma": shrink}}
        ours, before = {"Product": {"schedules": [{"CosineDecayCycles": fields}, steps]}}, w + starts[-1]
        if len(set(starts)) < len(starts):
            return cosine(cases)
    ours = warmup(ours, w, start_lr=start(arguments, low), target_lr=lr)
    there = rates(CosineLRSchedule, CosineLRScheduleConfig, lr, arguments)

    def departs(step):
        after = step - w
        if after < 0:
            return None
        counted = after / period if mul == 1 else math.log(1 - after / period * (1 - mul), mul)
        counted, exact = math.floor(counted), cycle(after, period, mul)
        right = lambda after: there(w + after)
        return None if counted == exact else (LOGARITHM, nudged(right, after, counted, exact))

    ends = [w + math.ceil(period * sum(mul**i for i in range(number))) for number in (1, 2, 3)]
    cases.equal("cosine", {"lr": lr, **arguments}, ours, there, [w, *ends], departs, before=before)


def tri_stage(cases):
    draw = cases.draw
    lr = draw.rate()
    if draw.maybe():
        total = draw.length(low=20, high=9000)
        arguments = {
            "max_update": total,
            "phase_ratio": draw.choice([[0.1, 0.4, 0.5], [0.25, 0.5, 0.25], [0.0, 0.5, 0.5]]),
        }
        w, hold, d = (int(total * ratio) for ratio in arguments["phase_ratio"])
    else:
        w, hold, d = draw.length(low=0, high=300), draw.length(low=0), draw.length()
        arguments = {"warmup_steps": w, "hold_steps": hold, "decay_steps": d}
    if draw.maybe():
        arguments |= {"init_lr_scale": draw.choice([0.0, 0.01, 0.5]), "final_lr_scale": draw.choice([0.01, 0.1, 1e-4])}
    final = arguments.get("final_lr_scale", 0.01)
    decay = {"initial_lr": lr, "decay_steps": d, "decay_rate": final, "end_lr": final * lr}
    ours = sequence([constant(lr), {"ExponentialDecay": decay}], [hold])
    ours = warmup(ours, w, start_lr=arguments.get("init_lr_scale", 0.01) * lr, target_lr=lr)
    there = rates(TriStageLRSchedule, TriStageLRScheduleConfig, lr, arguments)
    cases.equal("tri_stage", {"lr": lr, **arguments}, ours, there, [w, w + hold, w + hold + d])


def triangular(cases):
    draw = cases.draw
    lr = draw.rate()
    top, period = lr * draw.choice([2.0, 10.0]), draw.length(low=2, high=2000)
    arguments = {"max_lr": top, "lr_period_updates": period}
    if draw.maybe():
        arguments["lr_shrink"] = draw.choice([0.5, 0.9, 1.0])
    if draw.maybe():
        arguments["shrink_min"] = draw.maybe()
    half, shrink, before = period // 2, arguments.get("lr_shrink", 0.1), math.inf
    cycles = {"CyclicLr": {"base_lr": lr, "max_lr": top, "step_size_up": half}}
    if arguments.get("shrink_min"):
        steps = {"StepLr": {"initial_lr": 1.0, "step_size": 2 * half, "gamma": shrink}}
        ours = {"Product": {"schedules": [cycles, steps]}}
    elif shrink == 1.0:
        ours = cycles
    else:
        # The corners of the cycles of a run of some length.
        values = [lr]
        for number in range(6):
            values += [top * shrink**number, lr]
        corners = [half * number for number in range(1, len(values))]
        ours, before = {"PiecewiseInterpolate": {"values": values, "boundaries": corners}}, corners[-1]
    there = rates(TriangularLRSchedule, TriangularLRScheduleConfig, lr, arguments)
    cases.equal("triangular", {"lr": lr, **arguments}, ours, there, [half, 2 * half, 3 * half, 4 * half], before=before)


def step(cases):
    draw = cases.draw
    lr = draw.rate()
    arguments = {**ramp(draw, lr), "lr_deacy_period": draw.length(), "lr_decay": draw.choice([0.5, 0.1, 0.97, 1.0])}
    arguments["min_lr"] = low = draw.choice([0.0, lr / 100])
    w, size = arguments["warmup_updates"], arguments["lr_deacy_period"]
    stairs = {"StepLr": {"initial_lr": lr, "step_size": size, "gamma": arguments["lr_decay"]}}
    ours = warmup({"Clamped": {"base": stairs, "min_lr": low}}, w, start_lr=start(arguments, low), target_lr=lr)
    there = rates(StepLRSchedule, StepLRScheduleConfig, lr, arguments)
    cases.equal("step", {"lr": lr, **arguments}, ours, there, [w, w + size, w + 2 * size])


class OfTorch(FairseqOptimizer):
    """Around one of PyTorch's, whose plateau its plateau is."""

    def __init__(self, lr):
        self.optimizer = stand_ins.optimizer(lr)

    def set_lr(self, lr):
        self.optimizer.param_groups[0]["lr"] = lr

    def get_lr(self):
        return self.optimizer.param_groups[0]["lr"]


def plateau(cases, bad=None):
    """Of epochs with an update each. `bad` is an argument that ours does not accept, its value and our name."""
    draw = cases.draw
    lr, arguments = draw.rate(), {"lr_shrink": draw.choice([0.1, 0.5, 0.9])}
    arguments |= {"lr_threshold": draw.choice([1e-4, 0.0, 0.1]), "lr_patience": draw.choice([0, 1, 2, 5])}
    arguments["maximize_best_checkpoint_metric"] = draw.maybe()
    if draw.maybe():
        arguments |= {"warmup_updates": draw.randint(1, 12), "warmup_init_lr": draw.choice([-1.0, 0.0, lr / 10])}
    if bad:
        arguments[bad[0]] = bad[1]
    shown = {"lr": lr, **arguments}
    ours = {"base": constant(lr), "factor": arguments["lr_shrink"], "patience": arguments["lr_patience"]}
    ours |= {"threshold": arguments["lr_threshold"], "threshold_mode": "factor"}
    ours |= {"mode": "max" if arguments["maximize_best_checkpoint_metric"] else "min"}
    document = {"ReduceLrOnPlateau": ours}
    if w := arguments.get("warmup_updates"):
        document = warmup(document, w, start_lr=start(arguments, 0.0), target_lr=lr)
    optimizer = OfTorch(lr)
    scheduler = ReduceLROnPlateauLRSchedule(ReduceLROnPlateauLRScheduleConfig(lr=[lr], **arguments), optimizer)
    metrics, after = draw.metrics(negative=draw.maybe(0.3)), []
    for epoch, metric in enumerate(metrics, 1):
        scheduler.step_update(epoch)
        scheduler.step(epoch, metric)
        after.append(optimizer.get_lr())
    if bad:
        return cases.refused("reduce_lr_on_plateau", shown, bad[2], bad[3], document)
    cases.observed("reduce_lr_on_plateau", shown, document, metrics, after)


def shrinking(cases):
    """Factors of 0, which fairseq accepts."""
    lr = cases.draw.rate()
    arguments = {"warmup_updates": 0, "lr_period_updates": 20, "lr_shrink": 0.0}
    ours = {"CosineDecayCycles": {"initial_lr": lr, "cycle_length": 20, "cycle_decay": 0.0}}
    there, reason = rates(CosineLRSchedule, CosineLRScheduleConfig, lr, arguments), "an `lr_shrink` of 0"
    cases.refused("cosine", {"lr": lr, **arguments}, "cycle_decay", reason, ours, there)
    arguments = {"lr_deacy_period": 20, "lr_decay": 0.0}
    ours = {"StepLr": {"initial_lr": lr, "step_size": 20, "gamma": 0.0}}
    there = rates(StepLRSchedule, StepLRScheduleConfig, lr, arguments)
    cases.refused("step", {"lr": lr, **arguments}, "gamma", "an `lr_decay` of 0", ours, there)
    arguments = {"max_lr": 10 * lr, "lr_period_updates": 20, "lr_shrink": 0.0, "shrink_min": True}
    steps = {"StepLr": {"initial_lr": 1.0, "step_size": 20, "gamma": 0.0}}
    cycles = {"CyclicLr": {"base_lr": lr, "max_lr": 10 * lr, "step_size_up": 10}}
    there = rates(TriangularLRSchedule, TriangularLRScheduleConfig, lr, arguments)
    ours, reason = {"Product": {"schedules": [cycles, steps]}}, "an `lr_shrink` of 0"
    cases.refused("triangular", {"lr": lr, **arguments}, "gamma", reason, ours, there)


def cases(seed):
    cases = Cases(seed, stand_ins.version("fairseq", "fairseq"), stand_ins.source())
    for _ in range(40):
        for kind in (inverse_sqrt, polynomial_decay, cosine, tri_stage, triangular, step):
            kind(cases)
    for power in (0.0, -1.0):
        polynomial_decay(cases, power)
    shrinking(cases)
    for name, reason in {
        "fixed": "rates by epoch under a warmup by update",
        "manual": "a dictionary of rates, some by epoch and some by update",
        "polynomial_decay": "`force_anneal`: from an epoch on each starts from the rate that the one before has left",
    }.items():
        cases.no_counterpart(name, {}, reason)
    for _ in range(30):
        plateau(cases)
    for bad in [
        ("lr_shrink", 0.0, "factor", "an `lr_shrink` of 0"),
        ("lr_patience", -1, "patience", "negative"),
        ("lr_threshold", -0.1, "threshold", "negative"),
    ]:
        plateau(cases, bad)
    cases.no_counterpart("pass_through", {}, "it asks a scheduler that the optimizer has")
    return cases
