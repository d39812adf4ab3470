"""Writes the golden files of ../pytorch.rs: learning rates of torch.optim.lr_scheduler.

    pip install torch==2.15.0
    python pytorch.py

Every file holds the version of torch and a list of cases. A case is a document of this crate's
schedule and what PyTorch's scheduler gave: the rates of the steps 0, 1, 2, ... in `lrs`, and pairs
of a far step and its rate in `far`. Plateaus have the metrics they were fed instead, null for NaN,
and the rate after each.

Most of PyTorch's schedulers compute a rate from the one before, and so gather rounding errors. A
case takes these rates as long as they stay within 1e-13 of the scheduler's own closed form. Where
they do not (a cosine with eta_min 0 past its zero, thousands of steps of a decay), it takes the
closed form's and is marked `"closed_form": true`.
"""

import json
import math
import random
import warnings
from pathlib import Path

import torch
from torch.optim import SGD
from torch.optim import lr_scheduler as torch_lr
from torch.optim.swa_utils import SWALR

warnings.filterwarnings("ignore", category=UserWarning)

HERE = Path(__file__).parent
STEPS = 220


def sgd(lr):
    return SGD([torch.nn.Parameter(torch.zeros(1))], lr=lr)


def relative(a, b):
    return abs(a - b) / abs(b) if b else abs(a)


def rates(make, lr, last):
    """The rates and momentums of the steps 0 to `last` inclusive, stepped like a training does."""
    optimizer = sgd(lr)
    scheduler = make(optimizer)
    stepped, closed, momentums = [], [], []
    for step in range(last + 1):
        if step:
            optimizer.step()
            scheduler.step()
        stepped.append(optimizer.param_groups[0]["lr"])
        momentums.append(optimizer.param_groups[0]["momentum"])
        if hasattr(scheduler, "_get_closed_form_lr"):
            closed.append(scheduler._get_closed_form_lr()[0])
    if any(relative(a, b) > 1e-13 for a, b in zip(stepped, closed)):
        return closed, momentums, True
    return stepped, momentums, False


def case(document, make, lr, steps=STEPS, far=()):
    values, momentums, closed_form = rates(make, lr, max([steps - 1, *far]))
    result = {"schedule": document, "lrs": values[:steps]}
    if any(momentums):
        result["momentums"] = momentums[:steps]
    if far:
        result["far"] = [[step, values[step]] for step in far]
    if closed_form:
        result["closed_form"] = True
    return result


def simple(ours, theirs, lr, parameters, renamed=None, extra=None, **options):
    """A case whose parameters have PyTorch's names, lower case, but for `renamed`."""
    names = {name: (renamed or {}).get(name, name.lower()) for name in parameters}
    document = {"initial_lr": lr, **{names[k]: v for k, v in parameters.items()}, **(extra or {})}
    return case({ours: document}, lambda o: theirs(o, **parameters), lr, **options)


def step_lr():
    for lr, size, gamma in [
        (0.1, 30, 0.1), (0.01, 1, 0.97), (1.0, 7, 0.5), (2.5, 50, 1.1), (3e-4, 3, 0.9),
        (0.1, 1000, 0.3), (0.05, 2, 1.0),
    ]:
        parameters = {"step_size": size, "gamma": gamma}
        yield simple("StepLr", torch_lr.StepLR, lr, parameters, far=[999, 1000, 3001])
    yield simple("StepLr", torch_lr.StepLR, 0.1, {"step_size": 11})


def multi_step_lr():
    for lr, milestones, gamma in [
        (0.1, [30, 80], 0.1), (0.01, [1, 2, 3], 0.5), (1.0, [5, 50, 51, 150, 400], 0.3),
        (2.0, [], 0.1), (3e-4, [100], 2.0), (0.1, list(range(3, 200, 7)), 0.9),
    ]:
        parameters = {"milestones": milestones, "gamma": gamma}
        yield simple("MultiStepLr", torch_lr.MultiStepLR, lr, parameters, far=[400, 5000])


