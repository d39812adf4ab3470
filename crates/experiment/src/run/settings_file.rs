//! The settings that a candidate was trained with.
//!
//! A run's own configuration holds its schedule and optimizer, but what the base made of a setting may
//! show nowhere in it: the settings have a file of their own beside the candidate's trials. Files of
//! other names there are not ours, and left alone.

use std::io::ErrorKind;
use std::path::Path;

use burn_lr_training::run::RunDirectory;
use burn_lr_training::storage::{create_directory, write_atomically};
use burn_lr_training::{Damage, TrainingError};
use serde_json::{Map, Value};

use crate::candidate::Candidate;
use crate::error::ExperimentError;

const FILE: &str = "burn-lr-settings.json";
/// What the file was called once. One of that name may be the user's: it is read if it is ours, and
/// never written.
const EARLIER: &str = "settings.json";

/// Refuses a candidate that was trained with other settings in `directory`. Before a trial of it has
/// completed an epoch there is nothing that other settings could spoil.
pub(crate) fn check(candidate: &Candidate, directory: &Path) -> Result<(), ExperimentError> {
    if !was_trained(directory) {
        return Ok(());
    }
    let saved = saved(directory)?;
    let found = written(candidate);
    if saved == found {
        return Ok(());
    }
    Err(ExperimentError::SettingsChanged {
        candidate: candidate.name.clone(),
        expected: Value::Object(saved).to_string(),
        found: Value::Object(found).to_string(),
    })
}

/// Notes the settings of a candidate before it is trained in `directory`, unless what is there says the
/// same.
pub(crate) fn write(candidate: &Candidate, directory: &Path) -> Result<(), ExperimentError> {
    let settings = written(candidate);
    if saved(directory).is_ok_and(|saved| saved == settings) {
        return Ok(());
    }
    create_directory(directory)?;
    let json = Value::Object(settings).to_string();
    Ok(write_atomically(&directory.join(FILE), json.as_bytes())?)
}

/// The settings that are noted in `directory`: none if there is no file of ours.
fn saved(directory: &Path) -> Result<Map<String, Value>, ExperimentError> {
    let path = directory.join(FILE);
    let json = match std::fs::read_to_string(&path) {
        Ok(json) => json,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return Ok(earlier(directory).unwrap_or_default());
        }
        Err(error) => return Err(failed("read", &path, error)),
    };
    serde_json::from_str(&json).map_err(|error| {
        let reason = format!("expected the settings of a candidate: {error}");
        TrainingError::Damaged(Damage::Content { path, reason }).into()
    })
}

/// The settings in a file under its earlier name, if it is ours: nothing but the settings, without a
/// space between them or a line's end.
fn earlier(directory: &Path) -> Option<Map<String, Value>> {
    let json = std::fs::read_to_string(directory.join(EARLIER)).ok()?;
    let settings: Map<String, Value> = serde_json::from_str(&json).ok()?;
    let written = Value::Object(settings.clone()).to_string();
    (written == json).then_some(settings)
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
    #[test]
    fn a_file_under_its_earlier_name_is_read_if_it_is_ours_and_never_changed() {
        let directory = tempfile::tempdir().unwrap();
        let directory = directory.path();
        let earlier = directory.join(EARLIER);
        let with = |x: i32| Candidate::new("a").setting("x", x);
        let bare = Candidate::new("a");
        std::fs::write(&earlier, "{\"x\":1}").unwrap();
        train(directory);
        assert!(check(&with(1), directory).is_ok() && check(&with(2), directory).is_err());
        assert!(check(&bare, directory).is_err());
        write(&with(1), directory).unwrap();
        assert!(!directory.join(FILE).exists());
        // Other settings before anything was trained: from now on, those count.
        write(&bare, directory).unwrap();
        assert!(check(&bare, directory).is_ok() && check(&with(1), directory).is_err());
        assert_eq!(std::fs::read_to_string(&earlier).unwrap(), "{\"x\":1}");
        // The user's.
        std::fs::remove_file(directory.join(FILE)).unwrap();
        for users in ["{\"x\": 1}", "{\"x\":1}\n", "[]", "x"] {
            std::fs::write(&earlier, users).unwrap();
            write(&bare, directory).unwrap();
            assert!(check(&bare, directory).is_ok() && check(&with(1), directory).is_err());
            assert_eq!(std::fs::read_to_string(&earlier).unwrap(), users);
        }
    }
}
