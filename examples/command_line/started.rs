//! Where a training loop of one's own goes on.

use std::fs;

use burn_lr::training::TrainingError;
use burn_lr::training::checkpoint::{Checkpoint, CheckpointStore};
use burn_lr::training::run::{Lock, RunDirectory};
use burn_lr::training::storage::create_directory;
use serde::Serialize;
use serde_json::{Map, Value};

use super::command_line::Error;

/// The part of a checkpoint that holds what must not change when a run is resumed.
pub const SETTINGS: &str = "settings.json";

/// A run directory that nobody else works in.
pub struct Started {
    pub store: CheckpointStore,
    /// What the run is resumed from, if it is.
    pub checkpoint: Option<Checkpoint>,
    _lock: Lock,
}

/// Takes `directory` for a run with these `settings`, and its newest checkpoint, if there is one and
/// it may be resumed.
pub fn started(
    directory: &RunDirectory,
    parts: &[&'static str],
    resume: bool,
    settings: &impl Serialize,
) -> Result<Started, Error> {
    create_directory(directory.path())?;
    let _lock = Lock::take(directory)?;
    let path = directory.path().to_owned();
    if !resume && holds_a_run(directory) {
        return Err(TrainingError::RunExists { path }.into());
    }
    if directory.config().exists() {
        let error = TrainingError::Invalid {
            name: "--run-dir",
            expected: "a run of this example",
            found: format!("one of another example in {}", path.display()),
        };
        return Err(error.into());
    }
    let store = CheckpointStore::open(directory.checkpoints(), parts)?;
    let (checkpoint, skipped) = store.newest_complete();
    skipped.iter().for_each(|skipped| eprintln!("{skipped}"));
    if let Some(checkpoint) = &checkpoint {
        let saved: Map<String, Value> = checkpoint.json(SETTINGS)?;
        let current = serde_json::to_value(settings)?;
        let field = saved.iter().find(|(name, saved)| current[name] != **saved);
        if let Some((field, saved)) = field {
            let error = TrainingError::ConfigChanged {
                path,
                field: field.clone(),
                saved: saved.to_string(),
                current: current[field].to_string(),
            };
            return Err(error.into());
        }
        eprintln!("resumed after epoch {}", checkpoint.epoch);
    }
    Ok(Started {
        store,
        checkpoint,
        _lock,
    })
}

/// Whether there is anything of a run, of whichever example and however damaged.
fn holds_a_run(directory: &RunDirectory) -> bool {
    let files = [
        directory.config(),
        directory.history_csv(),
        directory.history_json(),
        directory.best_model(),
        directory.final_model(),
    ];
    // One that was never completed has an extension.
    let is_checkpoint = |entry: fs::DirEntry| entry.path().extension().is_none();
    let entries = fs::read_dir(directory.checkpoints());
    let mut entries = entries.into_iter().flatten().flatten();
    files.iter().any(|file| file.exists()) || entries.any(is_checkpoint)
}
