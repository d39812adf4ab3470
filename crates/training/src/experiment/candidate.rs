//! What an experiment compares.

use std::fmt;
use std::path::Path;

use burn_lr_scheduler::{Clock, ScheduleConfig};
use serde::{Deserialize, Serialize};

use super::error::ExperimentError;
use crate::TrainingError;

/// A schedule and a number of epochs under a name: all that may differ within an experiment.
///
/// ```
/// use burn_lr_scheduler::StepLr;
/// use burn_lr_training::Candidate;
///
/// let document = r#"
///     [[candidate]]
///     name = "halve every 3"
///     epochs = 10
///     schedule.StepLr = { initial_lr = 0.01, step_size = 3, gamma = 0.5 }
/// "#;
/// let step = StepLr::new(0.01, 3).with_gamma(0.5);
/// assert_eq!(Candidate::from_toml(document)?, [Candidate::new("halve every 3", step, 10)]);
/// # Ok::<(), burn_lr_training::ExperimentError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Candidate {
    /// The name, which no other candidate has.
    pub name: String,
    /// How many epochs are trained.
    pub epochs: usize,
    /// Whether the schedule's step is an epoch, as it is by default, or an update.
    #[serde(default = "per_epoch")]
    pub clock: Clock,
    /// The schedule.
    pub schedule: ScheduleConfig,
}

fn per_epoch() -> Clock {
    Clock::PerEpoch
}

/// A file of candidates.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    candidate: Vec<Candidate>,
}

impl Candidate {
    /// A candidate whose schedule steps once an epoch.
    pub fn new(
        name: impl Into<String>,
        schedule: impl Into<ScheduleConfig>,
        epochs: usize,
    ) -> Self {
        Self {
            name: name.into(),
            epochs,
            clock: Clock::PerEpoch,
            schedule: schedule.into(),
        }
    }

    /// Has the schedule step once an update.
    pub fn per_update(mut self) -> Self {
        self.clock = Clock::PerUpdate;
        self
    }

    /// Reads the candidates in a JSON document: `{"candidate": [{"name": ..., "epochs": ...,
    /// "schedule": {...}}, ...]}`, schedules being written as in
    /// [`ScheduleConfig`](burn_lr_scheduler::ScheduleConfig).
    ///
    /// # Errors
    /// [`ExperimentError::Document`] naming the place inside the document.
    pub fn from_json(document: &str) -> Result<Vec<Self>, ExperimentError> {
        let mut parser = serde_json::Deserializer::from_str(document);
        let Document { candidate } = serde_path_to_error::deserialize(&mut parser)
            .map_err(|error| at(error.path(), error.inner()))?;
        parser.end().map_err(|error| ExperimentError::Document {
            place: String::new(),
            reason: error.to_string(),
        })?;
        Ok(candidate)
    }

    /// Reads the candidates in a TOML document, each one a `[[candidate]]`.
    ///
    /// # Errors
    /// [`ExperimentError::Document`] naming the place inside the document.
    pub fn from_toml(document: &str) -> Result<Vec<Self>, ExperimentError> {
        let parser =
            toml::Deserializer::parse(document).map_err(|error| ExperimentError::Document {
                place: String::new(),
                reason: error.message().to_owned(),
            })?;
        let Document { candidate } = serde_path_to_error::deserialize(parser)
            .map_err(|error| at(error.path(), error.inner().message()))?;
        Ok(candidate)
    }

    /// Reads a file of candidates, TOML if its name ends so and JSON otherwise.
    ///
    /// # Errors
    /// [`ExperimentError::CandidatesFile`] naming the file and the place inside it.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Vec<Self>, ExperimentError> {
        let path = path.as_ref();
        let failed = |reason: String| ExperimentError::CandidatesFile {
            path: path.to_owned(),
            reason,
        };
        let document = std::fs::read_to_string(path).map_err(|error| failed(error.to_string()))?;
        let toml = path
            .extension()
            .is_some_and(|extension| extension.eq_ignore_ascii_case("toml"));
        match toml {
            true => Self::from_toml(&document),
            false => Self::from_json(&document),
        }
        .map_err(|error| failed(error.to_string()))
    }

    pub(super) fn refused(&self, source: TrainingError) -> ExperimentError {
        ExperimentError::Candidate {
            name: self.name.clone(),
            source,
        }
    }

    /// The name as a directory's: letters, digits, dots and hyphens.
    pub(super) fn directory(&self) -> String {
        let plain = |c: char| match c.is_alphanumeric() || c == '.' {
            true => c,
            false => '-',
        };
        let name: String = self.name.to_lowercase().chars().map(plain).collect();
        name.trim_matches(['-', '.']).to_owned()
    }
}

fn at(path: &serde_path_to_error::Path, reason: impl fmt::Display) -> ExperimentError {
    let place = path.to_string();
    ExperimentError::Document {
        place: if place == "." { String::new() } else { place },
        reason: reason.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use burn_lr_scheduler::Constant;

    use super::*;

    #[test]
    fn json_and_toml_hold_the_same() {
        let json = r#"{"candidate": [
            {"name": "a", "epochs": 2, "schedule": {"Constant": {"lr": 0.01}}},
            {"name": "b", "epochs": 3, "clock": "per_update", "schedule": {"Constant": {"lr": 0.1}}}
        ]}"#;
        let toml = r#"
            [[candidate]]
            name = "a"
            epochs = 2
            schedule.Constant.lr = 0.01
            [[candidate]]
            name = "b"
            epochs = 3
            clock = "per_update"
            schedule.Constant.lr = 0.1
        "#;
        let expected = [
            Candidate::new("a", Constant::new(0.01), 2),
            Candidate::new("b", Constant::new(0.1), 3).per_update(),
        ];
        assert_eq!(Candidate::from_json(json).unwrap(), expected);
        assert_eq!(Candidate::from_toml(toml).unwrap(), expected);
    }

    #[test]
    fn an_error_names_its_place() {
        let error = Candidate::from_json(
            r#"{"candidate": [{"name": "a", "epochs": 2, "schedule": {"Constant": {"lr": "x"}}}]}"#,
        );
        let Err(ExperimentError::Document { place, .. }) = error else {
            panic!("{error:?}");
        };
        assert_eq!(place, "candidate[0].schedule.Constant.lr");
        let error = Candidate::from_toml("[[candidate]]\nname = \"a\"\nbatch_size = 8");
        let Err(ExperimentError::Document { reason, .. }) = error else {
            panic!("{error:?}");
        };
        assert!(reason.contains("batch_size"), "{reason}");
    }

    #[test]
    fn names_become_directories() {
        let directory = |name| Candidate::new(name, Constant::new(0.1), 1).directory();
        assert_eq!(directory("StepLR, 0.5 / 3"), "steplr--0.5---3");
        assert_eq!(directory("../.."), "");
    }
}
