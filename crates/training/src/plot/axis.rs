//! An axis: where a value lies on it, and the round numbers beside it.

/// The largest number that is drawn; larger ones would overflow on the way.
const LARGEST: f64 = 1e300;

/// A linear or logarithmic axis.
#[derive(Debug, Clone)]
pub(super) struct Axis {
    log: bool,
    /// The ends; logarithms to base 10 where the axis is logarithmic.
    from: f64,
    to: f64,
    ticks: Vec<Tick>,
}

/// A number beside an axis.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tick {
    /// Where it is, from 0 at the start of the axis to 1 at its end.
    pub at: f64,
    pub text: String,
}

/// The value as the axis counts it, or nothing if it has no place there.
pub(super) fn scaled(value: f64, log: bool) -> Option<f64> {
    let value = match log {
        true => (value > 0.0).then(|| value.log10())?,
        false => value,
    };
    value.is_finite().then(|| value.clamp(-LARGEST, LARGEST))
}

impl Axis {
    /// The axis from `from` to `to`, which must have places on it, with at most about `ticks` ticks.
    pub(super) fn new(from: f64, to: f64, log: bool, ticks: usize) -> Self {
        let end = |value| scaled(value, log).unwrap_or(0.0);
        Self::of(end(from), end(to), log, ticks)
    }

    /// The axis that holds all `values` that have a place on it, or from 0 to 1 without any.
    pub(super) fn around(values: impl Iterator<Item = f64>, log: bool, ticks: usize) -> Self {
        let values = values.filter_map(|value| scaled(value, log));
        let ends = values.fold(None, |ends: Option<(f64, f64)>, value| {
            Some(ends.map_or((value, value), |(low, high)| {
                (low.min(value), high.max(value))
            }))
        });
        let (from, to) = ends.unwrap_or((0.0, 1.0));
        Self::of(from, to, log, ticks)
    }

    fn of(from: f64, to: f64, log: bool, ticks: usize) -> Self {
        let size = from.abs().max(to.abs());
        // A single value gets room on both sides.
        let room = match (size, log) {
            (_, true) => 0.5,
            (size, _) if size < 1e-290 => 1.0,
            (size, _) => 0.1 * size,
        };
        let (from, to) = match to - from > 1e-9 * room {
            true => (from, to),
            false => (from - room, to + room),
        };
        let mut axis = Self {
            log,
            from,
            to,
            ticks: Vec::new(),
        };
        axis.ticks = axis.find_ticks(ticks.max(2));
        axis
    }

    /// The axis with its ends moved outwards to ticks if it is linear, or by a little otherwise.
    pub(super) fn rounded(self, ticks: usize) -> Self {
        let (from, to) = match self.log {
            true => {
                let room = 0.04 * (self.to - self.from);
                (self.from - room, self.to + room)
            }
            false => {
                let unit = unit(self.to - self.from, ticks.max(2));
                // Against an end that rounding errors alone put one unit further out.
                let (from, to) = (self.from / unit + 1e-9, self.to / unit - 1e-9);
                (from.floor() * unit, to.ceil() * unit)
            }
        };
        Self::of(from, to, self.log, ticks)
    }

    /// Where `value` is, from 0 at the start to 1 at the end, or nothing if it has no place.
    pub(super) fn at(&self, value: f64) -> Option<f64> {
        let place = scaled(value, self.log)? - self.from;
        Some(place / (self.to - self.from))
    }

    /// The numbers beside the axis.
    pub(super) fn ticks(&self) -> &[Tick] {
        &self.ticks
    }

    fn find_ticks(&self, at_most: usize) -> Vec<Tick> {
        let decades = self.to - self.from;
        if self.log && decades > 0.7 {
            let step = (decades / at_most as f64).ceil().max(1.0) as i32;
            let factors: &[f64] = match decades {
                ..2.0 => &[1.0, 2.0, 5.0],
                _ => &[1.0],
            };
            // Logarithms of finite numbers are within -324..=309.
            let exponents = self.from.floor() as i32..=self.to.ceil() as i32;
            return exponents
                .filter(|exponent| exponent % step == 0)
                .flat_map(|exponent| factors.iter().map(move |&factor| (factor, exponent)))
                .filter_map(|(factor, exponent)| {
                    self.tick(factor.log10() + f64::from(exponent), || {
                        power(factor, exponent)
                    })
                })
                .collect();
        }
        let (low, high) = match self.log {
            true => (10f64.powf(self.from), 10f64.powf(self.to)),
            false => (self.from, self.to),
        };
        let unit = unit(high - low, at_most);
        let first = (low / unit - 1e-9).ceil();
        (0..=2 * at_most)
            .map(|i| (first + i as f64) * unit)
            .filter_map(|value| {
                self.tick(scaled(value, self.log)?, || {
                    number(value, unit, low.abs().max(high.abs()))
                })
            })
            .collect()
    }

