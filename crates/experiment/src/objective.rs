//! What makes a candidate better than another one.

use std::fmt;

use burn_lr_scheduler::Mode;
use burn_lr_training::metrics::{Best, EpochRecord, MetricKey, valid};
use serde::Serialize;

use crate::bound::{Bound, Side};

/// A metric whose least or greatest value is wanted, and bounds that other metrics shall keep.
///
/// ```
/// use burn_lr_experiment::Objective;
/// use burn_lr_training::metrics::{train, valid};
///
/// let perplexity = Objective::min(valid("perplexity"));
/// let fits = Objective::max(valid("accuracy"))
///     .at_least(valid("accuracy"), 0.90)
///     .below(train("accuracy"), 0.95);
/// assert_eq!(
///     fits.to_string(),
///     "the greatest valid_accuracy, with valid_accuracy at least 0.9 and train_accuracy below 0.95"
/// );
/// ```
///
/// A value that is NaN or infinite is never the best one. The least validation loss without bounds is
/// the default.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Objective {
    #[serde(flatten)]
    best: Best,
    bounds: Vec<Bound>,
}

impl Default for Objective {
    fn default() -> Self {
        Self::min(valid("loss"))
    }
}

impl Objective {
    /// The less of the metric, the better.
    pub fn min(metric: MetricKey) -> Self {
        Self::of(Best::min(metric))
    }

    /// The more of the metric, the better.
    pub fn max(metric: MetricKey) -> Self {
        Self::of(Best::max(metric))
    }

    fn of(best: Best) -> Self {
        let bounds = Vec::new();
        Self { best, bounds }
    }

    /// Wants the metric to be `value` or more.
    pub fn at_least(self, metric: MetricKey, value: f64) -> Self {
        self.bound(metric, Side::AtLeast, value)
    }

    /// Wants the metric to be more than `value`.
    pub fn above(self, metric: MetricKey, value: f64) -> Self {
        self.bound(metric, Side::Above, value)
    }

    /// Wants the metric to be `value` or less.
    pub fn at_most(self, metric: MetricKey, value: f64) -> Self {
        self.bound(metric, Side::AtMost, value)
    }

    /// Wants the metric to be less than `value`.
    pub fn below(self, metric: MetricKey, value: f64) -> Self {
        self.bound(metric, Side::Below, value)
    }

    fn bound(mut self, metric: MetricKey, side: Side, value: f64) -> Self {
        self.bounds.push(Bound {
            metric,
            side,
            value,
        });
        self
    }

    /// The metric and its direction.
    pub fn best(&self) -> &Best {
        &self.best
    }

    /// Whether there are bounds.
    pub fn is_bounded(&self) -> bool {
        !self.bounds.is_empty()
    }

    pub(crate) fn bounds(&self) -> &[Bound] {
        &self.bounds
    }

    /// The metrics that are asked for.
    pub(crate) fn metrics(&self) -> impl Iterator<Item = &MetricKey> {
        let bounds = self.bounds.iter().map(|bound| &bound.metric);
        std::iter::once(&self.best.metric).chain(bounds)
    }

    /// Whether the values that `of` gives keep all bounds; what is missing or NaN keeps none.
    pub fn is_met(&self, of: impl Fn(&MetricKey) -> Option<f64>) -> bool {
        self.bounds
            .iter()
            .all(|bound| of(&bound.metric).is_some_and(|value| bound.holds(value)))
    }

    /// Whether the epoch keeps all bounds.
    pub fn is_met_by(&self, epoch: &EpochRecord) -> bool {
        self.is_met(|metric| epoch.get(metric))
    }

