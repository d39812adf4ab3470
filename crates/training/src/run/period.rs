//! Runs that are measured in updates: where their periods begin and end.

use serde::{Deserialize, Serialize};

use crate::TrainingError;

/// How long a period of a run is: training, then validation, plateaus, the history's record and a
/// checkpoint. By default it is an epoch of the training data.
///
/// `200.into()` is 200 updates.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Period {
    /// Optimizer updates.
    Updates(u64),
    /// Training samples; a period ends with the update that reaches them.
    Samples(u64),
    /// Epochs of the training data, or a share of one; a period ends with the update that reaches it.
    Epochs(f64),
}

impl From<u64> for Period {
    fn from(updates: u64) -> Self {
        Self::Updates(updates)
    }
}

/// How long a run is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Extent {
    Epochs(usize),
    Updates(u64),
    Samples(u64),
}

/// What is known of an epoch of the training data.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct DataEpoch {
    pub batches: u64,
    pub batch_size: Option<u64>,
    pub samples: u64,
}

/// The updates of each period of a run.
///
/// The data's epochs follow each other: an update does not take batches of two of them, so that an
/// epoch's last one may have fewer than the others.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Periods {
    period: Period,
    updates: u64,
    count: usize,
    /// How many periods before the running ones were cut short, and the last of those before it: its
    /// number and the updates until its end.
    short: u64,
    before: (usize, u64),
    accumulation: u64,
    epoch: Option<DataEpoch>,
}

impl Periods {
    /// The periods of a run of `extent`, each update of which takes `accumulation` batches.
    ///
    /// # Errors
    /// [`TrainingError::Invalid`] for a period or a run without an update, for more updates than can be
    /// counted, and for what only a loader that tells its batches and their size has.
    pub(super) fn new(
        period: Option<Period>,
        extent: Extent,
        accumulation: u64,
        epoch: Option<DataEpoch>,
    ) -> Result<Self, TrainingError> {
        let mut periods = Self {
            period: period.unwrap_or(Period::Epochs(1.0)),
            updates: 0,
            count: 0,
            short: 0,
            before: (0, 0),
            accumulation: accumulation.max(1),
            epoch,
        };
        periods.updates = periods.updates_of(extent)?;
        periods.check_period()?;
        periods.count = periods.first_that_reaches(periods.updates)?;
        Ok(periods)
    }

    /// How many periods the run has.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// The updates of the whole run.
    pub(super) fn updates(&self) -> u64 {
        self.updates
    }

    /// How long a period is.
    pub(super) fn period(&self) -> Period {
        self.period
    }

    /// How many batches an epoch of the data has, if it is known.
    pub(super) fn batches_per_epoch(&self) -> Option<u64> {
        self.epoch.map(|epoch| epoch.batches)
    }

    /// The periods of a run that has had some which ended after so many updates. One that was cut short,
    /// because the run ended there and was branched off, is followed by what was left of it.
    pub(super) fn after(mut self, ends: &[u64]) -> Result<Self, TrainingError> {
        self.before = (ends.len(), ends.last().copied().unwrap_or(0));
        if self.before.1 >= self.updates {
            self.count = ends.len();
            return Ok(self);
        }
        self.short = self.cut_short(ends);
        let all = self.first_that_reaches(self.updates)?;
        self.count = all.saturating_add(usize::try_from(self.short).unwrap_or(usize::MAX));
        Ok(self)
    }

    /// How many of the periods with these ends were cut short.
    fn cut_short(&self, ends: &[u64]) -> u64 {
        (1..).zip(ends).fold(0, |short, (number, &end)| {
            let whole: u64 = number - short;
            short + u64::from(self.boundary(whole) != end)
        })
    }

    /// The updates that are made by the end of `period`, from 1; 0 before the first.
    pub(super) fn end(&self, period: usize) -> u64 {
        if period == self.before.0 {
            return self.before.1;
        }
        let whole = (period as u64).saturating_sub(self.short);
        self.boundary(whole).min(self.updates)
    }

    /// The updates of `period`, from the first, from 0, to the one after the last.
    pub(super) fn updates_of_period(&self, period: usize) -> (u64, u64) {
        (self.end(period.saturating_sub(1)), self.end(period))
    }

    /// Whether the last of the periods with these ends has all its updates: that with which a run ends
    /// may have fewer.
    pub(super) fn end_whole(&self, ends: &[u64]) -> bool {
        ends.is_empty() || self.cut_short(ends) == self.cut_short(&ends[..ends.len() - 1])
    }

