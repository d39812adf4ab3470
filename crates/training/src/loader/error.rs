//! What can be wrong with a loader's settings.

/// A [`Sampler`](super::Sampler) that does not fit the samples there are, or a
/// [`Loader`](super::Loader) that a run cannot have.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum LoaderError {
    /// There is not one weight for every sample.
    #[error("weights: expected one for each of {expected} samples, got {found}")]
    NumWeights {
        /// The number of samples.
        expected: usize,
        /// The number of weights.
        found: usize,
    },
    /// A weight that is NaN, infinite or negative.
    #[error("weight {index}: expected a finite number of at least 0, got {found}")]
    Weight {
        /// The sample, from 0.
        index: usize,
        /// Its weight.
        found: f64,
    },
    /// An epoch that cannot have as many samples as it shall have.
    #[error("samples an epoch: expected 1 to {max}, got {found}")]
    Samples {
        /// The greatest number there can be; with weights and without replacement, how many of the
        /// weights are above 0.
        max: usize,
        /// The number asked for.
        found: usize,
    },
    /// There is nothing to draw from.
    #[error("{name}: expected at least one {expected}, got none")]
    Nothing {
        /// What is empty.
        name: &'static str,
        /// Of what there should be one.
        expected: &'static str,
    },
    /// An [`EpochLoader`](super::EpochLoader) has batches of another size than was said.
    #[error("Loader::with_batch_size: expected the EpochLoader's own {expected}, got {found}")]
    BatchSize {
        /// Its own.
        expected: usize,
        /// The one that was said.
        found: usize,
    },
    /// A replayable loader that a run has had already, and whose generator has moved on.
    #[error(
        "loader: expected one that no run has had, got one that another has moved on: have one made for \
         every run by Loader::replayable_by"
    )]
    Spent,
}
