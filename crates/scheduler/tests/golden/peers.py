"""Learning rates of the schedules that others have and PyTorch lacks, computed by their libraries.

    pip install torch timm transformers optax keras
    python peers.py > peers.json

Every case is a document of ours, the library that the rates are from, and the rates of the steps
from 0 on, past the horizon. All is computed in float64: JAX and Keras are told to.
"""

import importlib.util
import json
import os
import sys
import types
import warnings

os.environ["JAX_ENABLE_X64"] = "1"
os.environ["KERAS_BACKEND"] = "jax"
warnings.filterwarnings("ignore")

import keras
import optax
import torch
import transformers

# timm.scheduler alone; all of timm would need torchvision.
package = types.ModuleType("timm")
package.__path__ = list(importlib.util.find_spec("timm").submodule_search_locations)
sys.modules["timm"] = package
import timm.scheduler
from timm.version import __version__ as timm_version

keras.config.set_floatx("float64")

VERSIONS = {
    "torch": torch.__version__.split("+")[0],
    "timm": timm_version,
    "transformers": transformers.__version__,
    "optax": optax.__version__,
    "keras": keras.__version__,
}
cases = []


def case(library, name, fields, lrs):
    cases.append({"library": library, "schedule": {name: fields}, "lrs": [float(lr) for lr in lrs]})


def optimizer(lr):
    return torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=lr)


def of_timm(make, lr, steps):
    """The rates at the steps from 0 on, as timm's train.py steps: by number."""
    optim = optimizer(lr)
    scheduler = make(optim)
    for step in range(steps):
        scheduler.step(step)
        yield optim.param_groups[0]["lr"]


def of_torch(make, lr, steps):
    """The rates of schedulers that step by themselves."""
    optim = optimizer(lr)
    scheduler = make(optim)
    for _ in range(steps):
        yield optim.param_groups[0]["lr"]
        optim.step()
        scheduler.step()


def of_function(function, steps):
    return [function(step) for step in range(steps)]


# timm: cycles, alone and behind a warmup
for lr, length, fields, steps in [
    (0.1, 20, {}, 50),
    (0.1, 20, {"min_lr": 0.01, "cycle_limit": 3}, 70),
    (0.4, 10, {"cycle_mul": 2.0, "cycle_decay": 0.5, "cycle_limit": 3}, 80),
    (0.4, 7, {"cycle_mul": 1.5, "cycle_decay": 0.8, "cycle_limit": 4, "min_lr": 0.02}, 70),
    (1.7, 25, {"k_decay": 2.0, "cycle_limit": 2}, 60),
    (1e-3, 13, {"k_decay": 0.7, "min_lr": 1e-5, "cycle_limit": 1}, 30),
]:
    ours = {"initial_lr": lr, "cycle_length": length, **fields}
    theirs = {"cycle_limit": 10**9, **fields}
    theirs["lr_min"] = theirs.pop("min_lr", 0.0)
    theirs["t_initial"] = length
    cosine = lambda o, **more: timm.scheduler.CosineLRScheduler(o, **{**theirs, **more})
    case("timm", "CosineDecayCycles", ours, of_timm(cosine, lr, steps))
    for power in (0.5, 1.0, 2.5):
        poly = lambda o: timm.scheduler.PolyLRScheduler(o, power=power, **theirs)
        case("timm", "PolynomialDecayCycles", {**ours, "power": power}, of_timm(poly, lr, steps))
    if "k_decay" not in fields:
        for lb, ub in [(-7.0, 3.0), (-2.0, 1.5)]:
            plain = {key: value for key, value in theirs.items() if key != "k_decay"}
            tanh = lambda o: timm.scheduler.TanhLRScheduler(o, lb=lb, ub=ub, **plain)
            fields_tanh = {**ours, "lb": lb, "ub": ub}
            fields_tanh.setdefault("cycle_limit", 10**9)
            case("timm", "TanhDecay", fields_tanh, of_timm(tanh, lr, steps))
    warm = lambda o: cosine(o, warmup_t=9, warmup_lr_init=0.003 * lr, warmup_prefix=True)
    fields_warm = {"base": {"CosineDecayCycles": ours}, "length": 9, "start_lr": 0.003 * lr}
    case("timm", "Warmup", fields_warm, of_timm(warm, lr, steps))

# timm and transformers: warmup, stable, decay
for kind in ("linear", "cosine", "1-sqrt"):
    wsd = lambda o: timm.scheduler.WSDLRScheduler(
        o, t_initial=40, decay_t=15, lr_min=0.01, decay_fn=kind, warmup_t=10, warmup_lr_init=0.002
    )
    ours = {"peak_lr": 0.3, "warmup": 10, "stable": 25, "decay": 15, "decay_kind": kind}
    case("timm", "WarmupStableDecay", {**ours, "start_lr": 0.002, "end_lr": 0.01}, of_timm(wsd, 0.3, 60))
    wsd = lambda o: transformers.get_wsd_schedule(
        o, num_warmup_steps=10, num_stable_steps=25, num_decay_steps=15, decay_type=kind, min_lr_ratio=0.1
    )
    case("transformers", "WarmupStableDecay", {**ours, "start_lr": 0.03, "end_lr": 0.03}, of_torch(wsd, 0.3, 60))

