"""Schedulers without the rest of their packages.

With FIDELITY_PACKAGES=/folder set, a module that is listed here comes from /folder/PACKAGE, as unpacked from
the wheel, and whatever else it imports of its own package or of torch is an empty stand-in. The code of the
schedulers is the packages' own, unchanged; a stand-in has no part in a rate.
"""

import importlib.abc
import importlib.machinery
import importlib.util
import os
import sys
import types
from importlib.metadata import version as installed_version
from pathlib import Path

FOLDER = os.environ.get("FIDELITY_PACKAGES")

# The modules that are run, by the package whose folder they are in.
OWN = {
    "torch": ["torch.optim.lr_scheduler", "torch.optim.swa_utils"],
    "timm": [f"timm.scheduler.{name}_lr" for name in ("cosine", "tanh", "poly", "step", "multistep", "plateau", "wsd")]
    + ["timm.scheduler.scheduler"],
    "transformers": ["transformers.optimization"],
    "torchtitan": ["torchtitan.components.optimizer.lr_scheduler"],
    "deepspeed": ["deepspeed.runtime.lr_schedules"],
    "megatron_core": ["megatron.core.optimizer_param_scheduler"],
    "composer": ["composer.optim.scheduler", "composer.core.time", "composer.utils.string_enum"],
    "ai2_olmo_core": ["olmo_core.optim.scheduler"],
    "pytorch_optimizer": [
        f"pytorch_optimizer.lr_scheduler.{name}" for name in ("wsd", "rex", "linear_warmup", "cosine_anealing")
    ]
    + ["pytorch_optimizer.base.scheduler"],
    "fairseq": [
        f"fairseq.optim.lr_scheduler.{name}"
        for name in (
            "fairseq_lr_scheduler",
            "inverse_square_root_schedule",
            "polynomial_decay_schedule",
            "cosine_lr_scheduler",
            "tri_stage_lr_scheduler",
            "triangular_lr_scheduler",
            "step_lr_scheduler",
            "reduce_lr_on_plateau",
        )
    ],
}
PLACES = {name: package for package, names in OWN.items() for name in names}
ROOTS = {name.split(".")[0] for name in PLACES} | {"typing_extensions", "omegaconf"}


class Optimizer:
    """As much of torch's as a scheduler of rates reads."""

    def __init__(self, lr, **defaults):
        self.defaults = {"lr": lr, **defaults}
        self.param_groups = [{"lr": lr, "params": [], **defaults}]
        self.state = {}

    def step(self, closure=None):
        pass


class Lenient(type):
    def __getattr__(cls, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return Nothing


class Nothing(metaclass=Lenient):
    """Stands for a class, a function, a decorator or a value that is not needed."""

    def __init__(self, *arguments, **named):
        pass

    def __init_subclass__(cls, **named):
        pass

    def __class_getitem__(cls, item):
        return cls

    def __getattr__(self, name):
        return Nothing()

    def __call__(self, *arguments, **named):
        return arguments[0] if len(arguments) == 1 and callable(arguments[0]) else Nothing()


class Registrable:
    @classmethod
    def register(cls, name):
        return lambda registered: registered


class Configurable:
    class Config:
        __slots__ = ()


GIVEN = {
    "torch": {"Tensor": type("Tensor", (), {}), "inf": float("inf"), "is_tensor": lambda value: False},
    "torch.optim": {"Optimizer": Optimizer},
    "torch.optim.optimizer": {"Optimizer": Optimizer, "_to_scalar": lambda value: value},
    "typing_extensions": {"override": lambda function: function},
    "olmo_core.config": {
        "Registrable": Registrable,
        "Config": type("Config", (), {}),
        "StrEnum": __import__("enum").StrEnum,
    },
    "olmo_core.exceptions": {"OLMoConfigurationError": ValueError},
    "olmo_core.optim.config": {"INITIAL_LR_FIELD": "initial_lr", "LR_FIELD": "lr"},
    "composer.core": {"Time": "from composer.core.time", "TimeUnit": "from composer.core.time"},
    "composer.utils": {"StringEnum": "from composer.utils.string_enum"},
    "torchtitan.config": {"Configurable": Configurable},
}


class FairseqOptimizer:
    """As much of fairseq's as a scheduler calls."""

    lr = None

    def set_lr(self, lr):
        self.lr = lr

    def get_lr(self):
        return self.lr


GIVEN |= {
    "omegaconf": {"II": lambda name: None},
    "fairseq.dataclass": {"FairseqDataclass": type("FairseqDataclass", (), {})},
    "fairseq.optim": {"FairseqOptimizer": FairseqOptimizer},
    "fairseq.optim.lr_scheduler": {
        "FairseqLRScheduler": "from fairseq.optim.lr_scheduler.fairseq_lr_scheduler",
        "register_lr_scheduler": lambda name, dataclass=None: lambda registered: registered,
    },
}


class StandIn(types.ModuleType):
    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        below = f"{self.__name__}.{name}"
        if any(f"{place}.".startswith(f"{below}.") for place in PLACES):
            return importlib.import_module(below)
        given = GIVEN.get(self.__name__, {})
        value = given[name] if name in given else Lenient(name, (Nothing,), {})
        if isinstance(value, str) and value.startswith("from "):
            value = getattr(importlib.import_module(value.removeprefix("from ")), name)
        setattr(self, name, value)
        return value


class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, name, path, target=None):
        if name.split(".")[0] not in ROOTS:
            return None
        if name in PLACES:
            file = Path(FOLDER, PLACES[name], *name.split(".")).with_suffix(".py")
            return importlib.util.spec_from_file_location(name, file)
        return importlib.machinery.ModuleSpec(name, self, is_package=True)

    def create_module(self, spec):
        return StandIn(spec.name)

    def exec_module(self, module):
        module.__path__ = []


