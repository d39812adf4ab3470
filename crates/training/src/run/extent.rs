//! How long a run and its periods are said to be.

use serde::{Deserialize, Serialize};

/// How long a period of a run is: training, then validation, plateaus, the history's record and a
/// checkpoint. By default it is an epoch of the training data.
///
/// `200.into()` is 200 updates.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Period {
    /// Optimizer updates.
    Updates(u64),
    /// Training samples; a period ends with the update that reaches them.
    Samples(u64),
    /// Epochs of the training data, or a share of one; a period ends with the update that reaches it.
    Epochs(f64),
}

impl From<u64> for Period {
    fn from(updates: u64) -> Self {
        Self::Updates(updates)
    }
}

/// How long a run is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Extent {
    Epochs(usize),
    Updates(u64),
    Samples(u64),
}

/// What is known of an epoch of the training data.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct DataEpoch {
    pub batches: u64,
    pub batch_size: Option<u64>,
    pub samples: u64,
}
