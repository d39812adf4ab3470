"""Random values, and the cases that they make."""

import json
import math
import random
from fractions import Fraction

KINDS = ["refused", "departs", "no_counterpart"]


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


# Where the curves of two libraries are apart they are more so than by rounding errors, and than a nudge moves them.
APART = 1e-9
# Where rounding errors are what parts them.
ROUNDED = 1e-12


def steps(draw, boundaries, first, before, without, count=11):
    """The first steps, those around the boundaries, some between them, some past the end; all from `first` on and
    `before` a step from which on the library has no rate, but for those `without` one. All there are, if there are
    not so many."""
    ends = sorted({int(b) for b in boundaries if b >= 0} | {0})
    last = max(ends[-1], 3)
    there = lambda step: first <= step < before and step not in without
    chosen = {0, 1, first} | {end + d for end in ends for d in (-1, 0, 1)}
    chosen = set(filter(there, chosen))
    if len(chosen) > count:
        kept = chosen & {first, first + 1}
        chosen = kept | set(draw.sample(sorted(chosen - kept), count - len(kept)))
    highest = first + 2 * last + 12
    if before <= highest:
        rest = sorted(set(filter(there, range(first, math.ceil(before)))) - chosen)
        return sorted(chosen | set(draw.sample(rest, min(len(rest), count - len(chosen)))))
    while len(chosen) < count:
        step = draw.randint(first, highest)
        if there(step):
            chosen.add(step)
    return sorted(chosen)


def apart(ours, theirs, highest, tolerance):
    """Whether two rates differ, as the comparison has it."""
    return abs(ours - theirs) > tolerance * max(theirs, 1e-3 * highest)


class Unsteady:
    """The steps where a rounding error of the step alone moves the rate beyond what is compared, as it does shortly
    before the end of a cycle with a power below 1. Where a cycle begins it moves it by far more, and is none."""

    def __init__(self, rates, highest):
        self.rates, self.highest = rates, highest

    def __contains__(self, step):
        if step < 1:
            return False
        rate = self.rates(step)
        moved = max(abs(self.rates(step * (1 + error)) - rate) for error in (-(2**-52), 2**-52))
        return 1e-13 < moved / max(rate, 1e-3 * self.highest) < 1e-6


class Cases:
    def __init__(self, seed, version, source):
        """`source` says where the values come from, as in "the installed package"."""
        self.draw = Draw(seed)
        self.version = version
        self.source = source
        self.cases = []

    def equal(
        self,
        scheduler,
        arguments,
        document,
        rates,
        boundaries=(),
        departs=None,
        run=None,
        first=0,
        before=math.inf,
        without=(),
        tolerance=APART,
    ):
        """A case with the rates of `rates(step)`. `departs(step)` gives the reason why ours is another, on purpose,
        and what it is; that is a departure only where the two are apart by more than the `tolerance`. A document
        with lengths in epochs or percent needs a `run`, of updates per epoch and epochs. `first`, `before` and
        `without` are as in `steps`."""
        boundaries = list(boundaries)
        at = steps(self.draw, boundaries, first, before, without)
        values = [float(rates(step)) for step in at]
        # Rounding errors are those of the highest rate, which may not be among the compared ones.
        ends = [int(b) for b in boundaries if first <= int(b) < before and int(b) not in without]
        highest = max(values + [float(rates(end)) for end in ends])
        case = {"scheduler": scheduler, "arguments": arguments, "document": document}
        if highest > max(values):
            case["highest"] = highest
        if run:
            case["run"] = run
        reasons, ours = set(), list(values)
        for number, (step, theirs) in enumerate(zip(at, values) if departs else ()):
            departure = departs(step)
            if departure and apart(float(departure[1]), theirs, highest, tolerance):
                reasons.add(departure[0])
                ours[number] = float(departure[1])
        if reasons:
            case |= {"departs": "; ".join(sorted(reasons)), "ours": ours}
        self.cases.append({**case, "steps": at, "values": values})

    def observed(self, scheduler, arguments, document, metrics, values, departs=None):
        """A case with the rate after each metric; `departs` is the reason why ours are others on purpose, and what
        they are."""
        case = {"scheduler": scheduler, "arguments": arguments, "document": document}
        if departs:
            reason, ours = departs
            case |= {"departs": reason, "ours": [float(v) for v in ours]}
        self.cases.append({**case, "metrics": metrics, "values": [float(v) for v in values]})

    def refused(self, scheduler, arguments, parameter, reason, document, rates=None, run=None):
        """A case whose document is refused when it is built, with an error that names the parameter of ours. The
        library accepts it: it has `rates`, at least the first ones."""
        for step in (0, 1) if rates else ():
            float(rates(step))
        refused = {"parameter": parameter, "reason": reason}
        case = {"scheduler": scheduler, "arguments": arguments, "refused": refused, "document": document}
        if run:
            case["run"] = run
        self.cases.append(case)

    def no_counterpart(self, scheduler, arguments, reason):
        """A case that there is no document for."""
        self.cases.append({"scheduler": scheduler, "arguments": arguments, "no_counterpart": reason})

    def write(self, library, seed, folder):
        head = {"library": library, "version": self.version, "source": self.source, "seed": seed}
        compact = lambda value: json.dumps(value, separators=(",", ":"))
        lines = ",\n".join(map(compact, self.cases))
        path = folder / f"{library}.json"
        path.write_text(f'{compact(head)[:-1]},"cases":[\n{lines}\n]}}\n')
        counts = [f"{sum(kind in case for case in self.cases)} {kind}" for kind in KINDS]
        print(f"{path.name}: {len(self.cases)} cases, {', '.join(counts)}, {path.stat().st_size} bytes")


def cycle(step, length, mul):
    """The number of the cycle that a step is in, computed exactly: 78.7 is not what its float is."""
    if mul == 1:
        return math.floor(Fraction(step) / Fraction(length))
    mul, start, width, number = Fraction(str(mul)), Fraction(0), Fraction(str(length)), 0
    while start + width <= step:
        start, width, number = start + width, width * mul, number + 1
    return number


def end_of_cycles(length, mul):
    """Where cycles that shorten end, all of them, computed exactly: a float may be a step too far."""
    if mul >= 1:
        return math.inf
    return float(Fraction(str(length)) / (1 - Fraction(str(mul))))


def nudged(rates, step, counted, exact):
    """The rate right after or right before a step: where rounding has counted another number of cycles or stairs
    than there are, the one that is right."""
    return rates(step * (1 + math.copysign(1e-10, exact - counted)))


def shifted(base, by):
    return {"Shifted": {"base": base, "by": by}} if by else base


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
