//! Training with [Burn](https://burn.dev)'s Learner: any model, optimizer, loader and metric, exactly
//! resumed.
//!
//! [`Training`] wires a model, data loaders, an optimizer and a schedule into Burn's
//! `SupervisedTraining`, with checkpoints that survive whatever ends a run.
//!
//! | module | what it gives |
//! |---|---|
//! | [`loader`] | [`EpochLoader`](loader::EpochLoader): batches whose order and augmentation are functions of seed, epoch and sample |
//! | [`optim`] | all of Burn's optimizers, parameter groups, clipping over all parameters |
//! | [`average`] | averages of weights: EMA, SWA, weighted means of checkpoints |
//! | [`metrics`] | names of metrics, the history of a run, early stopping |
//! | [`checkpoint`] | checkpoints that are complete or not there, also for loops of one's own |
//! | [`feedback`] | ReduceLROnPlateau inside Burn's own Learner |
//! | `pytorch`, a feature | weights from PyTorch and for it, by names, with a report of what does not fit |
//! | [`evaluate`] | a trained model's metrics on a data set |
//! | [`range_test`] | a learning rate to begin with |
//! | [`track`] | what follows a run while it goes |
//! | [`device`] | backends by name |
//! | [`run`] | the run directory |

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod average;
mod caught;
pub mod checkpoint;
mod damage;
pub mod device;
mod error;
pub mod evaluate;
pub mod feedback;
mod key;
mod lineage;
pub mod loader;
pub mod metrics;
mod notices;
pub mod optim;
#[cfg(feature = "pytorch")]
pub mod pytorch;
pub mod range_test;
pub mod run;
pub mod storage;
pub mod track;
mod weights;

pub use damage::Damage;
pub use error::TrainingError;
pub use run::{Trained, Training};
pub use weights::draw_weights;
