//! Where a training loop of one's own goes on.

use std::fmt::Debug;
use std::path::Path;

use burn_lr::training::TrainingError;
use burn_lr::training::checkpoint::{Checkpoint, CheckpointStore};
use serde::de::DeserializeOwned;

use super::command_line::Error;

/// The part of a checkpoint that holds what must not change when a run is resumed.
pub const SETTINGS: &str = "settings.json";

/// The newest checkpoint of the run in `directory`, if there is one and it may be resumed.
pub fn started<S: DeserializeOwned + PartialEq + Debug>(
    store: &CheckpointStore,
    directory: &Path,
    resume: bool,
    settings: &S,
) -> Result<Option<Checkpoint>, Error> {
    let (checkpoint, skipped) = store.newest_complete();
    skipped.iter().for_each(|skipped| eprintln!("{skipped}"));
    let Some(checkpoint) = checkpoint else {
        return Ok(None);
    };
    let path = directory.to_owned();
    if !resume {
        return Err(TrainingError::RunExists { path }.into());
    }
    let saved: S = checkpoint.json(SETTINGS)?;
    if saved != *settings {
        let error = TrainingError::ConfigChanged {
            path,
            field: "settings".to_owned(),
            saved: format!("{saved:?}"),
            current: format!("{settings:?}"),
        };
        return Err(error.into());
    }
    eprintln!("resumed after epoch {}", checkpoint.epoch);
    Ok(Some(checkpoint))
}