def constant_lr():
    for lr, factor, total in [
        (0.1, 1 / 3, 5), (0.05, 0.5, 4), (1.0, 0.1, 100), (2.5, 1.0, 10), (3e-4, 0.7, 1),
        (0.1, 1e-6, 30),
    ]:
        parameters = {"factor": factor, "total_iters": total}
        yield simple("ConstantLr", torch_lr.ConstantLR, lr, parameters, steps=120, far=[10000])


def linear_lr():
    for lr, start, end, total in [
        (0.1, 1 / 3, 1.0, 5), (0.05, 0.5, 1.0, 4), (1.0, 1e-3, 1.0, 100), (0.1, 1.0, 0.0, 200),
        (2.5, 1.0, 0.1, 30), (3e-4, 0.25, 0.75, 1), (0.1, 0.5, 0.5, 20), (0.3, 0.01, 0.9, 150),
    ]:
        parameters = {"start_factor": start, "end_factor": end, "total_iters": total}
        yield simple("LinearLr", torch_lr.LinearLR, lr, parameters, far=[10000])


def exponential_lr():
    for lr, gamma in [(0.1, 0.95), (1.0, 0.5), (0.01, 0.999), (3e-4, 1.01), (2.0, 1.0), (0.1, 0.1)]:
        yield simple("ExponentialLr", torch_lr.ExponentialLR, lr, {"gamma": gamma}, far=[300, 3000])


def polynomial_lr():
    for lr, total, power in [
        (0.1, 5, 1.0), (0.1, 200, 1.0), (1.0, 150, 2.0), (0.01, 100, 0.5), (3e-4, 210, 0.9),
        (2.5, 30, 3.7), (0.1, 1, 1.0),
    ]:
        parameters = {"total_iters": total, "power": power}
        yield simple("PolynomialLr", torch_lr.PolynomialLR, lr, parameters, far=[5000])


def cosine_annealing_lr():
    for lr, t_max, eta_min in [
        (0.1, 50, 0.0), (0.1, 10, 0.001), (1.0, 7, 0.1), (0.01, 1, 0.0), (2.5, 2, 0.5),
        (3e-4, 150, 1e-6), (0.1, 33, 0.1), (0.5, 300, 0.0),
    ]:
        parameters = {"T_max": t_max, "eta_min": eta_min}
        yield simple(
            "CosineAnnealingLr", torch_lr.CosineAnnealingLR, lr, parameters,
            extra={"mirrored": True}, far=[600, 907],
        )
        # Up to its horizon the default, which holds there, is the same.
        yield simple(
            "CosineAnnealingLr", torch_lr.CosineAnnealingLR, lr, parameters,
            steps=min(t_max, 60) + 1, far=[t_max],
        )


def cosine_annealing_warm_restarts():
    for lr, t_0, t_mult, eta_min in [
        (0.1, 50, 1, 0.0), (0.1, 10, 2, 0.001), (1.0, 1, 2, 0.0), (0.01, 1, 1, 0.0),
        (2.5, 7, 3, 0.5), (3e-4, 100, 1, 1e-6), (0.1, 2, 5, 0.0),
    ]:
        yield simple(
            "CosineAnnealingWarmRestarts", torch_lr.CosineAnnealingWarmRestarts, lr,
            {"T_0": t_0, "T_mult": t_mult, "eta_min": eta_min}, far=[629, 630, 1023, 9999],
        )


