"""optax, called as its users do: a schedule is a function of the step."""

import jax
import jax.numpy as jnp
import optax

from cases import Cases, Unsteady, constant, sequence, warmup

jax.config.update("jax_enable_x64", True)
# Every schedule would be compiled anew, in minutes; the operations are the same.
jax.config.update("jax_disable_jit", True)

RISES = "a cosine that rises"


def polynomial(init_value, end_value, power, transition_steps, transition_begin=0):
    if transition_steps <= 0:
        return constant(init_value)
    fields = {"initial_lr": init_value, "end_lr": end_value, "length": transition_steps, "power": power}
    return {"PolynomialDecay": {**fields, "begin": max(transition_begin, 0)}}


def exponential(init_value, transition_steps, decay_rate, transition_begin=0, staircase=False, end_value=None):
    if transition_steps <= 0 or decay_rate == 0:
        return constant(init_value)
    if end_value is not None and (end_value >= init_value if decay_rate < 1 else end_value <= init_value):
        return constant(end_value)
    fields = {"initial_lr": init_value, "decay_steps": transition_steps, "decay_rate": decay_rate}
    fields |= {"decay_begin": max(transition_begin, 0), "staircase": staircase, "end_lr": end_value}
    return {"ExponentialDecay": fields}


def cosine(init_value, decay_steps, alpha=0.0, exponent=1.0):
    fields = {"initial_lr": init_value, "t_max": decay_steps, "eta_min": alpha * init_value}
    return {"CosineAnnealingLr": {**fields, "exponent": exponent}}


def warmup_cosine(init_value, peak_value, warmup_steps, decay_steps, end_value=0.0, exponent=1.0):
    fields = {"initial_lr": peak_value, "t_max": decay_steps - warmup_steps, "eta_min": end_value}
    base = {"CosineAnnealingLr": {**fields, "exponent": exponent}}
    return warmup(base, warmup_steps, start_lr=init_value)


def pieces(name, init_value, scales, **fields):
    """Boundaries at 0 are over from the start, and of two that are equal optax's dictionary keeps one."""
    value, values, boundaries = init_value, [init_value], []
    for boundary, scale in sorted(scales.items()):
        value *= scale
        if boundary <= 0:
            values = [value]
        else:
            values.append(value)
            boundaries.append(boundary)
    if not boundaries:
        return constant(values[0])
    return {name: {"values": values, "boundaries": boundaries, **fields}}


def exponent(draw):
    return draw.choice([1.0, 1.0, 1.0, 2.0, 0.5, 3.0, 1.5])


NAME = "contrib.reduce_on_plateau"
# An argument and its value, why ours are others with it, and what optax is given in its place for the first metric
# and for the later ones to have it do what ours do.
DEPARTURES = {
    "patience": (0, "a `patience` of 0 cuts on improvements there", 1, 1),
    "min_scale": (1.5, "a `min_scale` above 1 raises the rate there", 1.0, 1.0),
    "rtol": (1.0, "with an `rtol` of 1 every metric is bad there, the first one too", 1e-4, 1.0),
}


def observing(metrics, arguments, first=None):
    """The factor of the rate after each metric; other arguments may hold for the first one."""
    transform, one = optax.contrib.reduce_on_plateau(**arguments), jnp.ones((), jnp.float64)
    state, after = transform.init(one), []
    for number, metric in enumerate(metrics):
        now = optax.contrib.reduce_on_plateau(**first) if first and number == 0 else transform
        for _ in range(arguments.get("accumulation_size", 1)):
            # The mean of what is accumulated is what ours observes.
            _, state = now.update(one, state, value=metric)
        after.append(float(state.scale))
    return after


def drawn_plateau(draw):
    arguments = {"factor": draw.choice([0.1, 0.5, 0.9]), "patience": draw.choice([1, 2, 3, 5, 10])}
    arguments |= {"rtol": draw.choice([0.0, 1e-4, 0.01, 0.2]), "cooldown": draw.choice([0, 0, 1, 3])}
    arguments["atol"] = draw.choice([0.0, 1e-3, 0.1]) if draw.maybe(0.4) else 0.0
    arguments["min_scale"] = draw.choice([0.0, 0.0, 1e-3, 0.3])
    if not arguments["rtol"] and not arguments["atol"]:
        arguments["rtol"] = 1e-4
    if draw.maybe(0.15):
        arguments["accumulation_size"] = 4
    return arguments


