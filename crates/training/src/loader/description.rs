//! What decides the batches of a loader, as a run's configuration keeps it.

use serde::Serialize;

use super::sampler::Sampler;

/// What is known of what decides the batches of a loader; what is not known is left out.
///
/// A run that is resumed with a loader of another description would see other batches.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct LoaderDescription {
    /// How many samples an epoch visits.
    pub samples: usize,
    /// How many samples make a batch, but for the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub batch_size: Option<usize>,
    /// How many batches make an epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub batches: Option<usize>,
    /// Whether a short last batch is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drop_last: Option<bool>,
    /// How many samples there are to draw from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub available: Option<usize>,
    /// How they are drawn.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sampler: Option<Sampler>,
    /// The seed of the samples' own generators, if it is not the sampler's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sample_seed: Option<u64>,
    /// The number of the first epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_epoch: Option<u64>,
    /// What the data are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
}
