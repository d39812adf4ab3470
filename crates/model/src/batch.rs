//! The input of a training or validation step.

use burn::tensor::{Int, Tensor};

/// A batch of samples with their classes.
#[derive(Debug, Clone)]
pub struct ClassificationBatch {
    /// The samples, `[batch, features]`, as `f32`.
    pub inputs: Tensor<2>,
    /// The class of each sample, `[batch]`, from 0.
    pub targets: Tensor<1, Int>,
}