# transformers: inverse square root
for warmup, timescale in [(8, None), (8, 20), (0, 5)]:
    inverse = lambda o: transformers.get_inverse_sqrt_schedule(o, warmup, timescale=timescale)
    ours = {"peak_lr": 0.3, "warmup": warmup, "timescale": timescale}
    case("transformers", "InverseSqrt", ours, of_torch(inverse, 0.3, 60))

# optax: exponential decay
for ours in [
    {"initial_lr": 0.1, "decay_steps": 20, "decay_rate": 0.3},
    {"initial_lr": 0.1, "decay_steps": 7, "decay_rate": 0.5, "staircase": True},
    {"initial_lr": 0.5, "decay_steps": 9, "decay_rate": 0.2, "decay_begin": 11, "end_lr": 0.03},
    {"initial_lr": 0.01, "decay_steps": 9, "decay_rate": 1.8, "decay_begin": 5, "end_lr": 0.2},
    {"initial_lr": 0.2, "decay_steps": 6, "decay_rate": 0.9, "decay_begin": 4, "staircase": True, "end_lr": 0.12},
]:
    function = optax.exponential_decay(
        ours["initial_lr"],
        ours["decay_steps"],
        ours["decay_rate"],
        transition_begin=ours.get("decay_begin", 0),
        staircase=ours.get("staircase", False),
        end_value=ours.get("end_lr"),
    )
    case("optax", "ExponentialDecay", ours, of_function(function, 60))

# optax: pieces, whose values are scales of the one before
for values, boundaries in [([0.1, 0.05, 0.2, 0.01], [10, 25, 40]), ([0.3, 0.003], [1]), ([1.0, 0.7, 0.0], [5, 6])]:
    scales = {b: after / before for b, before, after in zip(boundaries, values, values[1:])}
    ours = {"values": values, "boundaries": boundaries}
    constant = optax.piecewise_constant_schedule(values[0], scales)
    case("optax", "PiecewiseConstant", ours, of_function(constant, 50))
    for kind in ("linear", "cosine"):
        function = optax.piecewise_interpolate_schedule(kind, values[0], scales)
        case("optax", "PiecewiseInterpolate", {**ours, "interpolation": kind}, of_function(function, 50))

# optax: warmup into an exponential decay
function = optax.warmup_exponential_decay_schedule(0.001, 0.1, 12, 10, 0.6, end_value=0.02)
base = {"ExponentialDecay": {"initial_lr": 0.1, "decay_steps": 10, "decay_rate": 0.6, "end_lr": 0.02}}
case("optax", "Warmup", {"base": base, "length": 12, "start_lr": 0.001}, of_function(function, 60))

# Keras
schedules = keras.optimizers.schedules
for staircase in (False, True):
    ours = {"initial_lr": 0.1, "decay_steps": 12, "decay_rate": 0.7, "staircase": staircase}
    theirs = (0.1, 12, 0.7, staircase)
    case("keras", "InverseTimeDecay", ours, of_function(schedules.InverseTimeDecay(*theirs), 60))
    case("keras", "ExponentialDecay", ours, of_function(schedules.ExponentialDecay(*theirs), 60))
# A boundary's own step belongs to the value before it in Keras.
values, boundaries = [0.1, 0.05, 0.2], [10, 25]
function = schedules.PiecewiseConstantDecay([b - 1 for b in boundaries], values)
case("keras", "PiecewiseConstant", {"values": values, "boundaries": boundaries}, of_function(function, 40))

# PyTorch: a chain
chain = lambda o: torch.optim.lr_scheduler.ChainedScheduler(
    [
        torch.optim.lr_scheduler.StepLR(o, 7, 0.3),
        torch.optim.lr_scheduler.StepLR(o, 10, 0.9),
        torch.optim.lr_scheduler.ConstantLR(o, 1.0, 5),
    ]
)
step = lambda lr, size, gamma: {"StepLr": {"initial_lr": lr, "step_size": size, "gamma": gamma}}
factors = [step(0.2, 7, 0.3), step(1.0, 10, 0.9), {"Constant": {"lr": 1.0}}]
case("torch", "Product", {"schedules": factors}, of_torch(chain, 0.2, 60))

lines = ",\n".join(json.dumps(case) for case in cases)
print(f'{{"versions": {json.dumps(VERSIONS)},\n"cases": [\n{lines}\n]}}')
