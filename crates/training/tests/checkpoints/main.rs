//! Checkpoints damaged in every way, killed while being written, and on full disks.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::optim::lr_scheduler::LrSchedulerRecord;
use burn::store::ModuleRecord;
use burn::tensor::Device;
use burn::train::checkpoint::{AsyncCheckpointer, Checkpointer, CheckpointerError};
use burn_lr_scheduler::Mode;
use burn_lr_training::checkpoint::{
    Checkpoint, CheckpointStore, HISTORY, KeepPolicy, MODEL, OPTIM, PartCheckpointer, SCHEDULER,
};
use burn_lr_training::metrics::{Best, Metrics, train, valid};
use burn_lr_training::{Damage, TrainingError};
use proptest::prelude::*;
use tempfile::TempDir;

mod damage;
mod keep;
#[cfg(unix)]
mod processes;
mod save;
mod snapshot;

const PARTS: [&str; 4] = [MODEL, OPTIM, SCHEDULER, HISTORY];

/// Content that tells the epoch and the part it is of.
fn content(epoch: usize, part: &str) -> Vec<u8> {
    format!("{part} of epoch {epoch}\n").repeat(100).into()
}

fn metrics(loss: f64) -> Metrics {
    [("loss".to_owned(), loss)].into()
}

fn open(directory: &Path) -> CheckpointStore {
    CheckpointStore::open(directory, &PARTS).unwrap()
}

fn save(store: &CheckpointStore, epoch: usize) -> Result<(), TrainingError> {
    PARTS
        .iter()
        .try_for_each(|part| store.save_part(epoch, part, &content(epoch, part)))
}

/// A store with the checkpoints of epochs 1 to `epochs`.
fn store_of(epochs: usize) -> (TempDir, CheckpointStore) {
    let directory = TempDir::new().unwrap();
    let store = open(directory.path()).with_keep(KeepPolicy::all());
    for epoch in 1..=epochs {
        save(&store, epoch).unwrap();
    }
    (directory, store)
}

fn assert_consistent(checkpoint: &Checkpoint) {
    assert_eq!(checkpoint.parts.len(), PARTS.len());
    for (part, bytes) in &checkpoint.parts {
        assert!(*bytes == content(checkpoint.epoch, part), "{part}");
    }
}

/// Everything in a directory and its content.
fn tree(directory: &Path) -> BTreeSet<(PathBuf, Option<Vec<u8>>)> {
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.append(&mut tree(&path));
            found.insert((path, None));
        } else {
            let bytes = fs::read(&path).unwrap();
            found.insert((path, Some(bytes)));
        }
    }
    found
}
