//! What follows an example's run.

use std::path::{Path, PathBuf};

use burn::train::LearnerModel;
use burn_lr::tracking::Follow;
use burn_lr::training::Training;
use clap::Args;

#[derive(Args, Debug)]
#[group(skip)]
pub struct Following {
    /// Follow the run by a web page, run.html in its directory, which opens without a server
    #[arg(long)]
    watch: bool,

    /// Write the run for TensorBoard into a directory of its own below DIR, called as the run's
    #[arg(long, value_name = "DIR")]
    tensorboard: Option<PathBuf>,
}

impl Following {
    pub fn of<M: LearnerModel>(&self, mut training: Training<M>) -> Training<M> {
        let directory = training.directory().path().to_owned();
        if self.watch {
            let page = training.directory().page();
            training = training.watch(page);
        }
        match &self.tensorboard {
            Some(board) => training.tensorboard(board.join(name(&directory))),
            None => training,
        }
    }
}

/// The last two parts of a run's path, as `mnist_step/run-001`.
fn name(directory: &Path) -> PathBuf {
    let path = std::path::absolute(directory).unwrap_or_else(|_| directory.to_owned());
    let parts: Vec<_> = path.iter().collect();
    parts[parts.len().saturating_sub(2)..].iter().collect()
}
