//! The settings that a candidate was trained with.
//!
//! A run's own configuration holds its schedule and optimizer, but what the base made of a setting may
//! show nowhere in it: the settings have a file of their own beside the candidate's trials.

use std::path::Path;

use burn_lr_training::TrainingError;
use burn_lr_training::storage::{create_directory, write_atomically};
use serde_json::{Map, Value};

use crate::candidate::Candidate;
use crate::error::ExperimentError;

const FILE: &str = "settings.json";

/// Refuses a candidate that was trained with other settings in `directory`.
pub(crate) fn check(candidate: &Candidate, directory: &Path) -> Result<(), ExperimentError> {
    let path = directory.join(FILE);
    let expected = match std::fs::read_to_string(&path) {
        Ok(json) => json,
        Err(_) if !has_trials(directory) => return Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => "{}".to_owned(),
        Err(error) => return Err(failed("read", &path, error)),
    };
    let saved: Option<Map<String, Value>> = serde_json::from_str(&expected).ok();
    if saved.as_ref() == Some(&written(candidate)) {
        return Ok(());
    }
    Err(ExperimentError::SettingsChanged {
        candidate: candidate.name.clone(),
        expected,
        found: Value::Object(written(candidate)).to_string(),
    })
}

/// Notes the settings of a candidate, if it has some, before it is trained in `directory`.
pub(crate) fn write(candidate: &Candidate, directory: &Path) -> Result<(), ExperimentError> {
    if candidate.settings.is_empty() {
        return Ok(());
    }
    create_directory(directory)?;
    let json = Value::Object(written(candidate)).to_string();
    Ok(write_atomically(&directory.join(FILE), json.as_bytes())?)
}

/// The settings as they are read back.
fn written(candidate: &Candidate) -> Map<String, Value> {
    let json = Value::Object(candidate.settings.clone()).to_string();
    serde_json::from_str(&json).unwrap_or_else(|_| candidate.settings.clone())
}

fn has_trials(directory: &Path) -> bool {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    entries
        .map(|entry| entry.file_name())
        .any(|name| name.to_string_lossy().starts_with("seed-"))
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
        write(&with(0.1), &directory).unwrap();
        assert!(!refused(&with(0.1)));
        assert!(refused(&with(0.2)) && refused(&Candidate::new("a")));
        std::fs::write(directory.join(FILE), "{\"drop").unwrap();
        assert!(refused(&with(0.1)));
    }

    #[test]
    fn a_candidate_that_was_trained_without_settings_gets_none() {
        let directory = tempfile::tempdir().unwrap();
        let (bare, with) = (Candidate::new("a"), Candidate::new("a").setting("x", 1));
        write(&bare, directory.path()).unwrap();
        assert!(check(&with, directory.path()).is_ok());
        std::fs::create_dir(directory.path().join("seed-1")).unwrap();
        assert!(check(&bare, directory.path()).is_ok());
        assert!(check(&with, directory.path()).is_err());
    }
}