    /// Where the period would end if the run did not.
    fn boundary(&self, period: u64) -> u64 {
        match self.period {
            Period::Updates(updates) => updates.saturating_mul(period),
            Period::Samples(samples) => self.updates_for(samples.saturating_mul(period)),
            Period::Epochs(epochs) => {
                let per_epoch = self.updates_per_epoch().unwrap_or(1) as f64;
                let exact = epochs * per_epoch * period as f64;
                // What rounding alone has put above a whole number is that number.
                (exact * (1.0 - 1e-12)).ceil() as u64
            }
        }
    }

    fn updates_per_epoch(&self) -> Option<u64> {
        self.epoch
            .map(|epoch| epoch.batches.div_ceil(self.accumulation))
    }

    /// How many updates it takes to reach that many samples.
    fn updates_for(&self, samples: u64) -> u64 {
        let Some(epoch) = self.epoch else { return 0 };
        let each = epoch
            .batch_size
            .unwrap_or(1)
            .saturating_mul(self.accumulation)
            .max(1);
        let whole = samples / epoch.samples.max(1);
        let rest = samples % epoch.samples.max(1);
        let per_epoch = self.updates_per_epoch().unwrap_or(1);
        whole
            .saturating_mul(per_epoch)
            .saturating_add(rest.div_ceil(each))
    }

    fn updates_of(&self, extent: Extent) -> Result<u64, TrainingError> {
        let (name, updates) = match extent {
            Extent::Epochs(epochs) => {
                self.known("epochs")?;
                let each = self.updates_per_epoch().unwrap_or(1);
                ("epochs", (epochs as u64).checked_mul(each))
            }
            Extent::Updates(updates) => ("max_updates", Some(updates)),
            Extent::Samples(samples) => {
                self.known_samples("max_samples")?;
                let updates = self.updates_for(samples);
                ("max_samples", (updates < u64::MAX).then_some(updates))
            }
        };
        match updates {
            Some(0) => Err(invalid(name, "at least 1", "0")),
            Some(updates) => Ok(updates),
            None => Err(invalid(name, "fewer than 2^64 updates", "more")),
        }
    }

    fn check_period(&self) -> Result<(), TrainingError> {
        match self.period {
            Period::Updates(0) => Err(invalid("every", "at least 1 update", "0")),
            Period::Updates(_) => Ok(()),
            Period::Samples(samples) => {
                let epoch = self.known_samples("every")?;
                let each = epoch
                    .batch_size
                    .unwrap_or(1)
                    .saturating_mul(self.accumulation)
                    .min(epoch.samples);
                if samples < each {
                    let expected = "at least the samples of an update";
                    let found = format!("{samples} of {each}");
                    return Err(invalid("every", expected, &found));
                }
                Ok(())
            }
            Period::Epochs(epochs) => {
                self.known("every")?;
                let updates = epochs * self.updates_per_epoch().unwrap_or(1) as f64;
                // But for rounding.
                if updates >= 1.0 - 1e-12 && updates.is_finite() {
                    return Ok(());
                }
                let found = format!("{epochs} epochs, which are {updates} updates");
                Err(invalid("every", "at least 1 update", &found))
            }
        }
    }

    fn known(&self, name: &'static str) -> Result<DataEpoch, TrainingError> {
        self.epoch.ok_or_else(|| {
            let expected = "a loader that tells the batches of an epoch, for a length in epochs or \
                samples";
            let found =
                "one that does not: say them by Loader::with_batches, or give a length in updates";
            invalid(name, expected, found)
        })
    }

    fn known_samples(&self, name: &'static str) -> Result<DataEpoch, TrainingError> {
        let epoch = self.known(name)?;
        if epoch.batch_size.is_some() && epoch.samples > 0 {
            return Ok(epoch);
        }
        let expected =
            "a loader that tells its samples and how many make a batch, for a length in samples";
        Err(invalid(
            name,
            expected,
            "one that does not: say it by Loader::with_batch_size, or give a length in updates",
        ))
    }

    /// The first period by whose end so many updates are made.
    fn first_that_reaches(&self, updates: u64) -> Result<usize, TrainingError> {
        let (mut low, mut high) = (0_u64, 1_u64);
        while self.boundary(high) < updates {
            if high == u64::MAX {
                let found = format!("{updates} updates");
                let expected = "so many that its periods and samples can be counted";
                return Err(invalid("length of the run", expected, &found));
            }
            low = high;
            high = high.saturating_mul(2);
        }
        while low + 1 < high {
            let middle = low + (high - low) / 2;
            if self.boundary(middle) < updates {
                low = middle;
            } else {
                high = middle;
            }
        }
        let found = || invalid("every", "fewer periods", &high.to_string());
        usize::try_from(high).map_err(|_| found())
    }
}

fn invalid(name: &'static str, expected: &'static str, found: &str) -> TrainingError {
    TrainingError::Invalid {
        name,
        expected,
        found: found.to_owned(),
    }
}

#[cfg(test)]
mod tests;