def cyclic_lr():
    for base, high, up, down, mode, gamma in [
        (0.01, 0.1, 20, None, "triangular", 1.0), (0.0, 1.0, 4, None, "triangular", 1.0),
        (0.001, 0.006, 30, 10, "triangular", 1.0), (0.1, 3.0, 5, 45, "triangular2", 1.0),
        (0.01, 0.1, 1, 1, "triangular2", 1.0), (0.01, 0.1, 20, None, "exp_range", 0.99),
        (0.0, 0.5, 13, 29, "exp_range", 1.01), (0.2, 0.2, 10, None, "triangular", 1.0),
        (0.01, 0.1, 12, 0, "triangular", 1.0),
        (0.01, 0.1, 20, 7, "triangular", {"base_momentum": 0.5, "max_momentum": 0.99}),
        (0.1, 3.0, 5, 45, "triangular2", {"base_momentum": 0.0}),
        (0.01, 0.1, 20, None, "exp_range", {"gamma": 0.99, "base_momentum": 0.7, "max_momentum": 0.7}),
        (0.01, 0.1, 9, None, "triangular2", {"cycle_momentum": False, "max_momentum": 0.95}),
    ]:
        more = gamma if isinstance(gamma, dict) else {"gamma": gamma}
        parameters = {"max_lr": high, "step_size_up": up, "step_size_down": down, "mode": mode, **more}
        document = {k: v for k, v in parameters.items() if v is not None}
        yield case(
            {"CyclicLr": {"base_lr": base, **document}},
            lambda o: torch_lr.CyclicLR(o, base_lr=base, **parameters),
            0.1, far=[1234],
        )


def one_cycle_lr():
    # PyTorch's rate leaves its range at step `total_steps` and is refused from there on: the cases
    # end with step `total_steps - 1`. A phase of no length divides by zero and is left out.
    for high, total, parameters in [
        (0.1, 200, {}),
        (1.0, 10, {"anneal_strategy": "linear"}),
        (0.01, 97, {"pct_start": 0.1, "div_factor": 10.0, "final_div_factor": 100.0}),
        (2.5, 150, {"three_phase": True}),
        (0.1, 120, {"three_phase": True, "anneal_strategy": "linear", "pct_start": 0.45}),
        (0.1, 33, {"three_phase": True, "pct_start": 0.5, "div_factor": 1.0}),
        (0.3, 40, {"pct_start": 0.0}),
        (0.3, 41, {"pct_start": 1.0}),
        (0.3, 50, {"three_phase": True, "pct_start": 0.8}),
        (0.1, 1, {}), (0.1, 2, {}), (0.1, 3, {"three_phase": True}),
        (0.1, 37, {"pct_start": 0.01, "final_div_factor": 0.5}),
        (0.1, 90, {"base_momentum": 0.5, "max_momentum": 0.99}),
        (0.1, 90, {"three_phase": True, "anneal_strategy": "linear", "base_momentum": 0.0, "max_momentum": 0.9}),
        (0.1, 20, {"cycle_momentum": False, "base_momentum": 0.1}),
    ]:
        yield case(
            {"OneCycleLr": {"max_lr": high, "total_steps": total, **parameters}},
            lambda o: torch_lr.OneCycleLR(o, max_lr=high, total_steps=total, **parameters),
            0.1, steps=total,
        )


def swa_lr():
    for lr, swa, epochs, strategy in [
        (0.1, 0.05, 10, "cos"), (0.1, 0.01, 150, "linear"), (0.01, 1.0, 100, "cos"),
        (2.5, 0.5, 1, "linear"), (3e-4, 1e-5, 0, "cos"), (0.1, 0.1, 20, "cos"),
    ]:
        yield simple(
            "SwaLr", SWALR, lr,
            {"swa_lr": swa, "anneal_epochs": epochs, "anneal_strategy": strategy},
            renamed={"anneal_epochs": "anneal_steps"}, steps=170, far=[5000],
        )


# Closures have no document; ../pytorch.rs knows these by their names.
CLOSURES = {
    "power": lambda t: 0.95**t,
    "inverse": lambda t: 1.0 / (1.0 + 0.1 * t),
    "wave": lambda t: 1.0 + 0.5 * math.sin(0.1 * t),
    "stairs": lambda t: 0.5 if t % 10 == 0 else 1.0,
    "constant": lambda t: 0.97,
}


def closures(ours, theirs):
    for name, lr in [("power", 0.1), ("inverse", 1.0), ("wave", 0.01), ("stairs", 2.5),
                     ("constant", 0.3)]:
        document = {"closure": name, "initial_lr": lr}
        yield case({ours: document}, lambda o: theirs(o, CLOSURES[name]), lr, far=[1000])