def our_plateau(lr, arguments):
    ours = {"base": constant(lr), "factor": arguments["factor"], "patience": arguments["patience"]}
    mode = "factor" if arguments["rtol"] else "abs"
    ours |= {"threshold": arguments["rtol"] or arguments["atol"], "threshold_mode": mode}
    ours |= {"cooldown": arguments["cooldown"], "min_lr": arguments["min_scale"] * lr}
    return {"ReduceLrOnPlateau": {**ours, "eps": 0.0, "counting": "optax"}}


def plateau(cases):
    draw = cases.draw
    arguments, lr = drawn_plateau(draw), draw.rate()
    shown = {"lr": lr, **arguments}
    if arguments["rtol"] and arguments["atol"]:
        return cases.no_counterpart(NAME, shown, "`rtol` and `atol` at once: a plateau has one threshold")
    metrics = draw.metrics(negative=draw.maybe(0.3))
    after = [lr * scale for scale in observing(metrics, arguments)]
    cases.observed(NAME, shown, our_plateau(lr, arguments), metrics, after)


def plateau_departs(cases, name):
    draw = cases.draw
    value, reason, first, later = DEPARTURES[name]
    arguments, lr = {**drawn_plateau(draw), "atol": 0.0, "min_scale": 0.0, "rtol": 1e-4, name: value}, draw.rate()
    metrics = draw.metrics()
    ours = observing(metrics, {**arguments, name: later}, {**arguments, name: first})
    departs = (reason, [lr * scale for scale in ours])
    after = [lr * scale for scale in observing(metrics, arguments)]
    cases.observed(NAME, {"lr": lr, **arguments}, our_plateau(lr, arguments), metrics, after, departs)


def plateau_refused(cases, name):
    arguments, lr = {**drawn_plateau(cases.draw), "atol": 0.0, "rtol": 1e-4, name: -1}, cases.draw.rate()
    observing([1.0, 2.0], arguments)
    cases.refused(NAME, {"lr": lr, **arguments}, name, "negative", our_plateau(lr, arguments))


