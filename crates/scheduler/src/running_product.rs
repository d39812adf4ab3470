//! The product of a closure's factors, remembered so that the next step costs one call.

use std::sync::{Mutex, PoisonError};

use crate::closure::Closure;
use crate::held::held;

/// The step from which the product holds, so that no jump takes for ever.
pub(crate) const HORIZON: u64 = 1 << 24;

/// `initial_lr * factor(1) * ... * factor(step)`. Every clone remembers on its own.
pub(crate) struct RunningProduct {
    initial_lr: f64,
    factor: Closure,
    last: Mutex<Last>,
}

/// Two neighbouring values: looking ahead one step and back again costs nothing.
#[derive(Clone, Copy)]
struct Last {
    step: u64,
    lr: f64,
    lr_before: f64,
}

impl Last {
    fn start(initial_lr: f64) -> Self {
        Self {
            step: 0,
            lr: initial_lr,
            lr_before: initial_lr,
        }
    }
}

impl RunningProduct {
    pub(crate) fn new(initial_lr: f64, factor: Closure) -> Self {
        Self {
            initial_lr,
            factor,
            last: Mutex::new(Last::start(initial_lr)),
        }
    }

    pub(crate) fn at(&self, step: u64) -> f64 {
        let step = step.min(HORIZON);
        // The lock is not held while the closure runs: it may panic, or ask this very curve.
        let mut last = self.last();
        if step + 1 == last.step {
            return last.lr_before;
        }
        if step < last.step {
            last = Last::start(self.initial_lr);
        }
        // A product of 0 stays 0.
        while last.step < step && last.lr > 0.0 {
            let lr = last.lr * self.factor.call(last.step + 1);
            last = Last {
                step: last.step + 1,
                lr: held(lr),
                lr_before: last.lr,
            };
        }
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = last;
        last.lr
    }

    fn last(&self) -> Last {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clone for RunningProduct {
    fn clone(&self) -> Self {
        Self {
            initial_lr: self.initial_lr,
            factor: self.factor.clone(),
            last: Mutex::new(self.last()),
        }
    }
}
