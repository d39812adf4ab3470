//! Documents of candidates.

use std::fmt;
use std::path::Path;

use serde::Deserialize;

use super::definition::Candidate;
use crate::error::ExperimentError;

/// A file of candidates.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    candidate: Vec<Candidate>,
}

impl Candidate {
    /// Reads the candidates in a JSON document: `{"candidate": [{"name": ..., "epochs": ...,
    /// "clock": ..., "schedule": {...}, "optimizer": {...}, "branch": {"of": ..., "at": {"epoch": ...}},
    /// "settings": {...}}, ...]}`.
    ///
    /// Schedules are written as in [`ScheduleConfig`](burn_lr_scheduler::ScheduleConfig), optimizers
    /// as in [`OptimizerConfig`](burn_lr_training::optim::OptimizerConfig). Only the name must be
    /// there; a clock is `per_epoch`, as it is without one, or `per_update`.
    ///
    /// ```
    /// use burn_lr_experiment::Candidate;
    ///
    /// let document = r#"{"candidate": [{"name": "a", "settings": {"dropout": 0.5}}]}"#;
    /// let expected = [Candidate::new("a").setting("dropout", 0.5)];
    /// assert_eq!(Candidate::from_json(document)?, expected);
    /// # Ok::<(), burn_lr_experiment::ExperimentError>(())
    /// ```
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

    /// Reads the candidates in a TOML document, each one a `[[candidate]]` with what
    /// [`from_json`](Self::from_json) says.
    ///
    /// ```
    /// use burn_lr_experiment::Candidate;
    /// use burn_lr_scheduler::StepLr;
    ///
    /// let document = r#"
    ///     [[candidate]]
    ///     name = "halve every 3"
    ///     epochs = 10
    ///     schedule.StepLr = { initial_lr = 0.01, step_size = 3, gamma = 0.5 }
    ///     settings = { dropout = 0.3, hidden = 64 }
    /// "#;
    /// let expected = Candidate::new("halve every 3")
    ///     .epochs(10)
    ///     .schedule(StepLr::new(0.01, 3).with_gamma(0.5).per_epoch())
    ///     .setting("dropout", 0.3)
    ///     .setting("hidden", 64);
    /// assert_eq!(Candidate::from_toml(document)?, [expected]);
    /// # Ok::<(), burn_lr_experiment::ExperimentError>(())
    /// ```
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
        let is_toml = path
            .extension()
            .is_some_and(|extension| extension.eq_ignore_ascii_case("toml"));
        let candidates = if is_toml {
            Self::from_toml(&document)
        } else {
            Self::from_json(&document)
        };
        candidates.map_err(|error| failed(error.to_string()))
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
    use burn::optim::SgdConfig;
    use burn_lr_scheduler::Constant;

    use super::*;

    #[test]
    fn json_and_toml_hold_the_same() {
        let json = r#"{"candidate": [
            {"name": "a", "epochs": 2, "schedule": {"Constant": {"lr": 0.01}}},
            {"name": "b", "clock": "per_update", "schedule": {"Constant": {"lr": 0.1}},
             "settings": {"hidden": 64, "layers": [1, 2]}},
            {"name": "c"}
        ]}"#;
        let toml = r#"
            [[candidate]]
            name = "a"
            epochs = 2
            schedule.Constant.lr = 0.01
            [[candidate]]
            name = "b"
            clock = "per_update"
            schedule.Constant.lr = 0.1
            settings = { hidden = 64, layers = [1, 2] }
            [[candidate]]
            name = "c"
        "#;
        let expected = [
            Candidate::new("a")
                .schedule(Constant::new(0.01).per_epoch())
                .epochs(2),
            Candidate::new("b")
                .schedule(Constant::new(0.1).per_update())
                .setting("hidden", 64)
                .setting("layers", [1, 2].to_vec()),
            Candidate::new("c"),
        ];
        assert_eq!(Candidate::from_json(json).unwrap(), expected);
        assert_eq!(Candidate::from_toml(toml).unwrap(), expected);
        assert_eq!(Candidate::from_json(r#"{"candidate": []}"#).unwrap(), []);
    }

    #[test]
    fn what_is_written_reads_back() {
        let candidate = Candidate::new("a")
            .schedule(1e-3)
            .epochs(3)
            .optimizer(SgdConfig::new())
            .setting("dropout", 0.1);
        let json = serde_json::json!({ "candidate": [candidate.clone()] });
        assert_eq!(
            Candidate::from_json(&json.to_string()).unwrap(),
            [candidate]
        );
        let bare = serde_json::to_string(&Candidate::new("a")).unwrap();
        assert_eq!(bare, r#"{"name":"a"}"#);
    }

    #[test]
    fn an_error_names_its_place() {
        let place = |candidate: &str| {
            let document = format!(r#"{{"candidate": [{{"name": "a", {candidate}}}]}}"#);
            match Candidate::from_json(&document) {
                Err(ExperimentError::Document { place, reason }) => (place, reason),
                other => panic!("{other:?}"),
            }
        };
        let (at, _) = place(r#""schedule": {"Constant": {"lr": "x"}}"#);
        assert_eq!(at, "candidate[0].schedule.Constant.lr");
        let (_, reason) = place(r#""optimizer": {"Adem": {}}"#);
        assert!(reason.contains("Adem"), "{reason}");
        let (_, reason) = place(r#""clock": "per_epoch""#);
        assert!(reason.contains("schedule"), "{reason}");
        let error = Candidate::from_toml("[[candidate]]\nname = \"a\"\nbatch_size = 8");
        let Err(ExperimentError::Document { reason, .. }) = error else {
            panic!("{error:?}");
        };
        assert!(reason.contains("batch_size"), "{reason}");
    }
}
