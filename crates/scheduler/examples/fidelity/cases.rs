//! A configuration of another library, and how ours compares with it.

use burn_lr_scheduler::{Curve, Run, ScheduleConfig, ScheduleError};
use serde::Deserialize;
use serde_json::Value;

/// The largest relative difference that counts as equal.
pub const TOLERANCE: f64 = 1e-12;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Library {
    pub library: String,
    pub version: String,
    /// Where the rates come from.
    pub source: String,
    pub seed: u64,
    pub cases: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    pub scheduler: String,
    pub arguments: Value,
    /// Ours, or none if there is no document to write.
    pub document: Option<Value>,
    /// Why it is refused.
    pub refused: Option<String>,
    /// Why it differs on purpose.
    pub departs: Option<String>,
    /// The updates of an epoch and the epochs of the run, where the document has lengths in those.
    run: Option<[u64; 2]>,
    #[serde(default)]
    steps: Vec<u64>,
    /// One an epoch, for plateaus; then there is a rate after each in place of one at each step.
    #[serde(default)]
    metrics: Vec<f64>,
    #[serde(default)]
    values: Vec<f64>,
}

pub enum Outcome {
    /// With the largest relative difference.
    Equal(f64),
    Refused,
    Departs,
    Differs(String),
}

impl Case {
    pub fn compare(&self) -> Outcome {
        let curve = self.document.as_ref().map(|document| self.curve(document));
        match (&self.refused, curve) {
            (Some(_), None | Some(Err(ScheduleError::Invalid { .. }))) => Outcome::Refused,
            (Some(reason), Some(result)) => {
                Outcome::Differs(format!("expected to be refused ({reason}), got {result:?}"))
            }
            (None, None) => Outcome::Differs("neither a document nor a reason".to_owned()),
            (None, Some(Err(error))) => Outcome::Differs(error.to_string()),
            (None, Some(Ok(curve))) => match (self.difference(curve), &self.departs) {
                (Err(error), _) => Outcome::Differs(error.to_string()),
                (Ok((worst, _)), None) if worst <= TOLERANCE => Outcome::Equal(worst),
                (Ok((worst, at)), None) => Outcome::Differs(format!("by {worst:e} {at}")),
                (Ok((worst, _)), Some(_)) if worst > TOLERANCE => Outcome::Departs,
                (Ok(_), Some(reason)) => Outcome::Differs(format!("no longer departs: {reason}")),
            },
        }
    }

    /// The largest difference, relative to the rate or to a thousandth of the highest one: where a decay
    /// nears 0, the rounding errors of its cosine or of `1 - p` do not shrink with it.
    fn difference(&self, mut curve: Curve) -> Result<(f64, String), ScheduleError> {
        let highest = self.values.iter().copied().fold(0.0, f64::max);
        let mut worst = (0.0, String::new());
        for (i, &expected) in self.values.iter().enumerate() {
            let step = match (self.steps.get(i), self.metrics.get(i)) {
                (_, Some(&metric)) => {
                    curve.observe(i as u64, metric)?;
                    i as u64 + 1
                }
                (Some(&step), None) => step,
                (None, None) => i as u64,
            };
            let lr = curve.lr(step);
            let scale = f64::max(expected, 1e-3 * highest);
            let difference = if lr == expected {
                0.0
            } else {
                (lr - expected).abs() / scale
            };
            if difference.is_nan() || difference > worst.0 {
                worst = (
                    difference,
                    format!("at step {step}: expected {expected}, got {lr}"),
                );
            }
        }
        Ok(worst)
    }

    fn curve(&self, document: &Value) -> Result<Curve, ScheduleError> {
        let run = Run::per_update();
        let run = match self.run {
            Some([updates, epochs]) => run.with_updates_per_epoch(updates).with_epochs(epochs),
            None => run,
        };
        ScheduleConfig::from_json(&document.to_string())?.curve(&run)
    }
}
