//! The product of a closure's factors, remembered so that the next step costs one call.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::closure::Closure;
use crate::held::held;

/// The step from which the product holds, so that no jump takes for ever.
pub(crate) const HORIZON: u64 = 1 << 24;

/// `initial_lr * factor(1) * ... * factor(step)`. Every clone remembers on its own.
pub(crate) struct RunningProduct {
    initial_lr: f64,
    factor: Closure,
    last: Mutex<Last>,
    /// The step after the last one. A hint: what is remembered counts.
    next: AtomicU64,
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

    /// The step after this one.
    fn times(self, factor: f64) -> Self {
        Self {
            step: self.step + 1,
            lr: held(self.lr * factor),
            lr_before: self.lr,
        }
    }

    /// The step to come, if its factor will matter: a product of 0 stays 0.
    fn next(&self) -> u64 {
        if self.lr > 0.0 {
            self.step + 1
        } else {
            u64::MAX
        }
    }
}

impl RunningProduct {
    pub(crate) fn new(initial_lr: f64, factor: Closure) -> Self {
        Self {
            initial_lr,
            factor,
            last: Mutex::new(Last::start(initial_lr)),
            next: AtomicU64::new(1),
        }
    }

    pub(crate) fn at(&self, step: u64) -> f64 {
        let step = step.min(HORIZON);
        // The lock is not held while the closure runs: it may panic, or ask this very curve. As steps mostly
        // follow each other, a factor is usually known before the lock is taken, which costs more than the rest.
        if step == self.next.load(Ordering::Relaxed) {
            let factor = self.factor.call(step);
            let mut last = self.last();
            if step == last.next() {
                *last = last.times(factor);
                self.next.store(last.next(), Ordering::Relaxed);
                return last.lr;
            }
        }
        let mut last = *self.last();
        if step == last.step {
            return last.lr;
        }
        if step + 1 == last.step {
            return last.lr_before;
        }
        if step < last.step {
            last = Last::start(self.initial_lr);
        }
        while last.next() <= step {
            last = last.times(self.factor.call(last.next()));
        }
        *self.last() = last;
        self.next.store(last.next(), Ordering::Relaxed);
        last.lr
    }

    fn last(&self) -> MutexGuard<'_, Last> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clone for RunningProduct {
    fn clone(&self) -> Self {
        let last = *self.last();
        Self {
            initial_lr: self.initial_lr,
            factor: self.factor.clone(),
            next: AtomicU64::new(last.next()),
            last: Mutex::new(last),
        }
    }
}
