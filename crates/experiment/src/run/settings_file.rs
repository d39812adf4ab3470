//! The settings that a candidate was trained with.
//!
//! A run's own configuration holds its schedule and optimizer, but what the base made of a setting may
//! show nowhere in it: the settings have a file of their own beside the candidate's trials.

use std::io::ErrorKind;
use std::path::Path;

use burn_lr_training::run::RunDirectory;
use burn_lr_training::storage::{create_directory, write_atomically};
use burn_lr_training::{Damage, TrainingError};
use serde_json::{Map, Value};

use crate::candidate::Candidate;
use crate::error::ExperimentError;

const FILE: &str = "settings.json";

/// Refuses a candidate that was trained with other settings in `directory`. Before a trial of it has
/// completed an epoch there is nothing that other settings could spoil.
pub(crate) fn check(candidate: &Candidate, directory: &Path) -> Result<(), ExperimentError> {
    if !was_trained(directory) {
        return Ok(());
    }
    let path = directory.join(FILE);
    let expected = match std::fs::read_to_string(&path) {
        Ok(json) => json,
        Err(error) if error.kind() == ErrorKind::NotFound => "{}".to_owned(),
        Err(error) => return Err(failed("read", &path, error)),
    };
    let saved: Map<String, Value> = serde_json::from_str(&expected).map_err(|error| {
        let reason = format!(
            "expected the settings of candidate {:?}: {error}",
            candidate.name
        );
        TrainingError::Damaged(Damage::Content { path, reason })
    })?;
    let found = written(candidate);
    if saved == found {
        return Ok(());
    }
    Err(ExperimentError::SettingsChanged {
        candidate: candidate.name.clone(),
        expected,
        found: Value::Object(found).to_string(),
    })
}

/// Notes the settings of a candidate before it is trained in `directory`: in a file if it has some, and
/// in none if it has none.
pub(crate) fn write(candidate: &Candidate, directory: &Path) -> Result<(), ExperimentError> {
    let path = directory.join(FILE);
    if candidate.settings.is_empty() {
        return match std::fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(failed("delete", &path, error))
            }
            _ => Ok(()),
        };
    }
    create_directory(directory)?;
    let json = Value::Object(written(candidate)).to_string();
    Ok(write_atomically(&path, json.as_bytes())?)
}

/// The settings as they are read back.
fn written(candidate: &Candidate) -> Map<String, Value> {
    let json = Value::Object(candidate.settings.clone()).to_string();
    serde_json::from_str(&json).unwrap_or_else(|_| candidate.settings.clone())
}

/// Whether a trial has completed an epoch.
fn was_trained(directory: &Path) -> bool {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    let trials = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with("seed-"));
    trials
        .map(|trial| RunDirectory::new(trial.path()))
        .any(|run| {
            let checkpoints = std::fs::read_dir(run.checkpoints());
            let mut checkpoints = checkpoints.into_iter().flatten().flatten();
            // One that was never completed has an extension.
            let has_checkpoint = checkpoints.any(|entry| entry.path().extension().is_none());
            has_checkpoint || run.history_json().exists() || run.final_model().exists()
        })
}

fn failed(action: &'static str, path: &Path, error: std::io::Error) -> ExperimentError {
    ExperimentError::Training(TrainingError::File {
        action,
        path: path.to_owned(),
        source: error.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As if a trial had completed an epoch.
    fn train(directory: &Path) {
        std::fs::create_dir_all(directory.join("seed-1")).unwrap();
        std::fs::write(directory.join("seed-1/history.json"), "{}").unwrap();
    }

    #[test]
    fn other_settings_of_a_candidate_that_was_trained_are_refused() {
        let directory = tempfile::tempdir().unwrap();
        let directory = directory.path().join("a");
        let with = |dropout: f64| Candidate::new("a").setting("dropout", dropout);
        let refused = |candidate: &Candidate| {
            matches!(
                check(candidate, &directory),
                Err(ExperimentError::SettingsChanged { .. })
            )
        };
        assert!(!refused(&with(0.1)));
        write(&with(0.2), &directory).unwrap();
        std::fs::create_dir_all(directory.join("seed-1/checkpoint/epoch-0001.tmp")).unwrap();
        assert!(!refused(&with(0.1)) && !refused(&Candidate::new("a")));
        write(&with(0.1), &directory).unwrap();
        train(&directory);
        assert!(!refused(&with(0.1)));
        assert!(refused(&with(0.2)) && refused(&Candidate::new("a")));
        std::fs::write(directory.join(FILE), "{\"drop").unwrap();
        assert!(matches!(
            check(&with(0.1), &directory),
            Err(ExperimentError::Training(TrainingError::Damaged(Damage::Content { path, .. })))
                if path == directory.join(FILE)
        ));
    }

    #[test]
    fn a_candidate_that_was_trained_without_settings_gets_none() {
        let directory = tempfile::tempdir().unwrap();
        let (bare, with) = (Candidate::new("a"), Candidate::new("a").setting("x", 1));
        write(&with, directory.path()).unwrap();
        write(&bare, directory.path()).unwrap();
        assert!(check(&with, directory.path()).is_ok());
        train(directory.path());
        assert!(check(&bare, directory.path()).is_ok());
        assert!(check(&with, directory.path()).is_err());
    }
}