    /// How far the epoch is from keeping all bounds: the sum of what each is missed by, as a share of
    /// its value, so that an accuracy and a loss can be added; a bound of 0 is missed by as much as it
    /// says. 0 if none is missed, infinite if a metric is missing or NaN. A strict bound is missed by 0
    /// at its very value: whether all are kept, [`is_met_by`](Self::is_met_by) tells.
    ///
    /// A validation accuracy of 0.81 misses a bound of 0.90 by 0.1.
    pub fn distance(&self, epoch: &EpochRecord) -> f64 {
        let missed = |bound: &Bound| bound.missed_by(epoch.get(&bound.metric).unwrap_or(f64::NAN));
        self.bounds.iter().map(missed).sum()
    }

    /// The value such that the least one is the best; infinite for what is not finite.
    pub(crate) fn cost(&self, value: f64) -> f64 {
        if !value.is_finite() {
            return f64::INFINITY;
        }
        match self.best.mode {
            Mode::Min => value,
            Mode::Max => -value,
        }
    }
}

impl fmt::Display for Objective {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let extreme = match self.best.mode {
            Mode::Min => "least",
            Mode::Max => "greatest",
        };
        write!(formatter, "the {extreme} {}", self.best.metric)?;
        for (number, bound) in self.bounds.iter().enumerate() {
            let before = if number == 0 { ", with" } else { " and" };
            write!(formatter, "{before} {bound}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use burn_lr_training::metrics::train;

    use super::*;

    fn epoch(train: f64, valid: f64) -> EpochRecord {
        let mut epoch = EpochRecord::new(1);
        epoch.train.insert("accuracy".to_owned(), train);
        epoch.valid.insert("accuracy".to_owned(), valid);
        epoch
    }

    #[test]
    fn bounds_are_reached_from_above_and_kept_from_below() {
        let objective = Objective::max(valid("accuracy"))
            .at_least(valid("accuracy"), 0.90)
            .below(train("accuracy"), 0.95);
        let met = |train, valid| objective.is_met_by(&epoch(train, valid));
        assert!(met(0.949, 0.90));
        assert!(!met(0.95, 0.90));
        assert!(!met(0.94, 0.899));
        assert!(!met(f64::NAN, 0.95));
        let distance = |train, valid| objective.distance(&epoch(train, valid));
        assert_eq!(distance(0.94, 0.92), 0.0);
        assert!((distance(0.969, 0.81) - (0.1 + 0.02)).abs() < 1e-12);
        assert_eq!(distance(f64::NAN, 0.92), f64::INFINITY);
        assert_eq!(objective.distance(&EpochRecord::new(1)), f64::INFINITY);
    }

    #[test]
    fn every_side_of_a_bound_means_what_it_says() {
        let objective = || Objective::min(train("accuracy"));
        let key = || train("accuracy");
        let sides = [
            (objective().at_least(key(), 0.5), [false, true, true]),
            (objective().above(key(), 0.5), [false, false, true]),
            (objective().at_most(key(), 0.5), [true, true, false]),
            (objective().below(key(), 0.5), [true, false, false]),
        ];
        for (objective, expected) in sides {
            let met = [0.4, 0.5, 0.6].map(|value| objective.is_met_by(&epoch(value, 0.0)));
            assert_eq!(met, expected, "{objective}");
        }
        // A bound of 0 and a negative one.
        let at_most = |bound| objective().at_most(key(), bound).distance(&epoch(0.5, 0.0));
        assert_eq!(at_most(0.0), 0.5);
        assert_eq!(at_most(-2.0), 1.25);
    }

    #[test]
    fn without_bounds_nothing_is_missed() {
        let objective = Objective::default();
        assert!(!objective.is_bounded() && objective.is_met_by(&EpochRecord::new(1)));
        assert_eq!(objective.distance(&EpochRecord::new(1)), 0.0);
        assert_eq!(objective.to_string(), "the least valid_loss");
        for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(objective.cost(value), f64::INFINITY);
            assert_eq!(Objective::max(valid("r2")).cost(value), f64::INFINITY);
        }
        assert!(Objective::max(valid("r2")).cost(0.9) < Objective::max(valid("r2")).cost(0.1));
    }
}
