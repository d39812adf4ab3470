"""torchtitan: the configuration of its trainer builds a container of PyTorch's LambdaLR."""

import stand_ins
from cases import Cases, constant, warmup
from torchtitan.components.optimizer.lr_scheduler import LRSchedulersContainer

NAME = "LRSchedulersContainer"
KINDS = {"linear": "linear", "sqrt": "1-sqrt", "cosine": "cosine"}


def container(lr, arguments, training_steps):
    config = LRSchedulersContainer.Config(**arguments)
    make = lambda optimizer: config.build(optimizers=[optimizer], training_steps=training_steps)
    return stand_ins.Stepped(make, lr)


def translated(lr, training, arguments):
    """The document, and where warmup and decay begin and end."""
    total = training if arguments.get("total_steps") is None else arguments["total_steps"]
    w, ratio = min(arguments.get("warmup_steps", 200), total), arguments.get("decay_ratio")
    d = total - w if ratio is None else min(round(total * ratio), total - w)
    fields = {"peak_lr": lr, "warmup": w, "stable": total + 1 - w - d, "decay": d}
    fields["end_lr"] = arguments.get("min_lr_factor", 0.0) * lr
    fields["decay_kind"] = KINDS[arguments.get("decay_type", "linear")]
    base = {"WarmupStableDecay": fields} if d else warmup(constant(lr), w)
    return {"Shifted": {"base": base, "by": 1}}, (w, total - d, total)


def drawn(draw):
    """The steps of the run, and arguments."""
    training, arguments = draw.length(), {}
    for argument, values in {
        "warmup_steps": [0, 1, training, draw.length(high=300), draw.length(high=3000)],
        "total_steps": [None, draw.length(high=9000)],
        "decay_ratio": [None, 0.0, 0.1, 0.25, 1.0, 1.5, draw.number(0, 1)],
        "decay_type": list(KINDS),
        "min_lr_factor": [0.0, 0.1, draw.number(0, 1), 1.0],
    }.items():
        if draw.maybe(0.7):
            arguments[argument] = draw.choice(values)
    return training, arguments


def edges(cases):
    """What torchtitan accepts and ours does not."""
    for bad, parameter, reason in [
        ({"min_lr_factor": 1.5}, "end_lr", "a `min_lr_factor` above 1"),
        ({"min_lr_factor": 1.5, "decay_type": "cosine", "decay_ratio": 0.25}, "end_lr", "a `min_lr_factor` above 1"),
        ({"min_lr_factor": -0.1}, "end_lr", "a negative `min_lr_factor`"),
        ({"warmup_steps": -5}, "warmup", "negative `warmup_steps`"),
    ]:
        lr, training = cases.draw.rate(), 100
        arguments = {"warmup_steps": 10, **bad}
        document, _ = translated(lr, training, arguments)
        shown, rates = {"lr": lr, "training_steps": training, **arguments}, container(lr, arguments, training)
        cases.refused(NAME, shown, parameter, reason, document, rates)


def cases(seed):
    cases = Cases(seed, stand_ins.version("torchtitan", "torchtitan"), stand_ins.source())
    draw = cases.draw
    for _ in range(220):
        lr, (training, arguments) = draw.rate(), drawn(draw)
        document, ends = translated(lr, training, arguments)
        # Past the end of the run its rate goes on to fall below 0, or there is none.
        rates, shown = container(lr, arguments, training), {"lr": lr, "training_steps": training, **arguments}
        cases.equal(NAME, shown, document, rates, ends, before=ends[-1] + 1)
    edges(cases)
    return cases
