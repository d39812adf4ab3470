"""Random values, and the cases that they make."""

import json
import math
import random
from fractions import Fraction
from pathlib import Path

HERE = Path(__file__).parent


class Draw(random.Random):
    """What configurations are drawn from. Numbers have few digits, as people write them."""

    def rate(self, low=1e-6, high=2.0):
        return float(f"{low * (high / low) ** self.random():.3g}")

    def number(self, low, high):
        return float(f"{self.uniform(low, high):.3g}")

    def length(self, low=1, high=100_000):
        """Mostly of a size that people use, sometimes tiny, sometimes huge."""
        top = self.choice([5, 50, 50, 300, 300, 2_000, high])
        return self.randint(low, max(low, min(top, high)))

    def maybe(self, chance=0.5):
        return self.random() < chance

    def metrics(self, length=40, negative=False):
        """One an epoch: improving, stalling and jumping."""
        level, fall, noise = self.number(0.1, 5), self.choice([1.0, 0.9, 0.97]), self.choice([0, 0.01, 0.3])
        metrics = [level * fall**i * (1 + noise * self.uniform(-1, 1)) for i in range(length)]
        return [float(f"{-m if negative else m:.4g}") for m in metrics]


def steps(draw, boundaries, before, count=11):
    """The first steps, those around the boundaries, some between them, some past the end; all `before` a
    step from which on the library has no rate."""
    ends = sorted({int(b) for b in boundaries if b >= 0} | {0})
    last = max(ends[-1], 3)
    chosen = {0, 1} | {end + d for end in ends for d in (-1, 0, 1) if end + d >= 0}
    if len(chosen) > count:
        chosen = {0, 1} | set(draw.sample(sorted(chosen), count - 2))
    while len(chosen) < count:
        chosen.add(draw.randint(0, 2 * last + 12))
    return sorted(step for step in chosen if step < before)


class Cases:
    def __init__(self, seed, version, source):
        """`source` says where the values come from, as in "the installed package"."""
        self.draw = Draw(seed)
        self.version = version
        self.source = source
        self.cases = []

    def equal(self, scheduler, arguments, document, rates, boundaries=(), departs=None, before=math.inf, run=None):
        """A case with the rates of `rates(step)`. `departs(step)` says why ours is another, on purpose. A
        document with lengths in epochs or percent needs a `run`, of updates per epoch and epochs."""
        at = steps(self.draw, boundaries, before)
        case = {"scheduler": scheduler, "arguments": arguments, "document": document}
        if run:
            case["run"] = run
        reasons = {departs(step) for step in at} - {None} if departs else set()
        if reasons:
            case["departs"] = "; ".join(sorted(reasons))
        self.cases.append({**case, "steps": at, "values": [float(rates(step)) for step in at]})

    def observed(self, scheduler, arguments, document, metrics, values, departs=None):
        """A case with the rate after each metric."""
        case = {"scheduler": scheduler, "arguments": arguments, "document": document}
        if departs:
            case["departs"] = departs
        self.cases.append({**case, "metrics": metrics, "values": [float(v) for v in values]})

    def refused(self, scheduler, arguments, reason, document=None, run=None):
        """A case that ours has no document for, or whose document is refused when it is built."""
        case = {"scheduler": scheduler, "arguments": arguments, "refused": reason}
        if document is not None:
            case["document"] = document
        if run:
            case["run"] = run
        self.cases.append(case)

    def write(self, library, seed):
        head = {"library": library, "version": self.version, "source": self.source, "seed": seed}
        compact = lambda value: json.dumps(value, separators=(",", ":"))
        lines = ",\n".join(map(compact, self.cases))
        path = HERE / f"{library}.json"
        path.write_text(f'{compact(head)[:-1]},"cases":[\n{lines}\n]}}\n')
        refused = sum("refused" in case for case in self.cases)
        print(f"{path.name}: {len(self.cases)} cases, {refused} refused, {path.stat().st_size} bytes")


def cycle(step, length, mul):
    """The number of the cycle that a step is in, computed exactly: 78.7 is not what its float is."""
    if mul == 1:
        return math.floor(Fraction(step) / Fraction(length))
    mul, start, width, number = Fraction(str(mul)), Fraction(0), Fraction(str(length)), 0
    while start + width <= step:
        start, width, number = start + width, width * mul, number + 1
    return number


def constant(lr):
    return {"Constant": {"lr": lr}}


def warmup(base, length, **fields):
    return {"Warmup": {"base": base, "length": length, **fields}}


def sequence(schedules, milestones):
    """A `Sequence`, without the parts that end where they start."""
    kept, ends = [], []
    for schedule, end in zip(schedules, [*milestones, None]):
        if end is None or end > (ends[-1] if ends else 0):
            kept.append(schedule)
            ends.append(end)
    if len(kept) == 1:
        return kept[0]
    return {"Sequence": {"schedules": kept, "milestones": ends[:-1]}}
