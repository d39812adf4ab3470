//! Where a run comes from that began at a checkpoint of another.

use serde::{Deserialize, Serialize};

/// What a branch may have otherwise than the run it comes from. Its model, its data and how many
/// batches make an update stay, or its checkpoint would be of something else; so do its groups, but for
/// what they set.
const MAY_CHANGE: [&str; 9] = [
    "average",
    "every",
    "seeded",
    "schedule",
    "scheduled",
    "optimizer",
    "clip_gradients",
    "non_finite",
    "observed",
];

/// The checkpoint that a run [branched off](crate::Training::branch), and what was set otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Lineage {
    /// The directory of the run that it branched off, as it was given.
    pub parent: String,
    /// The epoch after which that was, or the period of a run that is measured in updates.
    pub epoch: usize,
    /// The updates that had been made.
    pub updates: u64,
    /// The SHA-256 of the checkpoint's manifest.
    pub sha256: String,
    /// What was set otherwise than in the parent.
    pub changes: Vec<SettingChange>,
}

/// A setting that a branch has otherwise than the run it comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SettingChange {
    /// Its place, as in `optimizer.Adam.epsilon`.
    pub field: String,
    /// What it was, as JSON.
    pub from: String,
    /// What it is.
    pub to: String,
}

impl SettingChange {
    /// The change of the setting at `field`.
    pub(crate) fn new(field: String, from: String, to: String) -> Self {
        Self { field, from, to }
    }
}

/// Whether a branch may have `field` otherwise, wherever its groups are not in question.
pub(crate) fn may_be_a_branchs(field: &str) -> bool {
    MAY_CHANGE.contains(&field.split('.').next().unwrap_or_default())
}
