//! What follows an example's run.

use std::path::PathBuf;

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

    /// Write the run for TensorBoard into DIR
    #[arg(long, value_name = "DIR")]
    tensorboard: Option<PathBuf>,
}

impl Following {
    pub fn of<M: LearnerModel>(&self, mut training: Training<M>) -> Training<M> {
        if self.watch {
            let page = training.directory().path().join("run.html");
            training = training.watch(page);
        }
        match &self.tensorboard {
            Some(board) => training.tensorboard(board),
            None => training,
        }
    }
}