    fn tick(&self, place: f64, text: impl FnOnce() -> String) -> Option<Tick> {
        let at = (place - self.from) / (self.to - self.from);
        (-1e-6..=1.0 + 1e-6).contains(&at).then(|| Tick {
            at: at.clamp(0.0, 1.0),
            text: text(),
        })
    }
}

/// 1, 2 or 5 times a power of ten, so that at most about `ticks` of it fill `length`.
fn unit(length: f64, ticks: usize) -> f64 {
    let rough = length / ticks as f64;
    let exponent = rough.log10().floor();
    let magnitude = 10f64.powi(exponent as i32);
    let factor = match rough / magnitude {
        factor if factor <= 1.0 => 1.0,
        factor if factor <= 2.0 => 2.0,
        factor if factor <= 5.0 => 5.0,
        _ => 10.0,
    };
    factor * magnitude
}

/// A multiple of `unit` on an axis whose largest number is `largest`.
fn number(value: f64, unit: f64, largest: f64) -> String {
    // Rounding errors leave a little where 0 is meant.
    if value.abs() < unit * 1e-6 {
        return "0".to_owned();
    }
    let digits = |of: f64| of.log10().floor() as i32;
    let last = digits(unit * (1.0 + 1e-9));
    if (1e-3..1e6).contains(&largest) {
        return format!("{value:.*}", usize::try_from(-last).unwrap_or(0));
    }
    let decimals = digits(value.abs() * (1.0 + 1e-9)) - last;
    format!("{value:.*e}", usize::try_from(decimals).unwrap_or(0))
}

/// `factor * 10^exponent`.
fn power(factor: f64, exponent: i32) -> String {
    match exponent {
        -3..=4 => {
            let decimals = usize::try_from(-exponent).unwrap_or(0);
            format!("{:.decimals$}", factor * 10f64.powi(exponent))
        }
        _ => format!("{factor}e{exponent}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(axis: &Axis) -> Vec<&str> {
        axis.ticks().iter().map(|tick| &*tick.text).collect()
    }

    #[test]
    fn ticks_are_round_numbers() {
        let linear = |from, to| Axis::new(from, to, false, 5);
        assert_eq!(
            texts(&linear(0.0, 1.0)),
            ["0", "0.2", "0.4", "0.6", "0.8", "1.0"]
        );
        assert_eq!(texts(&linear(-3.0, 11.0)), ["0", "5", "10"]);
        assert_eq!(texts(&linear(0.0, 3e-5)), ["0", "1e-5", "2e-5", "3e-5"]);
        assert_eq!(texts(&linear(0.0, 6e7)), ["0", "2e7", "4e7", "6e7"]);
        let log = |from, to| Axis::new(from, to, true, 5);
        assert_eq!(texts(&log(1e-7, 10.0)), ["1e-6", "1e-4", "0.01", "1"]);
        assert_eq!(
            texts(&log(0.05, 2.0)),
            ["0.05", "0.1", "0.2", "0.5", "1", "2"]
        );
        assert_eq!(texts(&log(2.0, 4.0)), ["2.0", "2.5", "3.0", "3.5", "4.0"]);
    }

    #[test]
    fn values_lie_between_the_ends() {
        let axis = Axis::new(1e-4, 1.0, true, 5);
        assert_eq!(axis.at(1e-2), Some(0.5));
        assert_eq!(
            [axis.at(0.0), axis.at(-1.0), axis.at(f64::INFINITY)],
            [None; 3]
        );
        let axis = Axis::around([0.13, f64::NAN, 2.9].into_iter(), false, 5).rounded(5);
        assert_eq!((axis.at(0.0), axis.at(3.0)), (Some(0.0), Some(1.0)));
    }

    #[test]
    fn extremes_have_a_place_and_readable_ticks() {
        let extremes: [&[f64]; 7] = [
            &[],
            &[0.0],
            &[-7.5],
            &[5e-324],
            &[f64::MAX, f64::MIN],
            &[1.0, 1.0 + 1e-15],
            &[5e-324, f64::MAX],
        ];
        for values in extremes {
            for log in [false, true] {
                let axis = Axis::around(values.iter().copied(), log, 6).rounded(6);
                let ticks = axis.ticks();
                assert!(
                    (1..=20).contains(&ticks.len()),
                    "{values:?} {log}: {ticks:?}"
                );
                for tick in ticks {
                    assert!(
                        tick.text.len() < 12 && !tick.text.contains("NaN"),
                        "{tick:?}"
                    );
                }
                for at in values.iter().filter_map(|&value| axis.at(value)) {
                    assert!((-1e-9..=1.0 + 1e-9).contains(&at), "{values:?} {log}: {at}");
                }
            }
        }
    }
}
