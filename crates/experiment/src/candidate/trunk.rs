//! What a candidate branches off.

use serde::{Deserialize, Serialize};

/// The candidate that another one [branches off](crate::Candidate::branch), and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Trunk {
    /// The name of the candidate that is branched off.
    pub of: String,
    /// The end of an epoch, or of a period, of it.
    pub at: BranchPoint,
}

/// Where a candidate branches off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum BranchPoint {
    /// After that epoch, or that period of a training that is measured in updates.
    Epoch(usize),
    /// After so many updates.
    Update(u64),
}
