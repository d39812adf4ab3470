//! What an experiment compares.

use burn_lr_scheduler::{Clock, Clocked, ScheduleConfig};
use burn_lr_training::optim::OptimizerConfig;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::trunk::Trunk;

/// What may differ within an experiment, under a name: schedule, epochs, optimizer, the candidate that it
/// branches off, and settings that the base reads.
///
/// What a candidate does not set is as the base has it.
///
/// ```
/// use burn::optim::AdamWConfig;
/// use burn_lr_experiment::Candidate;
/// use burn_lr_scheduler::StepLr;
///
/// let candidate = Candidate::new("halve every 3, with dropout")
///     .schedule(StepLr::new(0.01, 3).with_gamma(0.5).per_epoch())
///     .epochs(10)
///     .optimizer(AdamWConfig::new())
///     .setting("dropout", 0.3);
/// # assert_eq!(candidate.settings["dropout"], 0.3);
/// ```
///
/// [`from_toml`](Self::from_toml), [`from_json`](Self::from_json) and [`from_file`](Self::from_file)
/// read them from documents.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(into = "Entry", try_from = "Entry")]
#[non_exhaustive]
pub struct Candidate {
    /// The name, which no other candidate has.
    pub name: String,
    /// How many epochs are trained.
    pub epochs: Option<usize>,
    /// The schedule and its clock.
    pub schedule: Option<Clocked>,
    /// The optimizer.
    pub optimizer: Option<OptimizerConfig>,
    /// The candidate that it branches off, and where.
    pub branch: Option<Trunk>,
    /// Settings by their names, which the base reads with [`Setup::setting`](crate::Setup::setting).
    pub settings: Map<String, Value>,
}

/// A candidate as documents have it: the schedule and its clock side by side.
#[derive(Serialize, Deserialize)]
#[serde(rename = "Candidate", deny_unknown_fields)]
struct Entry {
    name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    epochs: Option<usize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    clock: Option<Clock>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    schedule: Option<ScheduleConfig>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    optimizer: Option<OptimizerConfig>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    branch: Option<Trunk>,
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    settings: Map<String, Value>,
}

impl From<Candidate> for Entry {
    fn from(candidate: Candidate) -> Self {
        let (clock, schedule) = candidate
            .schedule
            .map(|clocked| (clocked.clock, clocked.schedule))
            .unzip();
        Self {
            name: candidate.name,
            epochs: candidate.epochs,
            clock,
            schedule,
            optimizer: candidate.optimizer,
            branch: candidate.branch,
            settings: candidate.settings,
        }
    }
}

#[derive(Debug, thiserror::Error)]
#[error("clock: expected a schedule beside it, found none")]
struct ClockWithoutSchedule;

impl TryFrom<Entry> for Candidate {
    type Error = ClockWithoutSchedule;

    fn try_from(entry: Entry) -> Result<Self, Self::Error> {
        if entry.clock.is_some() && entry.schedule.is_none() {
            return Err(ClockWithoutSchedule);
        }
        let clock = entry.clock.unwrap_or(Clock::PerEpoch);
        Ok(Self {
            name: entry.name,
            epochs: entry.epochs,
            schedule: entry.schedule.map(|schedule| Clocked::new(schedule, clock)),
            optimizer: entry.optimizer,
            branch: entry.branch,
            settings: entry.settings,
        })
    }
}

impl Candidate {
    /// A candidate that differs from the base in nothing yet.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            epochs: None,
            schedule: None,
            optimizer: None,
            branch: None,
            settings: Map::new(),
        }
    }

    /// Sets the schedule and its clock; a plain number is a constant rate.
    pub fn schedule(mut self, schedule: impl Into<Clocked>) -> Self {
        self.schedule = Some(schedule.into());
        self
    }

    /// Sets the number of epochs.
    pub fn epochs(mut self, epochs: usize) -> Self {
        self.epochs = Some(epochs);
        self
    }

    /// Sets the optimizer.
    pub fn optimizer(mut self, optimizer: impl Into<OptimizerConfig>) -> Self {
        self.optimizer = Some(optimizer.into());
        self
    }

    /// Sets what the base reads under `name`.
    pub fn setting(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.settings.insert(name.into(), value.into());
        self
    }

    /// Everything but the name as a document, by which candidates are told apart: numbers have the
    /// digits they were written with. What cannot be written, such as a schedule made of a closure, is
    /// left to `Debug`.
    pub(crate) fn content(&self) -> Value {
        let nameless = Self {
            name: String::new(),
            ..self.clone()
        };
        // By way of the text, in which an f32 has the digits it was written with.
        serde_json::to_vec(&nameless)
            .and_then(|json| serde_json::from_slice(&json))
            .unwrap_or_else(|_| Value::String(format!("{nameless:?}")))
    }

    /// The name as a directory's: letters, digits, dots and hyphens.
    pub(crate) fn directory(&self) -> String {
        let plain = |c: char| {
            if c.is_alphanumeric() || c == '.' {
                c
            } else {
                '-'
            }
        };
        let name: String = self.name.to_lowercase().chars().map(plain).collect();
        name.trim_matches(['-', '.']).to_owned()
    }
}

/// Two candidates are the same if their documents are.
impl PartialEq for Candidate {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && self.content() == other.content()
    }
}

#[cfg(test)]
mod tests {
    use burn::optim::SgdConfig;
    use burn_lr_scheduler::Constant;

    use super::*;

    #[test]
    fn candidates_are_told_apart_by_all_they_set() {
        let base = || Candidate::new("a").schedule(0.1).epochs(2);
        assert_eq!(base(), base());
        let others = [
            base().epochs(3),
            base().schedule(0.2),
            base().schedule(Constant::new(0.1).per_epoch()),
            base().optimizer(SgdConfig::new()),
            base().setting("dropout", 0.5),
            Candidate::new("b").schedule(0.1).epochs(2),
        ];
        for other in others {
            assert_ne!(base(), other);
        }
        let dropout = |value: f64| base().setting("dropout", value);
        assert_eq!(dropout(0.5), dropout(0.5));
        assert_ne!(dropout(0.5), dropout(0.25));
    }

    #[test]
    fn names_become_directories() {
        let directory = |name| Candidate::new(name).directory();
        assert_eq!(directory("StepLR, 0.5 / 3"), "steplr--0.5---3");
        assert_eq!(directory("../.."), "");
    }
}
