//! What each epoch led to, in memory and as files.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use burn::train::metric::store::Split;
use serde::{Deserialize, Serialize, Serializer};

use crate::TrainingError;
use crate::feedback::LrCut;
use crate::files::write_atomically;

/// The metrics of one split, by their names in lower case with underscores for blanks.
///
/// Values that Burn gives in percent, such as the accuracy, are fractions here.
pub type Metrics = BTreeMap<String, f64>;

/// One epoch of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EpochRecord {
    /// The epoch, from 1.
    pub epoch: usize,
    /// Means over the epoch's training samples, each taken when its batch was trained on.
    #[serde(with = "any_float")]
    pub train: Metrics,
    /// Means over all validation samples, taken after the epoch's last update.
    #[serde(with = "any_float")]
    pub valid: Metrics,
    /// The learning rate of the epoch's last update.
    pub lr: f64,
    /// The learning rate of the next epoch's first update.
    pub next_lr: f64,
    /// Cuts of the learning rate that the epoch's metrics led to.
    pub cuts: Vec<LrCut>,
    /// Seconds that the epoch took, validation included.
    pub seconds: f64,
}

impl EpochRecord {
    /// A metric of the training split; NaN if there is none of that name.
    pub fn train(&self, metric: &str) -> f64 {
        self.train.get(metric).copied().unwrap_or(f64::NAN)
    }

    /// A metric of the validation split; NaN if there is none of that name.
    pub fn valid(&self, metric: &str) -> f64 {
        self.valid.get(metric).copied().unwrap_or(f64::NAN)
    }
}

/// All epochs of a run in their order.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct History {
    /// The epochs.
    pub epochs: Vec<EpochRecord>,
}

impl History {
    /// The history as CSV: `epoch,train_<metric>...,valid_<metric>...,lr,next_lr,seconds`, one row
    /// an epoch; a value that is missing is empty.
    pub fn to_csv(&self) -> String {
        let columns = |split: fn(&EpochRecord) -> &Metrics| {
            let mut names: Vec<&str> = self
                .epochs
                .iter()
                .flat_map(split)
                .map(|(n, _)| &**n)
                .collect();
            names.sort_unstable();
            names.dedup();
            names
        };
        let (train, valid) = (columns(|e| &e.train), columns(|e| &e.valid));

        let mut csv = String::from("epoch");
        for (prefix, names) in [("train", &train), ("valid", &valid)] {
            for name in names {
                let _ = write!(csv, ",{prefix}_{name}");
            }
        }
        csv.push_str(",lr,next_lr,seconds\n");
        for epoch in &self.epochs {
            let _ = write!(csv, "{}", epoch.epoch);
            for (metrics, names) in [(&epoch.train, &train), (&epoch.valid, &valid)] {
                for name in names {
                    let value = metrics.get(*name).map(f64::to_string).unwrap_or_default();
                    let _ = write!(csv, ",{value}");
                }
            }
            let EpochRecord {
                lr,
                next_lr,
                seconds,
                ..
            } = epoch;
            let _ = writeln!(csv, ",{lr},{next_lr},{seconds:.3}");
        }
        csv
    }

    /// Writes `history.csv` and `history.json` into `directory`, each atomically.
    ///
    /// # Errors
    /// [`TrainingError::File`] naming the file.
    pub fn write(&self, directory: &Path) -> Result<(), TrainingError> {
        write_atomically(&directory.join("history.csv"), self.to_csv().as_bytes())?;
        let path = directory.join("history.json");
        let json = serde_json::to_vec_pretty(self)
            .map_err(|error| TrainingError::file("write", &path, error.into()))?;
        write_atomically(&path, &json)
    }
}

/// A split by its name.
pub(crate) fn serialize_split<S: Serializer>(split: &Split, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(split)
}

/// Metrics in JSON, which has no NaN and no infinity: they are texts there.
pub(crate) mod any_float {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

    use super::Metrics;

    #[derive(Serialize, Deserialize)]
    #[serde(untagged)]
    enum Value {
        Number(f64),
        Text(String),
    }

    impl From<f64> for Value {
        fn from(value: f64) -> Self {
            match value.is_finite() {
                true => Self::Number(value),
                false => Self::Text(value.to_string()),
            }
        }
    }

    impl Value {
        fn number<E: de::Error>(self) -> Result<f64, E> {
            match self {
                Self::Number(number) => Ok(number),
                Self::Text(text) => text.parse().map_err(|_| {
                    let expected = &"a number, or NaN or inf as a text";
                    E::invalid_value(de::Unexpected::Str(&text), expected)
                }),
            }
        }
    }

    /// A single number.
    pub(crate) mod single {
        use super::*;

        pub(crate) fn serialize<S: Serializer>(value: &f64, to: S) -> Result<S::Ok, S::Error> {
            Value::from(*value).serialize(to)
        }

        pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
            Value::deserialize(from)?.number()
        }
    }

    pub(crate) fn serialize<S: Serializer>(metrics: &Metrics, to: S) -> Result<S::Ok, S::Error> {
        to.collect_map(
            metrics
                .iter()
                .map(|(name, &value)| (name, Value::from(value))),
        )
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Metrics, D::Error> {
        BTreeMap::<String, Value>::deserialize(from)?
            .into_iter()
            .map(|(name, value)| Ok((name, value.number()?)))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn csv_has_a_column_for_every_metric_that_ever_occurs() {
        let metrics = |pairs: &[(&str, f64)]| {
            pairs
                .iter()
                .map(|&(n, v)| (n.to_owned(), v))
                .collect::<Metrics>()
        };
        let record = |epoch, valid| EpochRecord {
            epoch,
            train: metrics(&[("loss", 0.5)]),
            valid,
            lr: 0.01,
            next_lr: 0.005,
            cuts: Vec::new(),
            seconds: 1.5,
        };
        let history = History {
            epochs: vec![
                record(1, metrics(&[("loss", 0.25)])),
                record(2, metrics(&[("accuracy", 0.9), ("loss", f64::NAN)])),
            ],
        };
        assert_eq!(
            history.to_csv(),
            "epoch,train_loss,valid_accuracy,valid_loss,lr,next_lr,seconds\n\
             1,0.5,,0.25,0.01,0.005,1.500\n\
             2,0.5,0.9,NaN,0.01,0.005,1.500\n"
        );
    }
    #[test]
    fn metrics_that_are_no_numbers_survive_json() {
        let history: History = serde_json::from_str(
            r#"{"epochs": [{"epoch": 1, "train": {"loss": "NaN"}, "valid": {"loss": "-inf"},
                "lr": 0.1, "next_lr": 0.1, "seconds": 1.0, "cuts": [{"from": 0.1, "to": 0.05,
                "metric": "NaN", "best": "inf", "bad_epochs": 1}]}]}"#,
        )
        .unwrap();
        assert!(history.epochs[0].train("loss").is_nan());
        assert_eq!(history.epochs[0].valid("loss"), f64::NEG_INFINITY);
        let json = serde_json::to_string(&history).unwrap();
        assert!(json.contains(r#""loss":"NaN""#), "{json}");
        assert!(json.contains(r#""metric":"NaN","best":"inf""#), "{json}");
    }
}
