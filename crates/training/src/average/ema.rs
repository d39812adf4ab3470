//! The exponential moving average's constants.

use serde::{Deserialize, Serialize};

use super::error::AverageError;

/// An exponential moving average: `avg = decay * avg + (1 - decay) * weights`.
///
/// The first weights are taken as they are. With a warmup the decay of the average of `n` weights with
/// the next ones is `min(decay, 1 - (1 + n / inv_gamma)^-power)`: early weights, which are bad, are
/// forgotten sooner. `inv_gamma = 1` and `power = 1` give the equal average of all weights until the decay
/// is reached; `power = 2/3` reaches 0.999 after 31 600 updates and suits a million of them, `3/4` reaches it
/// after 10 000.
///
/// ```
/// use burn_lr_training::average::Ema;
///
/// let ema = Ema::new(0.9).with_warmup(1.0, 1.0);
/// let decays: Vec<f64> = [0, 1, 3, 9, 99].map(|n| ema.decay_after(n)).to_vec();
/// assert_eq!(decays, [0.0, 0.5, 0.75, 0.9, 0.9]);
/// assert_eq!(Ema::new(0.9).decay_after(1), 0.9);
/// ```
///
/// # Errors
/// [`check`](Self::check) wants `decay` in `[0, 1)`, and `inv_gamma` and `power` finite and above 0.
///
/// # Source
/// timm's `ModelEmaV3` with `use_warmup`, whose `warmup_gamma` is `inv_gamma`; its update number `step`, from
/// 1, is `n + 1`, and its `update_after_step` is [`Average::after_updates`](super::Average::after_updates).
/// Without warmup, PyTorch's `get_ema_multi_avg_fn`. A decay of 1, which PyTorch accepts, is refused: it is
/// no average.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Ema {
    /// What the average keeps of itself in an update.
    pub decay: f64,
    /// How the decay begins; without, it is the same from the second weights on.
    #[serde(default)]
    pub warmup: Option<EmaWarmup>,
}

/// How the decay of an [`Ema`] grows.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct EmaWarmup {
    /// In updates of the average.
    pub inv_gamma: f64,
    /// The exponent.
    pub power: f64,
}

impl Ema {
    /// One with the same decay from the second weights on.
    pub fn new(decay: f64) -> Self {
        Self {
            decay,
            warmup: None,
        }
    }

    /// Has the decay grow as `1 - (1 + n / inv_gamma)^-power`.
    pub fn with_warmup(mut self, inv_gamma: f64, power: f64) -> Self {
        self.warmup = Some(EmaWarmup { inv_gamma, power });
        self
    }

    /// The decay with which weights join the average of `averaged` earlier ones.
    pub fn decay_after(&self, averaged: u64) -> f64 {
        match (averaged, self.warmup) {
            (0, _) => 0.0,
            (_, None) => self.decay,
            (n, Some(EmaWarmup { inv_gamma, power })) => {
                let grown = 1.0 - (1.0 + n as f64 / inv_gamma).powf(-power);
                grown.min(self.decay)
            }
        }
    }

    /// Whether every constant is in its range.
    ///
    /// # Errors
    /// [`AverageError::Setting`] for the first that is not.
    pub fn check(&self) -> Result<(), AverageError> {
        let setting = |name, expected, found: f64| AverageError::Setting {
            name,
            expected,
            found: found.to_string(),
        };
        if !(0.0..1.0).contains(&self.decay) {
            return Err(setting("decay", "at least 0 and below 1", self.decay));
        }
        let Some(EmaWarmup { inv_gamma, power }) = self.warmup else {
            return Ok(());
        };
        for (name, value) in [("inv_gamma", inv_gamma), ("power", power)] {
            if !(value > 0.0 && value.is_finite()) {
                return Err(setting(name, "finite and above 0", value));
            }
        }
        Ok(())
    }
}

impl From<f64> for Ema {
    fn from(decay: f64) -> Self {
        Self::new(decay)
    }
}