if FOLDER:
    sys.meta_path.insert(0, Finder())


def source():
    return "the package's own modules, the rest of it left out" if FOLDER else "the installed package"


def version(distribution, package):
    """Of the package as installed, or as its wheel in the folder says."""
    if not FOLDER:
        return installed_version(distribution)
    info = next(Path(FOLDER, package).glob("*.dist-info"), None)
    if info:
        return info.name.removesuffix(".dist-info").rsplit("-", 1)[1]
    return Path(FOLDER, package, "version.txt").read_text().strip()


def optimizer(lr, **defaults):
    if FOLDER:
        return Optimizer(lr, **defaults)
    import torch

    return torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=lr)


BAD = "with a relative `threshold` of 1 or more PyTorch's `min` counts every metric as bad, the first one too"


def plateau(cases, name, make, defaults, threshold=None):
    """A case of a scheduler that is PyTorch's plateau; `defaults` are those of its arguments. With a `threshold`
    of 1 or more it departs."""
    draw = cases.draw
    lr, arguments = draw.rate(), {}
    choices = {
        "mode": ["min", "max"],
        "factor": [0.1, 0.5, 0.9],
        "patience": [0, 1, 2, 5, 10],
        "threshold": [1e-4, 0.0, 0.1, 1e-3],
        "threshold_mode": ["rel", "abs"],
        "cooldown": [0, 1, 3],
        "min_lr": [0.0, lr / 50, 2 * lr],
        "eps": [1e-8, 0.0, lr / 20],
    }
    for argument, values in choices.items():
        if draw.maybe(0.7):
            arguments[argument] = draw.choice(values)
    if threshold is not None:
        # It shows in the first cut.
        shows = {"threshold_mode": "rel", "patience": draw.randint(0, 5), "min_lr": 0.0, "eps": 0.0}
        arguments |= {"mode": "min", "threshold": threshold, **shows}
    given = {**defaults, **arguments}
    threshold_mode = {"rel": "factor", "abs": "abs"}[given["threshold_mode"]]
    ours = {"base": {"Constant": {"lr": lr}}, **given, "threshold_mode": threshold_mode}
    metrics = draw.metrics(negative=draw.maybe(0.3) if threshold is None else False)

    def observing(first=None):
        optimized, after = optimizer(lr), []
        scheduler = make(optimized, **arguments)
        for number, metric in enumerate(metrics):
            scheduler.threshold = given["threshold"] if first is None or number else first
            scheduler.step(metric)
            after.append(optimized.param_groups[0]["lr"])
        return after

    departs = None if threshold is None else (BAD, observing(first=0.0))
    cases.observed(name, {"lr": lr, **arguments}, {"ReduceLrOnPlateau": ours}, metrics, observing(), departs)


PLATEAU = {"mode": "min", "factor": 0.1, "patience": 10, "threshold": 1e-4, "threshold_mode": "rel"}
PLATEAU |= {"cooldown": 0, "min_lr": 0.0, "eps": 1e-8}


class Stepped:
    """The rates of a scheduler that steps by itself, by step."""

    def __init__(self, make, lr, **defaults):
        self.optimizer = optimizer(lr, **defaults)
        self.scheduler = make(self.optimizer)
        self.rates = [self.optimizer.param_groups[0]["lr"]]

    def __call__(self, step):
        while len(self.rates) <= step:
            self.optimizer.step()
            self.scheduler.step()
            self.rates.append(self.optimizer.param_groups[0]["lr"])
        return self.rates[step]
