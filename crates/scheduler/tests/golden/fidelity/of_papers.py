"""Schedules that no package has: the formulas of the papers, written out."""

import math

from cases import Cases, warmup


def hyperbolic(cases):
    draw = cases.draw
    lr, n = draw.rate(), draw.length(low=2)
    u = n + draw.choice([0, draw.length()])
    low, exponential = lr * draw.choice([0.5, 0.1, 1e-3]), draw.maybe()
    height = lambda t: math.sqrt((n - t) / u * (2 - (n + t) / u))

    def rates(t):
        moved = height(min(t, n)) - height(0)
        return lr * (lr / low) ** moved if exponential else lr + (lr - low) * moved

    arguments = {"init_lr": lr, "max_iter": n, "upper_bound": u, "infimum_lr": low}
    ours = {"initial_lr": lr, "length": n, "upper_bound": u, "infimum_lr": low, "exponential": exponential}
    name = "ExpHyperbolicLR (2407.15200)" if exponential else "HyperbolicLR (2407.15200)"
    cases.equal(name, arguments, {"HyperbolicLr": ours}, rates, [n // 2, n])


def infinite(cases):
    draw = cases.draw
    top = draw.rate()
    constant = top * draw.choice([0.5, 0.1, 1.0])
    low = constant * draw.choice([0.1, 0.01])
    lengths = {name: draw.length(high=900) for name in ("warmup", "cooldown", "constant", "annealing")}
    w, c, s, a = lengths.values()

    def rates(t):
        if t < w:
            return top * t / w
        if t < w + c:
            return constant + (top - constant) / 2 * (1 + math.cos(math.pi * (t - w) / c))
        if t < w + c + s:
            return constant
        return constant * (low / constant) ** min((t - w - c - s) / a, 1)

    arguments = {"max_lr": top, "constant_lr": constant, "min_lr": low, **lengths}
    cases.equal(
        "infinite, cosine (2503.02844)",
        arguments,
        {"InfiniteLr": arguments},
        rates,
        [w, w + c, w + c + s, w + c + s + a],
    )


def power(cases):
    draw = cases.draw
    tokens, w = draw.randint(1, 4_000_000), draw.length(high=900)
    top, factor = draw.rate(1e-3, 2e-2), draw.number(1, 8) * draw.choice([32, 128, 512])
    exponent, stable, d = draw.choice([-0.51, -0.5, -0.6]), draw.length(), draw.length(high=900)
    of = lambda t: min(top, factor * (t * tokens) ** exponent) if t else top

    def rates(t):
        if t < w:
            return t / w * of(w)
        if t <= w + stable:
            return of(t)
        return of(w + stable) * max(0.0, 1 - (t - w - stable) / d)

    arguments = {"max_lr": top, "coefficient": factor, "exponent": exponent, "tokens_per_step": tokens}
    arguments |= {"warmup": w, "stable": stable, "decay": d}
    cases.equal(
        "Power, by tokens (2408.13359)", arguments, {"PowerLr": arguments}, rates, [w, w + stable, w + stable + d]
    )


def inverse(cases):
    draw = cases.draw
    top, w = draw.rate(), draw.length(low=0, high=300)
    d, low = draw.length(high=300), top * draw.choice([0.1, 0.01, 0.5])
    ends = [w + d + draw.length(high=900)]
    for _ in range(draw.randint(0, 3)):
        ends.append(ends[-1] + d + draw.length(high=900))

    def rates(t):
        if t < w:
            return top * t / w
        end = next((end for end in ends if t <= end), ends[-1])
        over = min(max(1 - (end - t) / d, 0), 1)
        return 1 / (over / low + (1 - over) / top)

    arguments = {"peak_lr": top, "warmup": w, "ends": ends, "decay": d}
    if low != 0.1 * top or draw.maybe():
        arguments["end_lr"] = low
    boundaries = [w, *ends, *(end - d for end in ends)]
    cases.equal("WSD-S, inverse (2410.05192)", arguments, {"WsdS": arguments}, rates, boundaries)


def to_zero(cases):
    draw = cases.draw
    lr, w, n = draw.rate(), draw.length(high=900), draw.length()
    rates = lambda t: lr * t / w if t < w else lr * max(0.0, 1 - (t - w) / n)
    ours = warmup({"PolynomialLr": {"initial_lr": lr, "total_iters": n}}, w)
    cases.equal("D2Z (2502.15938)", {"lr": lr, "warmup": w, "decay": n}, ours, rates, [w, w + n])


def cooled(cases):
    """A cooldown off a warmup and a cosine, which a run of another length was for: what is left by its own formula."""
    draw = cases.draw
    lr, w, n = draw.rate(), draw.length(high=300), draw.length(low=2)
    start, length = draw.randint(0, w + n), draw.length(high=900)
    end = lr * draw.choice([0.0, 0.1, 0.01])
    left = {
        "linear": lambda p: 1 - p,
        "cosine": lambda p: (1 + math.cos(math.pi * p)) / 2,
        "1-sqrt": lambda p: 1 - math.sqrt(p),
        "exponential": lambda p: (0.1**p - 0.1) / 0.9,
    }
    kind = draw.choice(list(left))
    base = lambda t: lr * t / w if t < w else lr / 2 * (1 + math.cos(math.pi * min((t - w) / n, 1)))
    over = lambda t: min((t - start) / length, 1)
    rates = lambda t: base(t) if t < start else end + (base(start) - end) * left[kind](over(t))
    cosine = warmup({"CosineAnnealingLr": {"initial_lr": lr, "t_max": n}}, w)
    arguments = {"start": start, "length": length, "end_lr": end, "kind": kind}
    ours = {"Cooldown": {"base": cosine, **arguments}}
    shown = {"lr": lr, "warmup": w, "cosine": n, **arguments}
    cases.equal("cooldown (2405.18392)", shown, ours, rates, [w, w + n, start, start + length])


def of_another_run(cases):
    """Shares of a run of other epochs than the run's own."""
    draw = cases.draw
    lr, updates, epochs = draw.rate(), draw.length(high=900), draw.randint(1, 90)
    percent = draw.choice([100.0, 50.0, 25.0])
    n = max(1, math.floor(percent / 100 * updates * epochs + 0.5))
    rates = lambda t: lr / 2 * (1 + math.cos(math.pi * min(t / n, 1)))
    base = {"CosineAnnealingLr": {"initial_lr": lr, "t_max": f"{percent:g} %"}}
    ours = {"Horizon": {"base": base, "epochs": epochs}}
    run = [updates, draw.randint(1, 90)]
    shown = {"lr": lr, "percent": percent, "epochs": epochs, "run": run}
    cases.equal("cosine for a run of other epochs", shown, ours, rates, [n // 2, n], run=run)


def cases(seed):
    cases = Cases(seed, "", "The papers' formulas, written out in Python: none of them has a package")
    for _ in range(30):
        hyperbolic(cases)
        infinite(cases)
        power(cases)
        inverse(cases)
        to_zero(cases)
        cooled(cases)
        of_another_run(cases)
    return cases
