//! The one way to name a metric.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// The data that a metric was taken on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Split {
    /// The training data, while it was trained on.
    Train,
    /// The validation data, after an epoch's last update.
    Valid,
}

impl Split {
    /// Burn's name of the split.
    pub(crate) fn burns(self) -> burn::train::metric::store::Split {
        match self {
            Self::Train => burn::train::metric::store::Split::Train,
            Self::Valid => burn::train::metric::store::Split::Valid,
        }
    }

    fn prefix(self) -> &'static str {
        match self {
            Self::Train => "train_",
            Self::Valid => "valid_",
        }
    }
}

/// A metric of one split: the only form in which metrics are named, in code, in documents, in
/// `history.csv` and on command lines.
///
/// It is the name that Burn displays, in lower case and with underscores for blanks, behind the
/// split: Burn's `Top-K Accuracy` on the validation data is `valid_top-k_accuracy`. Values that Burn
/// gives in percent are fractions under these names. A metric that is no mean over batches, such as
/// AUROC or the use of memory, has the value that it has at the end of the split.
///
/// ```
/// use burn_lr_training::metrics::{MetricKey, train, valid};
///
/// assert_eq!(valid("accuracy").to_string(), "valid_accuracy");
/// assert_eq!("train_loss".parse(), Ok(train("loss")));
/// assert!("Loss".parse::<MetricKey>().is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MetricKey {
    split: Split,
    name: String,
}

/// The metric of that name on the training data.
pub fn train(name: impl Into<String>) -> MetricKey {
    MetricKey::new(Split::Train, name)
}

/// The metric of that name on the validation data.
pub fn valid(name: impl Into<String>) -> MetricKey {
    MetricKey::new(Split::Valid, name)
}

impl MetricKey {
    /// The metric `name` of `split`.
    pub fn new(split: Split, name: impl Into<String>) -> Self {
        let name = name.into();
        Self { split, name }
    }

    /// The split.
    pub fn split(&self) -> Split {
        self.split
    }

    /// The name without the split.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The name under which Burn's metric `name` is known: `Top-K Accuracy` becomes
    /// `top-k_accuracy`.
    pub fn name_of(name: &str) -> String {
        name.to_lowercase().replace(' ', "_")
    }
}

impl fmt::Display for MetricKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}{}", self.split.prefix(), self.name)
    }
}

/// A text that names no metric.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected train_ or valid_ and a metric's name, as in valid_loss, got {found:?}")]
pub struct ParseMetricKeyError {
    found: String,
}

impl FromStr for MetricKey {
    type Err = ParseMetricKeyError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let of = |split: Split| {
            let name = text.strip_prefix(split.prefix())?;
            (!name.is_empty()).then(|| Self::new(split, name))
        };
        of(Split::Train)
            .or_else(|| of(Split::Valid))
            .ok_or_else(|| ParseMetricKeyError {
                found: text.to_owned(),
            })
    }
}

impl Serialize for MetricKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for MetricKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back() {
        for key in [
            train("loss"),
            valid("top-k_accuracy_@_topk(5)"),
            valid("train_loss"),
        ] {
            assert_eq!(key.to_string().parse(), Ok(key.clone()));
            let json = serde_json::to_string(&key).unwrap();
            assert_eq!(serde_json::from_str::<MetricKey>(&json).unwrap(), key);
        }
        for text in ["", "loss", "train_", "valid", "test_loss", "Valid_loss"] {
            let error = text.parse::<MetricKey>().unwrap_err();
            assert!(error.to_string().contains(&format!("{text:?}")), "{error}");
        }
    }
}
