//! What schedules can drive in an optimizer beside the learning rate.

use std::fmt;

use burn_lr_scheduler::Scheduler;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::error::OptimError;

/// A setting of an optimizer that a schedule can drive.
///
/// ```
/// use burn_lr_training::optim::Hyperparameter;
///
/// assert_eq!(Hyperparameter::WeightDecay.to_string(), "weight_decay");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Hyperparameter {
    /// The momentum of SGD, RMSprop and Muon, beta 1 of those of Adam's kind; in [0, 1).
    ///
    /// PyTorch's SGD forgets its velocity whenever its momentum is 0, and begins with the next gradient; here it is
    /// what a momentum that goes to 0 makes of it, that gradient.
    Momentum,
    /// Beta 2; in [0, 1).
    #[serde(rename = "beta_2")]
    Beta2,
    /// The weight decay; 0 or more.
    WeightDecay,
}

impl Hyperparameter {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Momentum, Self::Beta2, Self::WeightDecay];

    /// Its name, as documents and histories use it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Momentum => "momentum",
            Self::Beta2 => "beta_2",
            Self::WeightDecay => "weight_decay",
        }
    }

    /// What its value must be, in words.
    pub(super) fn expected(self) -> &'static str {
        match self {
            Self::Momentum | Self::Beta2 => "in [0, 1)",
            Self::WeightDecay => "0 or more and finite",
        }
    }

    /// Whether it may be `value`.
    pub(super) fn admits(self, value: f64) -> bool {
        match self {
            // As an `f32` too, which Burn's optimizers take it as.
            Self::Momentum | Self::Beta2 => value >= 0.0 && (value as f32) < 1.0,
            Self::WeightDecay => (0.0..f64::from(f32::MAX)).contains(&value),
        }
    }

    /// Whether a schedule of it stays in its range: at every update of the run, or at a hundred thousand of them,
    /// whatever its plateaus raise.
    ///
    /// # Errors
    /// [`OptimError::Schedule`] for the first value that does not.
    pub(crate) fn check(self, scheduler: &Scheduler) -> Result<(), OptimError> {
        const LOOKED_AT: u64 = 100_000;
        let run = scheduler.run();
        let by_epochs = || run.epochs()?.checked_mul(run.updates_per_epoch()?);
        let updates = run.updates().or_else(by_epochs).unwrap_or(LOOKED_AT);
        let mut scheduler = scheduler.clone();
        for number in 0..updates.min(LOOKED_AT) {
            let update =
                u128::from(number) * u128::from(updates) / u128::from(updates.min(LOOKED_AT));
            scheduler.seek(u64::try_from(update).unwrap_or(u64::MAX));
            let values = [scheduler.lr(), scheduler.highest_lr()];
            if let Some(found) = values.into_iter().find(|&value| !self.admits(value)) {
                return Err(OptimError::Schedule {
                    of: self.name(),
                    expected: self.expected(),
                    update: scheduler.updates(),
                    found,
                });
            }
        }
        Ok(())
    }

    /// Its place in the settings of one of Burn's optimizers, if they have it.
    pub(super) fn place(self, settings: &Value) -> Option<&'static str> {
        let places: &[&str] = match self {
            Self::Momentum => &["/beta_1", "/momentum/momentum", "/momentum"],
            Self::Beta2 => &["/beta_2"],
            Self::WeightDecay => &["/weight_decay/penalty", "/weight_decay"],
        };
        let has = |place: &&&str| settings.pointer(place).is_some_and(Value::is_number);
        places.iter().find(has).copied()
    }
}

impl fmt::Display for Hyperparameter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
