//! Which of a run's files is of the weights that a metric is of.

use std::path::PathBuf;

use super::averages::is_of_average;
use super::directory::RunDirectory;
use crate::Damage;
use crate::TrainingError;
use crate::average::Average;
use crate::metrics::MetricKey;

impl RunDirectory {
    /// The model after the last epoch of which `metric` is: `final.bpk`, or `average.bpk` if the run
    /// averages its weights and validates the average, under that name.
    ///
    /// # Errors
    /// As for [`settings`](Self::settings).
    pub fn last_model_of(&self, metric: &MetricKey) -> Result<PathBuf, TrainingError> {
        let path = self.config();
        let json =
            std::fs::read(&path).map_err(|error| TrainingError::file("read", &path, error))?;
        let average = self.parsed_config(&json)?["fixed"]["average"].take();
        let average: Option<Average> = serde_json::from_value(average)
            .map_err(|error| Damage::content(&path, format!("average: {error}")))?;
        let of_average = average.is_some_and(|average| is_of_average(&average, metric));
        if of_average {
            Ok(self.average_model())
        } else {
            Ok(self.final_model())
        }
    }
}
