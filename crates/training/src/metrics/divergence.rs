//! A loss that is not finite.

use crate::TrainingError;

/// A training loss that is not finite.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Divergence {
    pub epoch: usize,
    pub iteration: usize,
    pub loss: f64,
}

impl From<Divergence> for TrainingError {
    fn from(divergence: Divergence) -> Self {
        let Divergence {
            epoch,
            iteration,
            loss,
        } = divergence;
        Self::Diverged {
            epoch,
            iteration: Some(iteration),
            loss,
        }
    }
}