def lambda_lr():
    return closures("LambdaLr", torch_lr.LambdaLR)


def multiplicative_lr():
    return closures("MultiplicativeLr", torch_lr.MultiplicativeLR)


def part(name, lr, parameters):
    """A part of a combination: its document and what makes PyTorch's scheduler."""
    theirs = getattr(torch_lr, name.removesuffix("Lr") + "LR" * name.endswith("Lr"))
    document = {"initial_lr": lr, **{k.lower(): v for k, v in parameters.items()}}
    if name == "CosineAnnealingLr":
        document["mirrored"] = True
    return {name: document}, lambda o: theirs(o, **parameters)


def sequential_lr():
    warmup = ("LinearLr", {"start_factor": 0.01, "total_iters": 20})
    cosine = ("CosineAnnealingLr", {"T_max": 60, "eta_min": 0.001})
    for lr, parts, milestones in [
        (0.1, [warmup, cosine], [20]),
        (0.05, [("ConstantLr", {"factor": 0.1, "total_iters": 200}),
                ("ExponentialLr", {"gamma": 0.9})], [5]),
        (1.0, [("StepLr", {"step_size": 3, "gamma": 0.5}), ("StepLr", {"step_size": 10}),
               ("PolynomialLr", {"total_iters": 50, "power": 2.0})], [10, 60]),
        (0.3, [warmup, ("CosineAnnealingWarmRestarts", {"T_0": 10, "T_mult": 2})], [30]),
        (0.2, [("CosineAnnealingWarmRestarts", {"T_0": 7}),
               ("MultiStepLr", {"milestones": [5, 25], "gamma": 0.3})], [40]),
        (0.1, [("ExponentialLr", {"gamma": 0.95}), warmup, cosine, warmup], [1, 2, 150]),
    ]:
        documents, makers = zip(*[part(name, lr, p) for name, p in parts])
        make = lambda o: torch_lr.SequentialLR(o, [m(o) for m in makers], milestones)
        document = {"Sequence": {"schedules": documents, "milestones": milestones}}
        yield case(document, make, lr, far=[1000])
        if len(parts) > 2:
            # PyTorch takes two steps at once at the start of a sequence in a sequence; what is
            # meant is the flat one.
            first, second, *rest = documents
            inner = {"schedules": [first, second], "milestones": milestones[:1]}
            nested = {"schedules": [{"Sequence": inner}, *rest], "milestones": milestones[1:]}
            yield case({"Sequence": nested}, make, lr)


def chained_scheduler():
    exponential = ("ExponentialLr", {"gamma": 0.98})
    step = ("StepLr", {"step_size": 30, "gamma": 0.5})
    for lr, parts, steps in [
        (0.1, [("ConstantLr", {"factor": 0.1, "total_iters": 20}), exponential], STEPS),
        (1.0, [step, ("MultiStepLr", {"milestones": [10, 100], "gamma": 0.3}), exponential], STEPS),
        (0.05, [("LinearLr", {"start_factor": 0.1, "total_iters": 25}), step], STEPS),
        (2.5, [("PolynomialLr", {"total_iters": 150, "power": 2.0}), exponential], STEPS),
        # Past its zero PyTorch's cosine adds to what the others left.
        (0.3, [("LinearLr", {"start_factor": 0.1, "total_iters": 10}),
               ("CosineAnnealingLr", {"T_max": 200})], 200),
        (0.3, [step], STEPS),
    ]:
        documents, makers = zip(*[
            # PyTorch's members share the optimizer's rate; ours are factors but for the first.
            part(name, 1.0 if i else lr, p) for i, (name, p) in enumerate(parts)])
        yield case(
            {"Product": {"schedules": documents}},
            lambda o: torch_lr.ChainedScheduler([m(o) for m in makers], o),
            lr, steps=steps,
        )


def noisy_fall(seed, length, start=1.0, decay=0.97, noise=0.05, sign=1):
    source = random.Random(seed)
    return [round(sign * (start * decay**i + noise * source.random()), 4) for i in range(length)]


