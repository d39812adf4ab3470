//! Training with [Burn](https://burn.dev)'s Learner: data, schedules, checkpoints and histories.
//!
//! [`Training`] wires a model, data loaders and a schedule into Burn's `SupervisedTraining` with
//! Adam. [`Mnist`] and [`EpochLoader`] supply data whose order depends on the seed and the epoch
//! alone; [`Backend`] picks the device. [`Experiment`] trains the same model under several schedules
//! and seeds, [`Search`] looks for one that meets a target, and [`LrFinder`] for a learning rate to
//! begin with.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod backend;
mod checkpoint;
mod checksum;
mod data;
mod early_stopping;
mod epoch_end;
mod error;
pub mod evaluate;
mod experiment;
mod feedback;
mod files;
mod fit;
mod fused_adam;
mod history;
pub mod loader;
mod lock;
mod lr_finder;
mod metrics_log;
mod model_file;
mod notices;
mod observer;
#[cfg(feature = "report")]
pub mod plot;
mod progress;
#[cfg(feature = "report")]
mod report;
mod resume;
mod run_config;
mod training;

pub use backend::{Backend, BackendError};
pub use checkpoint::{
    Best, CONFIG, Checkpoint, CheckpointError, CheckpointStore, HISTORY, KeepPolicy, MODEL, OPTIM,
    PartCheckpointer, SCHEDULER, Skipped,
};
pub use data::{
    DataError, GreyImage, IdxImages, Image, ImageDataset, MNIST_PIXELS, Mnist, bundled_mnist_dir,
    image_tensor, read_images, read_labels,
};
#[cfg(feature = "png")]
pub use data::{PngError, read_png, read_png_digit};
pub use early_stopping::EarlyStopping;
pub use error::TrainingError;
pub use experiment::{
    At, BaseError, Budget, Candidate, Choice, Comparison, Draw, Experiment, ExperimentError,
    Figures, Found, Measure, Outcome, Results, Search, Stat, Summary, Target, Tested, Trial,
    Verdict, catalogue,
};
pub use feedback::{Feedback, FeedbackScheduler, LrCut, LrState};
pub use fused_adam::fused_adam;
pub use history::{EpochRecord, History, Metrics};
pub use loader::{BatchSource, DatasetSource, EpochLoader};
pub use lr_finder::{LrFinder, LrFinderError, LrPoint, LrSweep, SweepEnd};
pub use model_file::{load_model, save_model};
pub use observer::PlateauObserver;
pub use progress::Display;
#[cfg(feature = "report")]
pub use report::Report;
pub use training::{Trained, Training, adam};
