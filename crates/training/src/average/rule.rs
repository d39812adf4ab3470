//! How weights join an average.

use serde::{Deserialize, Serialize};

use super::ema::Ema;
use super::error::AverageError;

/// How weights join the average of those before.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Rule {
    /// The newest ones count most.
    Ema(Ema),
    /// All count the same: stochastic weight averaging.
    Equal,
}

impl Rule {
    /// The share of weights that join the average of `averaged` earlier ones; 1 for the first.
    ///
    /// ```
    /// use burn_lr_training::average::{Ema, Rule};
    ///
    /// assert_eq!([0, 1, 2].map(|n| Rule::Equal.share_after(n)), [1.0, 0.5, 1.0 / 3.0]);
    /// assert_eq!([0, 1, 2].map(|n| Rule::Ema(Ema::new(0.75)).share_after(n)), [1.0, 0.25, 0.25]);
    /// ```
    pub fn share_after(&self, averaged: u64) -> f64 {
        match self {
            Self::Ema(ema) => 1.0 - ema.decay_after(averaged),
            Self::Equal => 1.0 / (averaged as f64 + 1.0),
        }
    }

    /// Whether every constant is in its range.
    ///
    /// # Errors
    /// What [`Ema::check`] says.
    pub fn check(&self) -> Result<(), AverageError> {
        match self {
            Self::Ema(ema) => ema.check(),
            Self::Equal => Ok(()),
        }
    }
}

impl From<Ema> for Rule {
    fn from(ema: Ema) -> Self {
        Self::Ema(ema)
    }
}
