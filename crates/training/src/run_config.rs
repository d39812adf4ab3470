//! The configuration of a run, as its directory keeps it.

use std::path::Path;

use burn::optim::AdamConfig;
use burn::train::LearnerModel;
use burn_lr_scheduler::{Run, ScheduleConfig};
use serde::Serialize;
use serde_json::Value;

use crate::TrainingError;
use crate::checkpoint::{CONFIG, Checkpoint, KeepPolicy};
use crate::early_stopping::EarlyStopping;
use crate::notices::Notices;
use crate::training::Training;

/// What may differ when a run is resumed: a run may be extended or stop earlier, and go on elsewhere.
const FREE: [&str; 6] = [
    "burn_lr",
    "epochs",
    "run.epochs",
    "devices",
    "keep",
    "early_stopping",
];

/// What `config.json` holds.
#[derive(Serialize)]
pub(crate) struct RunConfig {
    burn_lr: &'static str,
    schedule: ScheduleConfig,
    run: Run,
    epochs: usize,
    batch_size: usize,
    grads_accumulation: usize,
    optimizer: &'static str,
    adam: AdamConfig,
    observed_metric: String,
    train_samples: usize,
    valid_samples: usize,
    devices: Vec<String>,
    multi_device_optim: String,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    data_parallel: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    seed: Option<u64>,
    keep: KeepPolicy,
    early_stopping: Option<EarlyStopping>,
    model: String,
    settings: Value,
}

impl RunConfig {
    pub(crate) fn new<M: LearnerModel>(training: &Training<M>, run: Run, model: &M) -> Self {
        let devices = match training.devices.is_empty() {
            true => model.devices(),
            false => training.devices.clone(),
        };
        let (metric, split) = &training.observed;
        Self {
            burn_lr: env!("CARGO_PKG_VERSION"),
            schedule: training.schedule.clone(),
            run,
            epochs: training.epochs,
            batch_size: training.batch_size,
            grads_accumulation: training.grads_accumulation,
            optimizer: "Adam",
            adam: training.adam.clone(),
            observed_metric: format!("{split} {metric}"),
            train_samples: training.train.num_items(),
            valid_samples: training.valid.num_items(),
            devices: devices.iter().map(|d| format!("{d:?}")).collect(),
            multi_device_optim: format!("{:?}", training.multi_device_optim),
            data_parallel: training.data_parallel,
            seed: training.seed,
            keep: training.keep_policy(),
            early_stopping: training.early_stopping.clone(),
            model: model.to_string(),
            settings: training.settings.clone(),
        }
    }

    fn document(&self, path: &Path) -> Result<Value, TrainingError> {
        // By way of the text, in which an f32 has the digits it was written with.
        serde_json::to_vec(self)
            .and_then(|json| serde_json::from_slice(&json))
            .map_err(|error| TrainingError::file("write", path, error.into()))
    }

    /// Whether the run in `directory`, if there is one, can be continued with this configuration.
    ///
    /// What it was configured with says `checkpoint`, the newest one that is complete: that is
    /// verified, and `config.json` may have been damaged or lost since. Only a run without any
    /// checkpoint is known by `config.json` alone.
    ///
    /// # Errors
    /// [`TrainingError::ConfigChanged`] if it was configured differently, [`TrainingError::Corrupt`]
    /// if that cannot be read.
    pub(crate) fn check(
        &self,
        directory: &Path,
        checkpoint: Option<&Checkpoint>,
        notices: &Notices,
    ) -> Result<(), TrainingError> {
        let path = directory.join(CONFIG);
        let file = match std::fs::read(&path) {
            Ok(json) => Some(json),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => return Err(TrainingError::file("read", &path, error)),
        };
        let part = checkpoint.and_then(|checkpoint| checkpoint.parts.get(CONFIG));
        let Some(json) = part.or(file.as_ref()) else {
            return Ok(());
        };
        let saved: Value =
            serde_json::from_slice(json).map_err(|error| TrainingError::Corrupt {
                path: path.clone(),
                reason: format!("expected a run's configuration: {error}"),
            })?;
        let mut other_device = false;
        for (field, saved, current) in changes(&saved, &self.document(&path)?) {
            other_device |= field == "devices";
            if !is_free(&field) {
                return Err(TrainingError::ConfigChanged {
                    path,
                    field,
                    saved,
                    current,
                });
            }
        }
        if other_device {
            notices.say("continuing on another device: the bits will differ");
        }
        if let Some(checkpoint) = checkpoint {
            let state = match file.map(|json| serde_json::from_slice(&json)) {
                None => "is missing",
                Some(Ok(file)) if changes(&saved, &file).iter().all(|(f, ..)| is_free(f)) => {
                    return Ok(());
                }
                Some(_) => "is damaged",
            };
            let (path, epoch) = (path.display(), checkpoint.epoch);
            notices.say(&format!(
                "{path} {state}: restored from the checkpoint of epoch {epoch}"
            ));
        }
        Ok(())
    }

    /// The content of `config.json` in `directory`.
    pub(crate) fn encode(&self, directory: &Path) -> Result<Vec<u8>, TrainingError> {
        let path = directory.join(CONFIG);
        serde_json::to_vec_pretty(&self.document(&path)?)
            .map_err(|error| TrainingError::file("write", &path, error.into()))
    }
}

/// Whether `field`, or what it is a part of, may differ.
fn is_free(field: &str) -> bool {
    FREE.iter().any(|free| {
        let rest = field.strip_prefix(free);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    })
}

/// The places where two documents differ, with the values there.
fn changes(saved: &Value, current: &Value) -> Vec<(String, String, String)> {
    let mut changes = Vec::new();
    compare(String::new(), saved, current, &mut changes);
    changes
}

fn compare(
    path: String,
    saved: &Value,
    current: &Value,
    changes: &mut Vec<(String, String, String)>,
) {
    match (saved, current) {
        (Value::Object(old), Value::Object(new)) => {
            let mut names: Vec<&String> = old.keys().chain(new.keys()).collect();
            names.sort_unstable();
            names.dedup();
            for name in names {
                let path = match path.is_empty() {
                    true => name.clone(),
                    false => format!("{path}.{name}"),
                };
                let missing = &Value::Null;
                let old = old.get(name).unwrap_or(missing);
                compare(path, old, new.get(name).unwrap_or(missing), changes);
            }
        }
        _ if saved == current => {}
        _ => changes.push((path, saved.to_string(), current.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn changes_are_named_by_their_place() {
        let saved = json!({"a": {"b": [1, 2], "c": 1.5}, "d": "x"});
        let current = json!({"a": {"b": [1, 3], "c": 1.5}, "e": null});
        assert_eq!(
            changes(&saved, &current),
            [
                ("a.b".to_owned(), "[1,2]".to_owned(), "[1,3]".to_owned()),
                ("d".to_owned(), "\"x\"".to_owned(), "null".to_owned()),
            ]
        );
    }
}
