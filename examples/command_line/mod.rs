//! What the examples with a task of their own share: their options, and what they exit with.

#[path = "../experiment/exit.rs"]
mod exit;
#[path = "../experiment/terminal.rs"]
mod terminal;

use std::path::{Path, PathBuf};

use clap::Args;
pub use exit::exit;
pub use terminal::{Error, say, stop_on_ctrl_c};

/// Options of every example that trains something.
#[derive(Args, Debug)]
#[group(skip)]
pub struct Options {
    /// Epochs to train [default: of cnn 10, of language_model 10, of the loops 20, of regression 100]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    pub epochs: Option<u32>,

    /// Use the first N samples only: images, rows, characters or days [default: all]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    samples: Option<u32>,

    /// Seed of all that is drawn: initial weights, order, augmentation, dropout
    #[arg(long, default_value_t = 42)]
    pub seed: u64,

    /// Directory for the configuration, history, checkpoints and models [default: the next free
    /// artifacts/<example>/run-NNN, or with --resume the last one]
    #[arg(long, value_name = "DIR")]
    run_dir: Option<PathBuf>,

    /// Continue the run in the directory from its newest complete checkpoint, or start it
    #[arg(long)]
    pub resume: bool,
}

impl Options {
    /// How many samples to use at most.
    pub fn samples(&self) -> usize {
        self.samples.map_or(usize::MAX, |n| n as usize)
    }

    /// The run directory of the example `name`, which need not exist.
    pub fn directory(&self, name: &str) -> PathBuf {
        let numbered = || terminal::numbered(&Path::new("artifacts").join(name), self.resume);
        self.run_dir.clone().unwrap_or_else(numbered)
    }
}
