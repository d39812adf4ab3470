//! How a run goes on from what it, or the one that it branched off, has done.

use burn::train::LearnerModel;
use burn_lr_scheduler::Run;

use super::extent::{Extent, Period};
use super::period::Periods;
use super::training::Training;
use crate::TrainingError;
use crate::loader::Past;
use crate::metrics::{DataPosition, History};

impl<M: LearnerModel> Training<M> {
    /// Whether a run with `history` can go on as it is set; `periods` are those of the whole run, if it is
    /// measured in updates.
    pub(super) fn check_going_on(
        &self,
        history: &History,
        run: Run,
        periods: Option<&Periods>,
    ) -> Result<(), TrainingError> {
        self.check_lineage(history)?;
        let periods = self.periods_after(periods, history)?;
        self.check_done(history, periods.as_ref())?;
        self.check_average_begins(run, periods.as_ref())
    }

    /// Whether a run that has come as far as `history`, and goes on in `periods`, can be as long as is asked
    /// for.
    pub(super) fn check_done(
        &self,
        history: &History,
        periods: Option<&Periods>,
    ) -> Result<(), TrainingError> {
        let done = history.epochs.len();
        let is_over = match (self.plan.extent, periods) {
            (Extent::Epochs(epochs), None) => done > epochs,
            (_, None) => false,
            (_, Some(periods)) => {
                let made = periods.made();
                // A branch goes on with what is left of such a period, and says so.
                let branched = history.branches.last();
                let branched = branched.is_some_and(|branch| branch.epoch == done);
                if periods.updates() > made && !branched && !periods.end_whole()? {
                    return Err(TrainingError::Invalid {
                        name: "length of the run",
                        expected: "the one it had, which has cut its last period short: as a run of its own \
                            it can go on from there, by Training::branch",
                        found: format!(
                            "{} updates, of a run that has ended after {made}, before the end of period \
                             {done}",
                            periods.updates()
                        ),
                    });
                }
                made > periods.updates()
            }
        };
        if is_over {
            return Err(self.too_short(history));
        }
        Ok(())
    }

    /// That the run is to be shorter than `history`.
    fn too_short(&self, history: &History) -> TrainingError {
        let last = history.epochs.last();
        let data = last.and_then(|last| last.data);
        let (unit, asked, done) = match self.plan.extent {
            Extent::Epochs(epochs) => {
                let of_data = data.and_then(|data| data.epoch);
                let done = of_data.unwrap_or(history.epochs.len() as f64);
                // Never as few as are asked for.
                let done = (done * 100.0).ceil() / 100.0;
                ("epochs", epochs as u64, done.to_string())
            }
            Extent::Updates(updates) => {
                let done = last.map_or(0, |last| last.updates);
                ("updates", updates, done.to_string())
            }
            Extent::Samples(samples) => {
                let done = data.map_or(0, |data| data.samples);
                ("samples", samples, done.to_string())
            }
        };
        TrainingError::TooShort { unit, asked, done }
    }

    /// The periods in which a run goes on that has come as far as `history`; `periods` are those of the whole
    /// run, if it is measured in updates. One in epochs has periods too where it has branched off such a
    /// run: its epochs have other numbers than those of the data then, and the first may be the rest of one.
    pub(super) fn periods_after(
        &self,
        periods: Option<&Periods>,
        history: &History,
    ) -> Result<Option<Periods>, TrainingError> {
        let data = history.epochs.last().and_then(|last| last.data);
        let periods = match (periods, data) {
            (Some(periods), _) => periods.clone(),
            (None, None) => return Ok(None),
            (None, Some(_)) => {
                let batches = self.train.batches().filter(|&batches| batches > 0);
                let devices = self.place.workers();
                if devices > 1 {
                    return Err(TrainingError::Invalid {
                        name: "branch",
                        expected: "a single device, off a run that is measured in updates",
                        found: format!("{devices} devices"),
                    });
                }
                self.in_periods(Some(Period::Epochs(1.0)), batches.map(|of| of as u64))?
            }
        };
        periods.after(history.ends()).map(Some)
    }

    /// Adds to `history`, of a run in epochs, where in the data its epochs end.
    ///
    /// # Errors
    /// [`TrainingError::Invalid`] for a loader that does not count its samples: those before would be lost.
    pub(super) fn count_data(
        &self,
        history: &mut History,
        periods: &Periods,
    ) -> Result<(), TrainingError> {
        let samples = self.train.samples() as u64;
        for epoch in &mut history.epochs {
            if epoch.data.is_some() {
                continue;
            }
            if samples == 0 {
                return Err(TrainingError::Invalid {
                    name: "training samples",
                    expected: "a loader that counts them, for a branch in updates off a run in epochs",
                    found: "one that does not".to_owned(),
                });
            }
            let epochs = epoch.epoch as u64;
            let past = Past { epochs, batches: 0 };
            let samples = samples.saturating_mul(epochs);
            epoch.data = Some(DataPosition::new(
                past,
                samples,
                periods.batches_per_epoch(),
            ));
        }
        Ok(())
    }
}
