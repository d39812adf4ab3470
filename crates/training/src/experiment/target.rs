//! The target of an experiment.

use serde::Serialize;

use crate::history::EpochRecord;

/// Validation accuracy to be reached with training accuracy below a bound, both as fractions.
///
/// The running experiment's is the default: at least 0.90 with less than 0.95.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Target {
    /// The least validation accuracy.
    pub min_valid_accuracy: f64,
    /// The bound that training accuracy must stay below.
    pub max_train_accuracy: f64,
}

impl Default for Target {
    fn default() -> Self {
        Self {
            min_valid_accuracy: 0.90,
            max_train_accuracy: 0.95,
        }
    }
}

impl Target {
    /// Whether both accuracies meet the target; NaN does not.
    pub fn is_met(&self, train_accuracy: f64, valid_accuracy: f64) -> bool {
        valid_accuracy >= self.min_valid_accuracy && train_accuracy < self.max_train_accuracy
    }

    /// Whether the epoch meets the target.
    pub fn is_met_by(&self, epoch: &EpochRecord) -> bool {
        self.is_met(epoch.train("accuracy"), epoch.valid("accuracy"))
    }

    /// How far the accuracies are from the target: 0 if neither bound is missed, otherwise by how
    /// much the two are missed together.
    pub fn distance(&self, train_accuracy: f64, valid_accuracy: f64) -> f64 {
        let below = (self.min_valid_accuracy - valid_accuracy).max(0.0);
        let above = (train_accuracy - self.max_train_accuracy).max(0.0);
        match train_accuracy.is_nan() || valid_accuracy.is_nan() {
            true => f64::INFINITY,
            false => below + above,
        }
    }
}

/// Whether a candidate meets the target.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Verdict {
    /// Whether it does under each seed whose trial was completed.
    pub per_seed: Vec<(u64, bool)>,
    /// Whether it does under all of them, none having failed.
    pub every_seed: bool,
    /// Whether the means over the seeds do.
    pub mean: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bounds_are_reached_from_above_and_kept_from_below() {
        let target = Target::default();
        assert!(target.is_met(0.949, 0.90));
        assert!(!target.is_met(0.95, 0.90));
        assert!(!target.is_met(0.94, 0.899));
        assert!(!target.is_met(f64::NAN, 0.95));
        assert_eq!(target.distance(0.94, 0.92), 0.0);
        assert!((target.distance(0.97, 0.88) - 0.04).abs() < 1e-12);
        assert_eq!(target.distance(f64::NAN, 0.92), f64::INFINITY);
    }
}
