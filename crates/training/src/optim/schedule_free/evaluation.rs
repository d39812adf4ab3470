//! Whether weights are asked for that are to be evaluated.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use burn::tensor::Tensor;

use super::weighting::lerp;

/// What the optimizers of all parameters of a run are asked for: an update, or, within
/// [`during`](Self::during), the weights to be evaluated. Clones are one and the same.
#[derive(Debug, Clone, Default)]
pub(in crate::optim) struct Evaluation(Arc<AtomicBool>);

impl Evaluation {
    pub(in crate::optim) fn is_on(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Has the optimizers that `ask` steps give the weights to be evaluated, with their states as they are.
    pub(in crate::optim) fn during<T>(&self, ask: impl FnOnce() -> T) -> T {
        // Also if it panics.
        struct Off<'a>(&'a AtomicBool);
        impl Drop for Off<'_> {
            fn drop(&mut self) {
                self.0.store(false, Ordering::Relaxed);
            }
        }
        self.0.store(true, Ordering::Relaxed);
        let _off = Off(&self.0);
        ask()
    }
}

/// The weights to be evaluated, `x`, where `y` are trained on.
pub(super) fn evaluated<const D: usize>(
    y: Tensor<D>,
    z: Option<Tensor<D>>,
    beta: f64,
) -> Tensor<D> {
    match z {
        Some(z) => lerp(y, z, 1.0 - 1.0 / beta),
        // Nothing was updated, so that all of them are the same.
        None => y,
    }
}
