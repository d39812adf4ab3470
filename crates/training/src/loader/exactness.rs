//! Whether the epochs of a loader can be had again.

/// Whether a loader started at a later epoch gives the very batches that it would have given had
/// it run through the epochs before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Exactness {
    /// It does: every batch is a function of the seed and the epoch.
    Exact,
    /// It may or may not, for this reason, which says what to do about it.
    Unknown(&'static str),
}
