//! Checkpoints that survive whatever ends a run.
//!
//! ```text
//! checkpoint/epoch-0003/{model.bpk, optim.bpk, scheduler.bpk, history.json, burn-lr.json, manifest.json}
//!                       and average.bpk, average.json of a run that averages its weights, or whose optimizer does
//! checkpoint/epoch-0004.tmp/      being written, or left by a run that was killed
//! checkpoint/epoch-0001.deleted/  being deleted, or left by a run that was killed
//! checkpoint/epoch-0004.aside-1/  what was found where a checkpoint was to go
//! within-epoch/update-3500/       the newest within an epoch, of a run that makes such: within.json too
//! ```
//!
//! A checkpoint is written into a directory of its own, which gets its final name when everything
//! in it, the manifest last, has reached the disk. So each checkpoint is there as a whole or not at
//! all, and none depends on a file outside it: a single list of all checkpoints would be one more
//! file to lose, and the one that takes all others with it. The manifest holds length and SHA-256
//! of each file and a checksum of itself, so whatever happened to a file later is noticed.

mod directory;
mod handover;
mod inherit;
mod keep;
mod manifest;
mod moment;
mod part;
mod prune;
mod read;
mod save;
mod snapshot;
mod store;
mod strict_scheduler;

pub(crate) use directory::saved_epochs;
pub(crate) use handover::Handover;
pub use keep::KeepPolicy;
pub(crate) use moment::Moment;
pub use part::PartCheckpointer;
pub use read::{Checkpoint, Skipped};
pub use snapshot::{Snapshot, SnapshotError};
pub use store::CheckpointStore;
pub use strict_scheduler::StrictScheduler;

/// The part of a checkpoint that holds the model's parameters.
pub const MODEL: &str = "model.bpk";
/// The part of a checkpoint that holds the optimizer's state.
pub const OPTIM: &str = "optim.bpk";
/// The part of a checkpoint that holds the schedulers' state.
pub const SCHEDULER: &str = "scheduler.bpk";
/// The part of a checkpoint that holds the metrics of all epochs so far.
pub const HISTORY: &str = "history.json";
/// The part of a checkpoint that holds the configuration of the run.
pub const CONFIG: &str = "burn-lr.json";
/// The part of a checkpoint that holds the averaged model, of a run that averages its weights.
pub const AVERAGE: &str = "average.bpk";
/// The part of a checkpoint that holds how far the average has come.
pub const AVERAGE_PROGRESS: &str = "average.json";

/// The part of a checkpoint within an epoch that holds how far the epoch has come.
pub(crate) const WITHIN: &str = "within.json";

/// The part of a branch's first checkpoint that holds the model so many epochs before, for a mean of the
/// last ones.
pub(crate) fn earlier_model(epochs: usize) -> String {
    format!("model-{epochs}-before.bpk")
}

/// The parts of a run's checkpoints.
pub(crate) const PARTS: [&str; 5] = [MODEL, OPTIM, SCHEDULER, HISTORY, CONFIG];
/// The parts of those within an epoch.
pub(crate) const PARTS_WITHIN: [&str; 6] = [MODEL, OPTIM, SCHEDULER, HISTORY, CONFIG, WITHIN];
/// Those that are there too if the run averages its weights.
pub(crate) const AVERAGE_PARTS: [&str; 2] = [AVERAGE, AVERAGE_PROGRESS];
