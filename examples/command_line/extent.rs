//! How long an example trains, and how often it looks at what came of it.

#[path = "../experiment/seconds.rs"]
mod seconds;

use std::time::Duration;

use burn::train::LearnerModel;
use burn_lr::training::Training;
use burn_lr::training::metrics::EpochRecord;
use clap::Args;
use seconds::seconds;

#[derive(Args, Debug)]
#[group(skip)]
pub struct Extent {
    /// Updates to train, instead of epochs
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    max_updates: Option<u64>,

    /// Validate, and write the history and a checkpoint, every N updates instead of every epoch
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    every: Option<u64>,

    /// Write a checkpoint within an epoch too whenever so many seconds have passed since the last one
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    checkpoint_every: Option<Duration>,
}

impl Extent {
    pub fn of<M: LearnerModel>(&self, mut training: Training<M>) -> Training<M> {
        if let Some(updates) = self.max_updates {
            training = training.max_updates(updates);
        }
        if let Some(updates) = self.every {
            training = training.every(updates);
        }
        if let Some(time) = self.checkpoint_every {
            training = training.checkpoint_every(time);
        }
        training
    }
}

/// What a record is of: an epoch, or the updates until the end of its period.
pub fn place(epoch: &EpochRecord) -> String {
    match epoch.data.map(|data| data.epoch.unwrap_or_default()) {
        Some(data_epoch) => format!("Update {} (epoch {data_epoch:.2})", epoch.updates),
        None => format!("Epoch {}", epoch.epoch),
    }
}
