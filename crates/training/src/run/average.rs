//! The average of weights as a setting of a run.

use burn::train::LearnerModel;
use burn_lr_scheduler::Run;

use super::averages::{Averages, check_earlier, is_of_average};
use super::no_schedule::statistics_of_average;
use super::period::Periods;
use super::resume::Contents;
use super::spec::keep_policy;
use super::training::Training;
use crate::TrainingError;
use crate::average::{Average, Length, Statistics, Validate};
use crate::checkpoint::{AVERAGE, AVERAGE_PARTS, KeepPolicy, MODEL};

/// # An average of the weights
impl<M: LearnerModel> Training<M> {
    /// Averages the weights along the run, beside the model, which is trained as without.
    ///
    /// The average hears of every update of the optimizer, however many batches that takes, and not of
    /// one that was [skipped](Self::non_finite). It is validated in place of the model or beside it, is
    /// what `best.bpk` holds if its metric is what that goes by, see
    /// [`Validate`](crate::average::Validate), and after the last epoch is in `average.bpk` and
    /// [`Trained::average`](crate::Trained::average). Both files are of the model as it was given, and are
    /// loaded as `final.bpk` is. Checkpoints hold it, so that it is resumed to the bit; it must not change
    /// when a run is resumed.
    ///
    /// ```no_run
    /// # use burn::train::LearnerModel;
    /// use burn_lr_training::Training;
    /// use burn_lr_training::average::Average;
    ///
    /// # fn averaged<M: LearnerModel>(training: Training<M>, model: M) -> Result<(), Box<dyn std::error::Error>> {
    /// let trained = training.average(Average::ema(0.999)).fit(model)?;
    /// let (last, average) = (trained.model, trained.average);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// Several devices are refused: there Burn makes the updates by itself.
    pub fn average(mut self, average: Average) -> Self {
        self.plan.average = Some(average);
        self
    }

    /// The parts of a checkpoint that the average adds.
    pub(super) fn more_parts(&self) -> &'static [&'static str] {
        if self.plan.average.is_some() || self.optimizer_keeps_average() {
            &AVERAGE_PARTS
        } else {
            &[]
        }
    }

    /// Whether `plan` takes something in until the end of the run, which has done so many epochs and updates
    /// when it begins. What Burn's Learner calls an epoch is a period of a run that is measured in updates.
    ///
    /// # Errors
    /// As for [`Average::check`].
    pub(super) fn check_start(
        &self,
        plan: &Average,
        done: (u64, u64),
        run: Run,
        periods: Option<&Periods>,
    ) -> Result<(), TrainingError> {
        let of_periods = |period: u64| {
            let period = usize::try_from(period).unwrap_or(usize::MAX);
            periods.map_or(0, |periods| periods.end(period))
        };
        let each = run.updates_per_epoch();
        let of_epochs = |epochs: u64| epochs.saturating_mul(each.unwrap_or(0));
        let until: Option<&dyn Fn(u64) -> u64> = match (periods, each) {
            (Some(_), _) => Some(&of_periods),
            (None, Some(_)) => Some(&of_epochs),
            (None, None) => None,
        };
        let length = Length {
            epochs: self.last_epoch(periods) as u64,
            until,
            done,
        };
        let kept = keep_policy(self.plan.keep.as_ref()).last.max(1);
        Ok(plan.check_in(&length, kept)?)
    }

    /// Whether the run can go on from what is `saved` in a checkpoint, as far as it needs others.
    ///
    /// # Errors
    /// [`TrainingError::Damaged`] if one of those is damaged.
    pub(super) fn check_earlier(&self, saved: &Contents<'_>) -> Result<(), TrainingError> {
        let plan = self.plan.average.as_ref();
        plan.map_or(Ok(()), |plan| check_earlier(plan, saved))
    }

    /// Whether the average of a run, which goes on in `periods`, takes something in until its end.
    ///
    /// # Errors
    /// As for [`Average::check`].
    pub(super) fn check_average_begins(
        &self,
        run: Run,
        periods: Option<&Periods>,
    ) -> Result<(), TrainingError> {
        let plan = self.plan.average.as_ref();
        plan.map_or(Ok(()), |plan| self.check_start(plan, (0, 0), run, periods))
    }

    /// The part of a checkpoint that `best.bpk` is a copy of.
    pub(super) fn best_part(&self, keep: &KeepPolicy) -> &'static str {
        best_part_of(
            self.plan.average.as_ref(),
            self.optimizer_keeps_average(),
            keep,
        )
    }

    /// Whether the validation has metrics of the average beside the model's.
    pub(super) fn validates_both(&self) -> bool {
        let plan = self.plan.average.as_ref();
        plan.is_some_and(|plan| plan.validate == Validate::Both)
    }

    /// The average of a run that begins with `model`, if one was asked for, or its optimizer keeps one.
    pub(super) fn averages(&self, model: &M) -> Result<Option<Averages<M>>, TrainingError> {
        if self.optimizer_keeps_average() {
            let statistics = statistics_of_average(model);
            return Ok(Some(Averages::of_optimizer(statistics, model)?));
        }
        let plan = self.plan.average.clone();
        let averages = plan.map(|plan| Averages::new(plan, model)).transpose()?;
        Ok(averages)
    }

    /// # Errors
    /// [`TrainingError::Average`] if `model` cannot be averaged as was asked for,
    /// [`TrainingError::Invalid`] if a loader cannot be asked for its batches once more.
    pub(super) fn check_average(
        &self,
        periods: Option<&Periods>,
        model: &M,
    ) -> Result<(), TrainingError> {
        let averages = self.averages(model)?;
        let Some(statistics) = averages.map(|averages| averages.plan.statistics) else {
            return Ok(());
        };
        let endless = periods.is_some_and(|periods| periods.batches_per_epoch().is_none());
        let had_again = self.train.can_be_had_again() && !endless;
        if statistics == Statistics::Recomputed && !had_again {
            return Err(TrainingError::Invalid {
                name: "average: statistics",
                expected: "to recompute them, a training loader that can be had once more: an \
                    EpochLoader, or one by Loader::replayable_by that tells its batches",
                found: "another one".to_owned(),
            });
        }
        Ok(())
    }
}

/// The part of a checkpoint that is the best by `keep`, of a run that averages as `plan` says, or whose optimizer
/// does.
pub(super) fn best_part_of(
    plan: Option<&Average>,
    optimizer_averages: bool,
    keep: &KeepPolicy,
) -> &'static str {
    match (plan, &keep.best) {
        (None, Some(_)) if optimizer_averages => AVERAGE,
        (Some(plan), Some(best)) if is_of_average(plan, &best.metric) => AVERAGE,
        _ => MODEL,
    }
}
