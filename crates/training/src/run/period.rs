//! Runs that are measured in updates: where their periods begin and end.

use super::extent::{DataEpoch, Extent, Period};
use crate::TrainingError;
use crate::loader::Past;

/// The updates of each period of a run.
///
/// The data's epochs follow each other: an update does not take batches of two of them, so that an
/// epoch's last one may have fewer than the others.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Periods {
    period: Period,
    updates: u64,
    count: usize,
    /// The updates until the end of each period that is over, whatever its length was.
    ends: Vec<u64>,
    /// How many boundaries of this length are over.
    over: u64,
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
            ends: Vec::new(),
            over: 0,
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

    /// The periods of a run that has had some which ended after so many updates, of this length or, before
    /// a branch, of others. Within one, what is left of it is the next.
    pub(super) fn after(mut self, ends: Vec<u64>) -> Result<Self, TrainingError> {
        let made = ends.last().copied().unwrap_or(0);
        self.count = ends.len();
        self.ends = ends;
        if made < self.updates {
            let next = self.first_that_reaches(made.saturating_add(1))?;
            let last = self.first_that_reaches(self.updates)?;
            self.over = (next - 1) as u64;
            self.count = self.count.saturating_add(last - (next - 1));
        }
        Ok(self)
    }

    /// The updates that were made before the running period.
    pub(super) fn made(&self) -> u64 {
        self.ends.last().copied().unwrap_or(0)
    }

    /// The updates that are made by the end of `period`, from 1; 0 before the first.
    pub(super) fn end(&self, period: usize) -> u64 {
        let Some(past) = period.checked_sub(1) else {
            return 0;
        };
        if let Some(&end) = self.ends.get(past) {
            return end;
        }
        let number = self.over.saturating_add((period - self.ends.len()) as u64);
        self.boundary(number).min(self.updates)
    }

    /// The updates of `period`, from the first, from 0, to the one after the last.
    pub(super) fn updates_of_period(&self, period: usize) -> (u64, u64) {
        (self.end(period.saturating_sub(1)), self.end(period))
    }

    /// Whether the last period that is over has all its updates: that with which a run ends may have fewer.
    pub(super) fn end_whole(&self) -> Result<bool, TrainingError> {
        let made = self.made();
        Ok(made == 0 || self.boundary(self.first_that_reaches(made)? as u64) == made)
    }

    /// Whether the data, which have come as far as `past` with the updates that were made, have as many batches
    /// as they are said to.
    ///
    /// # Errors
    /// [`TrainingError::Invalid`] if they have not.
    pub(super) fn check_place(&self, past: Past) -> Result<(), TrainingError> {
        let Some(per_epoch) = self.updates_per_epoch() else {
            return Ok(());
        };
        let of_this = past.batches.div_ceil(self.accumulation);
        let made = past
            .epochs
            .saturating_mul(per_epoch)
            .saturating_add(of_this);
        if made == self.made() {
            return Ok(());
        }
        let expected = "as many as the data had that the parent was trained on";
        let Past { epochs, batches } = past;
        let found = format!(
            "{per_epoch} updates an epoch, of which {epochs} and {batches} batches were {}",
            self.made()
        );
        Err(invalid("batches of an epoch", expected, &found))
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
