//! What a scheduler says to an optimizer beside the learning rate.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::super::hyperparameter::Hyperparameter;

/// The hyperparameters of one optimizer that schedules drive; clones are one and the same.
#[derive(Debug, Clone)]
pub(crate) struct Dial(Arc<[AtomicU64; Hyperparameter::ALL.len()]>);

/// One of the hyperparameters of a [`Dial`].
#[derive(Debug, Clone)]
pub(crate) struct Knob {
    dial: Dial,
    of: Hyperparameter,
}

/// What the hyperparameters are to be; nothing for those that stay as they are.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Values {
    pub momentum: Option<f64>,
    pub beta_2: Option<f64>,
    pub weight_decay: Option<f64>,
}

impl Default for Dial {
    fn default() -> Self {
        // No hyperparameter is ever NaN.
        Self(Arc::new(std::array::from_fn(|_| {
            AtomicU64::new(f64::NAN.to_bits())
        })))
    }
}

impl Dial {
    pub fn knob(&self, of: Hyperparameter) -> Knob {
        let dial = self.clone();
        Knob { dial, of }
    }

    pub fn values(&self) -> Values {
        let value = |of: Hyperparameter| {
            let value = f64::from_bits(self.0[of as usize].load(Ordering::Relaxed));
            (!value.is_nan()).then_some(value)
        };
        Values {
            momentum: value(Hyperparameter::Momentum),
            beta_2: value(Hyperparameter::Beta2),
            weight_decay: value(Hyperparameter::WeightDecay),
        }
    }
}

impl Knob {
    /// Has the optimizer go on with `value`, or stay as it is if that cannot be.
    pub fn set(&self, value: f64) {
        if self.of.admits(value) {
            self.dial.0[self.of as usize].store(value.to_bits(), Ordering::Relaxed);
        } else {
            let (of, expected) = (self.of, self.of.expected());
            log::error!("{of}: expected {expected}, found {value}: it stays as it was");
        }
    }

    /// Has the optimizer go on with `value`, or with its config's if there is none.
    pub fn set_or_release(&self, value: Option<f64>) {
        match value {
            Some(value) => self.set(value),
            None => self.dial.0[self.of as usize].store(f64::NAN.to_bits(), Ordering::Relaxed),
        }
    }

    pub fn of(&self) -> Hyperparameter {
        self.of
    }
}

impl Values {
    pub fn get(&self, of: Hyperparameter) -> Option<f64> {
        match of {
            Hyperparameter::Momentum => self.momentum,
            Hyperparameter::Beta2 => self.beta_2,
            Hyperparameter::WeightDecay => self.weight_decay,
        }
    }
}
