//! Training runs followed by [`TensorBoard`] and by a [live web page](LivePage).
//!
//! Both are [trackers](burn_lr_training::track::Tracker) of a [`Training`]; [`Follow`] sets them in a line:
//!
//! ```no_run
//! # use burn::train::LearnerModel;
//! # use burn_lr_training::Training;
//! use burn_lr_tracking::Follow;
//!
//! # fn followed<M: LearnerModel>(training: Training<M>) -> Training<M> {
//! training
//!     .tensorboard("artifacts/tensorboard/run-001")
//!     .watch("artifacts/run-001/run.html")
//! # }
//! ```
//!
//! Burn's own Learner has TensorBoard by [`TensorBoardLogger`], and a run of which nothing but its
//! directory is left becomes a page by [`RunPage`].

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod page;
mod settings;
mod tensorboard;

use std::path::Path;

use burn::train::LearnerModel;
use burn_lr_training::Training;
pub use page::{LivePage, RunPage, Status};
pub use settings::settings;
pub use tensorboard::{TensorBoard, TensorBoardLogger};

/// What follows a [`Training`], each set by a line.
pub trait Follow {
    /// Writes the run for [`TensorBoard`] into `directory`.
    fn tensorboard(self, directory: impl AsRef<Path>) -> Self;

    /// Follows the run by a [page](LivePage) at `path`, such as `run.html` in the run's directory.
    fn watch(self, path: impl AsRef<Path>) -> Self;
}

impl<M: LearnerModel> Follow for Training<M> {
    fn tensorboard(self, directory: impl AsRef<Path>) -> Self {
        self.track(TensorBoard::new(directory))
    }

    fn watch(self, path: impl AsRef<Path>) -> Self {
        self.track(LivePage::new(path))
    }
}
