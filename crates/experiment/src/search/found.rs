//! What a search has found.

use burn_lr_training::metrics::EpochRecord;
use burn_lr_training::storage::write_atomically;
use serde::Serialize;

use crate::candidate::Candidate;
use crate::error::ExperimentError;
use crate::results::Results;
use crate::results::Trial;

/// What a search has found.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Found {
    /// The best candidate.
    pub candidate: Candidate,
    /// The candidates of the last rung under the seeds of the search, the best one first.
    pub finalists: Results,
    /// The best candidate under fresh seeds, and after it those of the experiment.
    pub confirmation: Results,
    /// Every trial of the search with its candidate, without the confirmation.
    pub trials: Vec<(Candidate, Trial)>,
}

/// What `search.json` holds.
#[derive(Serialize)]
struct Document<'a> {
    found: &'a Candidate,
    trials: Vec<Record<'a>>,
}

#[derive(Serialize)]
struct Record<'a> {
    candidate: &'a Candidate,
    seed: u64,
    last: Option<&'a EpochRecord>,
    error: Option<&'a str>,
}

impl Found {
    /// Writes the confirmation's `results.csv` and `results.json`, and `search.json`: what was found,
    /// and the last epoch of every trial of the search.
    ///
    /// # Errors
    /// As [`Results::write`].
    pub fn write(&self) -> Result<(), ExperimentError> {
        self.confirmation.write()?;
        let trials = self.trials.iter().map(|(candidate, trial)| Record {
            candidate,
            seed: trial.seed,
            last: trial.last(),
            error: trial.error(),
        });
        let document = Document {
            found: &self.candidate,
            trials: trials.collect(),
        };
        let json = serde_json::to_string_pretty(&document).map_err(|error| {
            ExperimentError::Unwritable {
                format: "JSON",
                reason: error.to_string(),
            }
        })?;
        let path = self.confirmation.directory().join("search.json");
        Ok(write_atomically(&path, json.as_bytes())?)
    }
}