def plateau_case(lr, metrics, parameters):
    optimizer = sgd(lr)
    scheduler = torch_lr.ReduceLROnPlateau(optimizer, **parameters)
    after = []
    for metric in metrics:
        scheduler.step(math.nan if metric is None else metric)
        after.append(optimizer.param_groups[0]["lr"])
    document = {"base": {"Constant": {"lr": lr}}, **parameters}
    return {"schedule": {"ReduceLrOnPlateau": document}, "metrics": metrics, "lrs": after}


def reduce_lr_on_plateau():
    flat = [0.5] * 150
    falling = noisy_fall(1, 150)
    rising = noisy_fall(2, 150, start=-1.0, decay=0.95)  # negative, so absolute thresholds only
    accuracy = [round(1.5 - m, 4) for m in noisy_fall(3, 150, decay=0.9)]
    holes = [None if i % 7 == 3 or i < 2 or 60 < i < 75 else m for i, m in enumerate(falling)]
    jumps = [round(abs(math.sin(0.7 * i)) + 0.001, 4) for i in range(150)]
    for lr, metrics, parameters in [
        (0.1, flat, {}),
        (0.1, falling, {}),
        (0.1, falling, {"patience": 0, "factor": 0.9}),
        (0.3, falling, {"patience": 2, "factor": 0.5, "cooldown": 3}),
        (0.3, falling, {"patience": 0, "factor": 0.7, "cooldown": 1}),
        (0.07, falling, {"patience": 3, "factor": 0.3, "min_lr": 0.001}),
        (0.07, flat, {"patience": 1, "factor": 0.3, "min_lr": 0.001, "cooldown": 5}),
        (0.1, flat, {"patience": 1, "factor": 0.5, "eps": 0.01}),
        (0.1, flat, {"patience": 0, "factor": 0.5, "eps": 0.0}),
        (1.0, falling, {"patience": 3, "factor": 0.6, "threshold": 0.1}),
        (1.0, falling, {"patience": 3, "factor": 0.6, "threshold": 0.05, "threshold_mode": "abs"}),
        (2.0, accuracy, {"mode": "max", "patience": 4, "factor": 0.5}),
        (2.0, accuracy, {"mode": "max", "patience": 2, "factor": 0.8, "threshold": 0.02,
                         "cooldown": 2, "min_lr": 0.1}),
        (2.0, accuracy, {"mode": "max", "patience": 2, "threshold": 0.02,
                         "threshold_mode": "abs"}),
        (0.1, rising, {"mode": "max", "patience": 2, "factor": 0.5, "threshold_mode": "abs"}),
        (0.1, rising, {"patience": 2, "factor": 0.5, "threshold_mode": "abs", "cooldown": 4}),
        (0.1, holes, {"patience": 3, "factor": 0.5}),
        (0.1, holes, {"patience": 1, "factor": 0.9, "cooldown": 2}),
        (0.1, jumps, {"patience": 5, "factor": 0.3, "cooldown": 7, "min_lr": 1e-5}),
        (1e-3, jumps, {"mode": "max", "patience": 3, "factor": 0.1}),
        (0.1, [0.0] * 60, {"patience": 2, "factor": 0.5}),
    ]:
        yield plateau_case(lr, metrics, parameters)


def write(cases):
    name = cases.__name__
    lines = ",\n".join(json.dumps(c, separators=(",", ":"), allow_nan=False) for c in cases())
    path = HERE / f"{name}.json"
    path.write_text(f'{{"torch":"{torch.__version__}","cases":[\n{lines}\n]}}\n')
    print(f"{path.name}: {lines.count(chr(10)) + 1} cases, {path.stat().st_size} bytes")


if __name__ == "__main__":
    for cases in [
        lambda_lr, multiplicative_lr, step_lr, multi_step_lr, constant_lr, linear_lr,
        exponential_lr, polynomial_lr, cosine_annealing_lr, cosine_annealing_warm_restarts,
        cyclic_lr, one_cycle_lr, swa_lr, sequential_lr, chained_scheduler, reduce_lr_on_plateau,
    ]:
        write(cases)
