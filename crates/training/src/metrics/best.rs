//! What makes an epoch the best.

use burn_lr_scheduler::Mode;
use serde::{Deserialize, Serialize};

use super::history::History;
use super::record::EpochRecord;
use crate::key::MetricKey;

/// What makes an epoch, and its checkpoint, the best: the least or the greatest value of a metric.
/// A value that is NaN or infinite is never the best one.
///
/// ```
/// use burn_lr_training::metrics::{Best, valid};
///
/// let by_loss = Best::min(valid("loss"));
/// let by_accuracy = Best::max(valid("accuracy"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Best {
    /// The metric.
    pub metric: MetricKey,
    /// Whether smaller or larger is better.
    pub mode: Mode,
}

impl Best {
    /// The best is the one with the least value.
    pub fn min(metric: MetricKey) -> Self {
        let mode = Mode::Min;
        Self { metric, mode }
    }

    /// The best is the one with the greatest value.
    pub fn max(metric: MetricKey) -> Self {
        let mode = Mode::Max;
        Self { metric, mode }
    }

    /// Whether `value` is better than the best so far. What is NaN or infinite never is, and any
    /// other value is better than none.
    pub fn improves(&self, value: f64, best: Option<f64>) -> bool {
        let is_better = match (best, self.mode) {
            (None, _) => true,
            (Some(best), Mode::Min) => value < best,
            (Some(best), Mode::Max) => value > best,
        };
        value.is_finite() && is_better
    }

    /// The best epoch of `history`, the first of several, if any has a finite value.
    pub fn of<'a>(&self, history: &'a History) -> Option<&'a EpochRecord> {
        let mut best: Option<(&EpochRecord, f64)> = None;
        for epoch in &history.epochs {
            let value = epoch.get(&self.metric).unwrap_or(f64::NAN);
            if self.improves(value, best.map(|(_, value)| value)) {
                best = Some((epoch, value));
            }
        }
        best.map(|(epoch, _)| epoch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::valid;

    #[test]
    fn what_is_not_finite_is_never_the_best() {
        for best in [Best::min(valid("r2")), Best::max(valid("r2"))] {
            for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
                assert!(!best.improves(value, None) && !best.improves(value, Some(0.5)));
            }
            assert!(best.improves(0.5, None) && !best.improves(0.5, Some(0.5)));
        }
    }
}
