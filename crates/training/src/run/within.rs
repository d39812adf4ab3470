//! What a run knows of checkpoints within an epoch, or a period.

use std::time::{Duration, Instant};

use serde::de::Error;
use serde::{Deserialize, Serialize};

use super::gradients::Counted;
use crate::metrics::{DataPosition, SavedMeans};
use crate::notices::Notices;

/// What a checkpoint within an epoch holds beside what every checkpoint does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Within {
    pub reached: Reached,
    /// The rate of the last update, of all parameters and of each group that has one.
    pub lrs: Vec<f64>,
    pub gradients: Counted,
    pub metrics: SavedMeans,
    /// How long the epoch has taken.
    pub seconds: f64,
}

impl Within {
    /// What `bytes` say.
    ///
    /// # Errors
    /// If they are something else, or contradict themselves.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, serde_json::Error> {
        let within: Self = serde_json::from_slice(bytes)?;
        if within.gradients.is_possible() {
            Ok(within)
        } else {
            Err(serde_json::Error::custom(
                "more skipped updates than updates",
            ))
        }
    }
}

/// How far a run has come within an epoch.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Reached {
    /// The running epoch, from 1.
    pub epoch: usize,
    /// The updates that were made, in all epochs.
    pub updates: u64,
    /// The batches that were trained on in this one.
    pub iterations: usize,
    /// Where in the data the next update begins.
    pub data: DataPosition,
}

/// Says when a checkpoint is due.
pub(super) struct Timer {
    every: Option<Duration>,
    last: Instant,
}

impl Timer {
    pub(super) fn new(every: Option<Duration>) -> Self {
        let last = Instant::now();
        Self { every, last }
    }

    pub(super) fn is_due(&self) -> bool {
        self.every.is_some_and(|every| self.last.elapsed() >= every)
    }

    pub(super) fn restart(&mut self) {
        self.last = Instant::now();
    }
}

/// What the next checkpoint within an epoch will hold.
pub(super) struct Pending {
    pub reached: Reached,
    /// Those of the average.
    pub parts: Vec<(&'static str, Vec<u8>)>,
}

/// Whether, and how, checkpoints within epochs are made.
pub(super) struct ByTime {
    pub notices: Notices,
    pub pending: Option<Pending>,
    /// Whether it was told why there are none.
    pub given_up: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_contradicts_itself_is_refused() {
        let read = |updates: u64, skipped: u64| {
            let json = serde_json::json!({
                "reached": {
                    "epoch": 1, "updates": 3, "iterations": 3,
                    "data": { "epochs": 0, "batches": 3, "samples": 192, "epoch": null },
                },
                "lrs": [0.1],
                "gradients": { "updates": updates, "skipped": skipped, "sum": 0.0 },
                "metrics": serde_json::to_value(SavedMeans::default()).unwrap(),
                "seconds": 1.0,
            });
            Within::read(json.to_string().as_bytes())
        };
        assert!(read(3, 3).is_ok());
        assert!(read(3, 4).is_err());
        assert!(Within::read(b"{}").is_err());
    }
}
