//! Training with [Burn](https://burn.dev)'s Learner: data, schedules, checkpoints and histories.
//!
//! [`Training`] wires a model, data loaders and a schedule into Burn's `SupervisedTraining` with
//! Adam. [`Mnist`] and [`EpochLoader`] supply data whose order depends on the seed and the epoch
//! alone; [`Backend`] picks the device.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod backend;
mod checkpoint;
mod data;
mod epoch_end;
mod error;
mod feedback;
mod files;
mod history;
mod metrics_log;
mod progress;
mod training;

pub use backend::{Backend, BackendError};
pub use checkpoint::{
    Best, Checkpoint, CheckpointError, CheckpointStore, HISTORY, KeepPolicy, MODEL, OPTIM,
    PartCheckpointer, SCHEDULER, Skipped,
};
pub use data::{
    BatchSource, DataError, DatasetSource, EpochLoader, IdxImages, Image, ImageDataset, Mnist,
    bundled_mnist_dir, read_images, read_labels,
};
pub use error::TrainingError;
pub use feedback::{Feedback, FeedbackScheduler, LrState};
pub use history::{EpochRecord, History, Metrics};
pub use progress::Display;
pub use training::{Trained, Training, adam, load_model, save_model};