def cases(seed):
    cases = Cases(seed, optax.__version__, "the installed package, in JAX with 64 bits")
    draw = cases.draw
    lr = draw.rate

    for _ in range(3):
        value = lr()
        cases.equal("constant_schedule", {"value": value}, constant(value), optax.constant_schedule(value))

    for _ in range(30):
        arguments = {"init_value": lr(), "end_value": draw.choice([0.0, lr(), lr()])}
        arguments["transition_steps"] = draw.length(low=0)
        if draw.maybe():
            arguments["transition_begin"] = draw.choice([-3, 0, draw.length()])
        ends = (arguments.get("transition_begin", 0), arguments["transition_steps"])
        if draw.maybe(0.4):
            document = polynomial(power=1.0, **arguments)
            cases.equal(
                "linear_schedule", arguments, document, optax.linear_schedule(**arguments), (ends[0], sum(ends))
            )
        else:
            arguments["power"] = draw.choice([0.5, 1.0, 2.0, 3.0, 0.9])
            function = optax.polynomial_schedule(**arguments)
            without = Unsteady(function, max(arguments["init_value"], arguments["end_value"]))
            ours, ends = polynomial(**arguments), (ends[0], sum(ends))
            cases.equal("polynomial_schedule", arguments, ours, function, ends, without=without)
    for power in (0.0, -1.0):
        arguments = {"init_value": 0.1, "end_value": 0.01, "power": power, "transition_steps": 10}
        function = optax.polynomial_schedule(**arguments)
        cases.refused("polynomial_schedule", arguments, "power", "0 or less", polynomial(**arguments), function)

    for _ in range(30):
        boundaries = draw.sample(range(draw.choice([9, 60, 5000])), draw.randint(0, 4))
        scales = {b: draw.choice([0.1, 0.5, 0.3, 2.0, 0.0, 1.7]) for b in boundaries}
        value = lr()
        arguments = {"init_value": value, "boundaries_and_scales": scales}
        kind = draw.choice([None, "linear", "cosine"])
        if kind is None:
            function = optax.piecewise_constant_schedule(value, scales)
            document = pieces("PiecewiseConstant", value, scales)
            cases.equal("piecewise_constant_schedule", arguments, document, function, boundaries)
        else:
            function = optax.piecewise_interpolate_schedule(kind, value, scales)
            document = pieces("PiecewiseInterpolate", value, scales, interpolation=kind)
            arguments = {"interpolate_type": kind, **arguments}
            cases.equal("piecewise_interpolate_schedule", arguments, document, function, boundaries)

    def drawn_exponential():
        arguments = {"transition_steps": draw.length(low=0), "staircase": draw.maybe()}
        arguments["decay_rate"] = draw.choice([0.0, 0.1, 0.5, 0.96, 0.99, 1.0, 1.02])
        if draw.maybe(0.4):
            arguments["transition_begin"] = draw.choice([-2, draw.length()])
        if draw.maybe():
            arguments["end_value"] = lr()
        begin = max(arguments.get("transition_begin", 0), 0)
        return arguments, (begin, begin + arguments["transition_steps"], begin + 3 * arguments["transition_steps"])

    for _ in range(40):
        arguments, ends = drawn_exponential()
        arguments = {"init_value": lr(), **arguments}
        cases.equal(
            "exponential_decay", arguments, exponential(**arguments), optax.exponential_decay(**arguments), ends
        )

    for _ in range(25):
        arguments = {"init_value": lr(), "decay_steps": draw.length()}
        if draw.maybe():
            arguments["alpha"] = draw.choice([0.0, 0.1, 1.0, draw.number(0, 1), 1.5])
        if draw.maybe():
            arguments["exponent"] = exponent(draw)
        function = optax.cosine_decay_schedule(**arguments)
        if arguments.get("alpha", 0) > 1:
            cases.refused("cosine_decay_schedule", arguments, "eta_min", RISES, cosine(**arguments), function)
            continue
        cases.equal("cosine_decay_schedule", arguments, cosine(**arguments), function, (arguments["decay_steps"],))

    for power in (0.0, -1.0):
        arguments = {"init_value": lr(), "decay_steps": 10, "exponent": power}
        function = optax.cosine_decay_schedule(**arguments)
        cases.refused("cosine_decay_schedule", arguments, "exponent", "0 or less", cosine(**arguments), function)
        arguments = {"init_value": 0.0, "peak_value": lr(), "warmup_steps": 2, "decay_steps": 10, "exponent": power}
        function, document = optax.warmup_cosine_decay_schedule(**arguments), warmup_cosine(**arguments)
        cases.refused("warmup_cosine_decay_schedule", arguments, "exponent", "0 or less", document, function)

    for _ in range(10):
        arguments = {"init_value": draw.choice([0.0, lr()]), "peak_value": lr(), "warmup_steps": draw.length(low=0)}
        steps = arguments["warmup_steps"]
        ours = warmup(constant(arguments["peak_value"]), steps, start_lr=arguments["init_value"])
        ours = ours if steps else constant(arguments["init_value"])
        cases.equal("warmup_constant_schedule", arguments, ours, optax.warmup_constant_schedule(**arguments), (steps,))

    def drawn_warmup_cosine():
        arguments = {"init_value": draw.choice([0.0, lr()]), "peak_value": lr()}
        arguments["warmup_steps"] = draw.length(low=0, high=3000)
        arguments["decay_steps"] = arguments["warmup_steps"] + draw.length(high=9000)
        if draw.maybe():
            arguments["end_value"] = draw.choice([0.0, 0.1 * arguments["peak_value"], lr()])
        if draw.maybe(0.3):
            arguments["exponent"] = exponent(draw)
        return arguments

    for _ in range(35):
        arguments = drawn_warmup_cosine()
        name = "warmup_cosine_decay_schedule"
        function = optax.warmup_cosine_decay_schedule(**arguments)
        if arguments.get("end_value", 0.0) > arguments["peak_value"]:
            cases.refused(name, arguments, "eta_min", RISES, warmup_cosine(**arguments), function)
            continue
        cases.equal(
            name, arguments, warmup_cosine(**arguments), function, (arguments["warmup_steps"], arguments["decay_steps"])
        )

    for _ in range(25):
        decay, ends = drawn_exponential()
        arguments = {
            "init_value": draw.choice([0.0, lr()]),
            "peak_value": lr(),
            "warmup_steps": draw.length(low=0, high=500),
        }
        start, steps = arguments["init_value"], arguments["warmup_steps"]
        base = exponential(arguments["peak_value"], **decay)
        # The ramp leads to the peak also where the decay starts elsewhere.
        ours = warmup(base, steps, start_lr=start, target_lr=arguments["peak_value"])
        arguments |= decay
        function = optax.warmup_exponential_decay_schedule(**arguments)
        cases.equal("warmup_exponential_decay_schedule", arguments, ours, function, [steps + end for end in ends])

    for _ in range(24):
        arguments = {"transition_steps": draw.length(), "peak_value": lr()}
        if draw.maybe(0.7):
            arguments["pct_start"] = draw.choice([0.0, 0.1, 0.25, 0.3, draw.number(0, 0.8), 0.85, 1.0])
        if draw.maybe():
            arguments["div_factor"] = draw.choice([1.0, 10.0, 25.0, 0.5])
        if draw.maybe():
            arguments["final_div_factor"] = draw.choice([1.0, 100.0, 1e4])
        steps, first = arguments["transition_steps"], arguments.get("pct_start", 0.3)
        div, final = arguments.get("div_factor", 25.0), arguments.get("final_div_factor", 1e4)
        if draw.maybe():
            scales = {int(first * steps): div, steps: 1 / (div * final)}
            ours = pieces("PiecewiseInterpolate", arguments["peak_value"] / div, scales, interpolation="cosine")
            function = optax.cosine_onecycle_schedule(**arguments)
            cases.equal("cosine_onecycle_schedule", arguments, ours, function, scales)
        else:
            if draw.maybe():
                arguments["pct_final"] = draw.choice([first, 1.0, (1 + first) / 2])
            second = arguments.get("pct_final", max(0.85, first))
            scales = {int(first * steps): div, int(second * steps): 1 / div, steps: 1 / final}
            ours = pieces("PiecewiseInterpolate", arguments["peak_value"] / div, scales, interpolation="linear")
            if second != 0.85:
                arguments["pct_final"] = second
            function = optax.linear_onecycle_schedule(**arguments)
            cases.equal("linear_onecycle_schedule", arguments, ours, function, scales)

    for _ in range(12):
        parts = [drawn_warmup_cosine() for _ in range(draw.randint(1, 3))]
        for part in parts:
            part.pop("end_value", None)
        ends = [sum(part["decay_steps"] for part in parts[: i + 1]) for i in range(len(parts))]
        ours = sequence([warmup_cosine(**part) for part in parts], ends[:-1])
        peaks = [end - part["decay_steps"] + part["warmup_steps"] for end, part in zip(ends, parts)]
        function = optax.sgdr_schedule(parts)
        cases.equal("sgdr_schedule", {"cosine_kwargs": parts}, ours, function, [*peaks, *ends])

    for _ in range(12):
        parts, ours = [], []
        for _ in range(draw.randint(2, 4)):
            arguments = {"init_value": lr(), "end_value": lr(), "power": 1.0, "transition_steps": draw.length(high=80)}
            parts.append(arguments)
            ours.append(polynomial(**arguments))
        ends = sorted(draw.sample(range(1, 200), len(parts) - 1))
        function = optax.join_schedules([optax.polynomial_schedule(**part) for part in parts], ends)
        cases.equal("join_schedules", {"schedules": parts, "boundaries": ends}, sequence(ours, ends), function, ends)

    for ends, reason in [([9, 3], "not sorted"), ([3, 3], "one that is given twice"), ([0, 7], "one at 0")]:
        rates = [lr() for _ in range(3)]
        function = optax.join_schedules([optax.constant_schedule(rate) for rate in rates], ends)
        document = {"Sequence": {"schedules": [constant(rate) for rate in rates], "milestones": ends}}
        shown = {"schedules": [{"value": rate} for rate in rates], "boundaries": ends}
        cases.refused("join_schedules", shown, "milestones", reason, document, function)

    for _ in range(30):
        plateau(cases)
    for name in (*DEPARTURES, *DEPARTURES):
        plateau_departs(cases, name)
    for name in ("patience", "cooldown"):
        plateau_refused(cases, name)
    return cases
