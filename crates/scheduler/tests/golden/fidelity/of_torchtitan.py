"""torchtitan: the configuration of its trainer builds a container of PyTorch's LambdaLR."""

import stand_ins
from cases import Cases, constant, warmup
from torchtitan.components.optimizer.lr_scheduler import LRSchedulersContainer

KINDS = {"linear": "linear", "sqrt": "1-sqrt", "cosine": "cosine"}


def container(lr, arguments, training_steps):
    config = LRSchedulersContainer.Config(**arguments)
    make = lambda optimizer: config.build(optimizers=[optimizer], training_steps=training_steps)
    return stand_ins.Stepped(make, lr)


def cases(seed):
    cases = Cases(seed, stand_ins.version("torchtitan", "torchtitan"), stand_ins.source())
    draw = cases.draw
    for _ in range(220):
        lr, training = draw.rate(), draw.length(low=10)
        arguments = {}
        for argument, values in {
            "warmup_steps": [0, 1, draw.length(high=300), draw.length(high=3000)],
            "total_steps": [None, draw.length(low=10, high=9000)],
            "decay_ratio": [None, 0.0, 0.1, 0.25, 1.0, draw.number(0, 1)],
            "decay_type": list(KINDS),
            "min_lr_factor": [0.0, 0.1, draw.number(0, 1), 1.0],
        }.items():
            if draw.maybe(0.7):
                arguments[argument] = draw.choice(values)
        total = training if arguments.get("total_steps") is None else arguments["total_steps"]
        w, ratio = min(arguments.get("warmup_steps", 200), total), arguments.get("decay_ratio")
        d = total - w if ratio is None else min(round(total * ratio), total - w)
        ours = {"peak_lr": lr, "warmup": w, "stable": total + 1 - w - d, "decay": d}
        ours |= {
            "end_lr": arguments.get("min_lr_factor", 0.0) * lr,
            "decay_kind": KINDS[arguments.get("decay_type", "linear")],
        }
        base = {"WarmupStableDecay": ours} if d else warmup(constant(lr), w)
        document = {"Shifted": {"base": base, "by": 1}}
        shown = {"lr": lr, "training_steps": training, **arguments}
        # Past the end of the run its rate goes on to fall below 0, or there is none.
        rates = container(lr, arguments, training)
        cases.equal("LRSchedulersContainer", shown, document, rates, [w, total - d, total], before=total + 1)
    return cases
