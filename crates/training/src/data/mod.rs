//! Data: a loader whose order depends on the seed and epoch alone.

mod loader;
mod prefetch;
mod replay;

pub use loader::{BatchSource, DatasetSource, EpochLoader};
pub(crate) use replay::Replay;
