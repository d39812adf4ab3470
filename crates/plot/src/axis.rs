//! An axis: where a value lies on it, and the round numbers beside it.

use crate::ticks::{self, Tick};

/// The largest number that is drawn; larger ones would overflow on the way.
const LARGEST: f64 = 1e300;

/// A linear or logarithmic axis.
#[derive(Debug, Clone)]
pub(crate) struct Axis {
    log: bool,
    /// The ends; logarithms to base 10 where the axis is logarithmic.
    from: f64,
    to: f64,
    at_most: usize,
    ticks: Vec<Tick>,
}

/// The value as the axis counts it, or nothing if it has no place there.
pub(crate) fn scaled(value: f64, log: bool) -> Option<f64> {
    let value = if log {
        (value > 0.0).then(|| value.log10())?
    } else {
        value
    };
    value.is_finite().then(|| value.clamp(-LARGEST, LARGEST))
}

impl Axis {
    /// The axis from `from` to `to`, which must have places on it, with at most about `ticks` ticks.
    pub(crate) fn new(from: f64, to: f64, log: bool, ticks: usize) -> Self {
        let end = |value| scaled(value, log).unwrap_or(0.0);
        Self::of(end(from), end(to), log, ticks)
    }

    /// The axis that holds all `values` that have a place on it, or from 0 to 1 without any.
    pub(crate) fn around(values: impl Iterator<Item = f64>, log: bool, ticks: usize) -> Self {
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
        let room = if log {
            0.5
        } else if size < 1e-290 {
            1.0
        } else {
            0.1 * size
        };
        let (from, to) = if to - from > 1e-9 * room {
            (from, to)
        } else {
            (from - room, to + room)
        };
        let axis = Self {
            log,
            from,
            to,
            at_most: ticks.max(2),
            ticks: Vec::new(),
        };
        axis.with_ticks(0.0)
    }

    /// The axis with its ends moved outwards to ticks if it is linear, or by a little otherwise.
    pub(crate) fn rounded(self, ticks: usize) -> Self {
        let (from, to) = if self.log {
            let room = 0.04 * (self.to - self.from);
            (self.from - room, self.to + room)
        } else {
            let unit = ticks::unit(self.to - self.from, ticks.max(2));
            // Against an end that rounding errors alone put one unit further out.
            let (from, to) = (self.from / unit + 1e-9, self.to / unit - 1e-9);
            (from.floor() * unit, to.ceil() * unit)
        };
        Self::of(from, to, self.log, ticks)
    }

    /// The axis without what is below 0 if none of `values` is, nor what is above 1 if they are shares: there is no
    /// negative loss, and no accuracy of 110 %.
    pub(crate) fn within_reason(self, values: &[f64], ticks: usize) -> Self {
        let low = values.iter().copied().fold(f64::INFINITY, f64::min);
        let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        if self.log || low < 0.0 || !low.is_finite() {
            return self;
        }
        let from = self.from.max(0.0);
        let to = if high <= 1.0 && from < 1.0 {
            self.to.min(1.0)
        } else {
            self.to
        };
        if (from, to) == (self.from, self.to) || from >= to {
            return self;
        }
        Self::of(from, to, false, ticks)
    }

    /// The axis without fractions beside it; a logarithmic one as it is.
    pub(crate) fn whole(self) -> Self {
        if self.log { self } else { self.with_ticks(1.0) }
    }

    /// The axis without any number beside it.
    pub(crate) fn bare(mut self) -> Self {
        self.ticks.clear();
        self
    }

    /// Where `value` is, from 0 at the start to 1 at the end, or nothing if it has no place.
    pub(crate) fn at(&self, value: f64) -> Option<f64> {
        let place = scaled(value, self.log)? - self.from;
        Some(place / (self.to - self.from))
    }

    /// The numbers beside the axis.
    pub(crate) fn ticks(&self) -> &[Tick] {
        &self.ticks
    }

    /// The axis with ticks that are at least `least_unit` apart if they are evenly spaced.
    fn with_ticks(mut self, least_unit: f64) -> Self {
        let numbers = if self.log && self.to - self.from > 0.7 {
            ticks::powers(self.from, self.to, self.at_most)
        } else {
            let (low, high) = if self.log {
                (10f64.powf(self.from), 10f64.powf(self.to))
            } else {
                (self.from, self.to)
            };
            let multiples = ticks::multiples(low, high, self.at_most, least_unit);
            let placed = multiples
                .into_iter()
                .filter_map(|(value, text)| Some((scaled(value, self.log)?, text)));
            placed.collect()
        };
        let ticks = numbers.into_iter().filter_map(|(place, text)| {
            let at = (place - self.from) / (self.to - self.from);
            let seen = (-1e-6..=1.0 + 1e-6).contains(&at);
            let at = at.clamp(0.0, 1.0);
            seen.then_some(Tick { at, text })
        });
        self.ticks = ticks.collect();
        self
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
    fn a_whole_axis_has_no_fractions() {
        let whole = |to| Axis::new(0.0, to, false, 5).whole();
        assert_eq!(texts(&whole(1.0)), ["0", "1"]);
        assert_eq!(texts(&whole(3.0)), ["0", "1", "2", "3"]);
        assert_eq!(texts(&whole(100.0)).last(), Some(&"100"));
        assert_eq!(texts(&Axis::new(7.0, 7.0, false, 5).whole()), ["7"]);
        assert!(texts(&Axis::new(0.2, 0.7, false, 5).whole()).is_empty());
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
    fn an_axis_has_no_part_where_no_value_can_be() {
        let axis = |values: &[f64]| {
            let axis = Axis::around(values.iter().copied(), false, 5).rounded(5);
            let axis = axis.within_reason(values, 5);
            (axis.from, axis.to)
        };
        assert_eq!(axis(&[1.0]).1, 1.0);
        assert_eq!(axis(&[0.0]), (0.0, 1.0));
        assert_eq!(axis(&[0.2, 1.0]).1, 1.0);
        assert!(axis(&[1.0, 1.05]).1 > 1.0 && axis(&[-0.1, 0.5]).0 < 0.0);
        assert_eq!(axis(&[]), (0.0, 1.0));
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
