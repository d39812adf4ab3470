//! The counter around a curve: what goes into Burn's Learner or a hand-written loop.

use std::sync::Arc;

use burn_optim::LearningRate;
use burn_optim::lr_scheduler::{LrScheduler, LrSchedulerRecord};

use crate::build::RunUse;
use crate::hyperparameters::Hyperparameters;
use crate::plateau::{PlateauState, Verdict};
use crate::record;
use crate::{Build, Clock, Curve, Run, ScheduleConfig, ScheduleError};

/// A schedule with a counter: implements Burn's [`LrScheduler`].
///
/// The first [`step`](LrScheduler::step) gives the learning rate of the first optimizer update.
/// The whole state is in the record, so a freshly built scheduler that loads it continues exactly
/// where the saved one stopped; the record also holds the hyperparameters, and is refused by a
/// scheduler that was configured differently. A record that lacks a hyperparameter, because the
/// schedule had none when it was made, stands for the default. To the configuration belongs of the [`Run`] what the
/// schedule depends on: when it advances, the number of updates in an epoch if it advances per epoch
/// or has lengths in epochs or percent, and the number of epochs if it has lengths in percent. A run
/// without the latter may be extended.
///
/// ```
/// use burn_lr_scheduler::{Run, Scheduler, StepLr};
/// use burn_optim::lr_scheduler::LrScheduler;
///
/// // Epochs of 2 updates, a tenth after every epoch.
/// let mut scheduler = Scheduler::new(StepLr::new(0.1, 1), Run::per_epoch(2))?;
/// assert_eq!((scheduler.step(), scheduler.step()), (0.1, 0.1));
///
/// let mut resumed = Scheduler::new(StepLr::new(0.1, 1), Run::per_epoch(2))?;
/// resumed.try_load_record(&scheduler.to_record())?;
/// assert_eq!(resumed.step(), scheduler.step());
/// # Ok::<(), burn_lr_scheduler::ScheduleError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Scheduler {
    config: Arc<ScheduleConfig>,
    hyperparameters: Arc<Hyperparameters>,
    run: Run,
    curve: Curve,
    updates: u64,
    refused: Option<ScheduleError>,
}

impl Scheduler {
    /// Validates `schedule` for `run` and starts at the first update.
    ///
    /// # Errors
    /// [`ScheduleError`] naming the hyperparameter that is outside its range, the length that
    /// cannot be resolved, or the run's number of updates per epoch or of epochs if that is 0, or
    /// missing where the schedule advances per epoch.
    pub fn new(schedule: impl Into<ScheduleConfig>, run: Run) -> Result<Self, ScheduleError> {
        check(&run)?;
        let config = schedule.into();
        let uses = RunUse::default();
        let curve = config.build(&Build::root(&run, &uses))?;
        let hyperparameters = Hyperparameters::new(&config, &run, &uses)?;
        Ok(Self {
            config: Arc::new(config),
            hyperparameters: Arc::new(hyperparameters),
            run,
            curve,
            updates: 0,
            refused: None,
        })
    }

    /// The schedule this was built from.
    pub fn config(&self) -> &ScheduleConfig {
        &self.config
    }

    /// The run this was built for.
    pub fn run(&self) -> &Run {
        &self.run
    }

    /// The learning rate that the next [`step`](LrScheduler::step) will return.
    pub fn lr(&self) -> LearningRate {
        match self.refused {
            Some(_) => 0.0,
            None => self.curve.lr(self.run.step_of_update(self.updates)),
        }
    }

    /// What [`lr`](Self::lr) would be once every [plateau](crate::ReduceLrOnPlateau) has raised it as far as it goes.
    pub fn highest_lr(&self) -> LearningRate {
        match self.refused {
            Some(_) => 0.0,
            None => self.curve.highest_lr(self.run.step_of_update(self.updates)),
        }
    }

    /// The momentum, or Adam's beta 1, that goes with [`lr`](Self::lr), where the schedule
    /// [has one](Curve::momentum).
    ///
    /// Burn's optimizers are handed a rate alone: burn-lr-training's `Driver` sets the rest too, in Burn's Learner
    /// and in loops of one's own, and its `Training` does by itself.
    pub fn momentum(&self) -> Option<f64> {
        self.curve.momentum(self.run.step_of_update(self.updates))
    }

    /// Whether the schedule has a [momentum](Self::momentum) at any step.
    pub fn has_momentum(&self) -> bool {
        self.curve.has_momentum()
    }

    /// How many optimizer updates were made.
    pub fn updates(&self) -> u64 {
        self.updates
    }

    /// Moves the counter: the next [`step`](LrScheduler::step) is optimizer update number `updates`,
    /// from 0. Plateaus keep what they have observed.
    pub fn seek(&mut self, updates: u64) {
        self.updates = updates;
    }

    /// Goes on where another schedule stopped, whose scheduler made `record`: with the update after its last
    /// one, and, if it had as many plateaus, with what those have observed and cut, in the order of the
    /// trees. Otherwise the plateaus here begin anew; gives whether they do not.
    ///
    /// For a run that goes on under a schedule that is not the one it had;
    /// [`try_load_record`](Self::try_load_record) refuses that.
    ///
    /// # Errors
    /// [`ScheduleError::MissingValue`] if the record is incomplete; nothing has changed then.
    pub fn branch_from(&mut self, record: &LrSchedulerRecord) -> Result<bool, ScheduleError> {
        let (updates, kept) = record::take_over(record, &mut self.curve)?;
        self.updates = updates;
        self.refused = None;
        Ok(kept)
    }

    /// Tells every active [plateau](crate::ReduceLrOnPlateau) the metric of the epoch that has just
    /// ended. Call it once per epoch; a schedule without a plateau ignores it.
    ///
    /// # Errors
    /// [`ScheduleError::NanMetric`] if the metric is NaN and a plateau treats that as an error;
    /// nothing has changed then.
    pub fn observe(&mut self, metric: f64) -> Result<Vec<Verdict>, ScheduleError> {
        let last = self.run.step_of_update(self.updates.saturating_sub(1));
        self.curve.observe(last, metric)
    }

    /// The states of all plateaus, outer ones first.
    pub fn plateaus(&self) -> Vec<PlateauState> {
        self.curve.plateaus()
    }

    /// Continues where the scheduler that made `record` stopped.
    ///
    /// # Errors
    /// [`ScheduleError::OtherSchedule`], [`ScheduleError::Changed`] or
    /// [`ScheduleError::MissingValue`] if the record was made by another schedule, by the same one
    /// with other hyperparameters, or is incomplete. The scheduler is then as it was before.
    pub fn try_load_record(&mut self, record: &LrSchedulerRecord) -> Result<(), ScheduleError> {
        let mut curve = self.curve.clone();
        let name = self.config.name();
        let updates = record::read(record, name, &self.hyperparameters, &mut curve)?;
        self.curve = curve;
        self.updates = updates;
        self.refused = None;
        Ok(())
    }

    /// Why the last [`load_record`](LrScheduler::load_record) was refused, if it was.
    pub fn refused_record(&self) -> Option<&ScheduleError> {
        self.refused.as_ref()
    }
}

fn check(run: &Run) -> Result<(), ScheduleError> {
    let invalid = |name: &str, expected: &str, found: &str| ScheduleError::Invalid {
        path: format!("run.{name}"),
        expected: expected.to_owned(),
        found: found.to_owned(),
    };
    for (name, value) in [
        ("updates_per_epoch", run.updates_per_epoch()),
        ("epochs", run.epochs()),
        ("updates", run.updates()),
    ] {
        if value == Some(0) {
            return Err(invalid(name, "at least 1", "0"));
        }
    }
    // A document of a run may say so.
    if run.clock() == Clock::PerEpoch && run.updates_per_epoch().is_none() {
        let expected = "a number, for a schedule that advances per epoch";
        return Err(invalid("updates_per_epoch", expected, "none"));
    }
    Ok(())
}

impl LrScheduler for Scheduler {
    fn step(&mut self) -> LearningRate {
        let lr = self.lr();
        self.updates = self.updates.saturating_add(1);
        lr
    }

    fn to_record(&self) -> LrSchedulerRecord {
        record::write(&self.hyperparameters, &self.curve, self.updates)
    }

    /// Loads the record like [`try_load_record`](Scheduler::try_load_record). Burn's signature has
    /// no room for an error, and training on with a restarted schedule would spoil the run in
    /// silence. So a refused record changes nothing, is logged as an error and printed to standard
    /// error, and from then on every learning rate is 0: the weights stay as they are until a
    /// record is accepted.
    fn load_record(&mut self, record: LrSchedulerRecord) {
        if let Err(error) = self.try_load_record(&record) {
            log::error!("learning-rate scheduler: {error}");
            eprintln!("learning-rate scheduler: {error}; the learning rate is held at 0");
            self.refused = Some(error);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Constant, ReduceLrOnPlateau, Sequence, StepLr};

    #[test]
    fn an_epoch_lasts_its_updates() {
        let mut scheduler = Scheduler::new(StepLr::new(1.0, 2), Run::per_epoch(3)).unwrap();
        let lrs: Vec<f64> = (0..7).map(|_| scheduler.step()).collect();
        assert_eq!(lrs, [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.1]);
    }

    #[test]
    fn another_schedule_goes_on_where_one_was() {
        use crate::{Cooldown, WsdDecay};

        let plateau = || {
            ReduceLrOnPlateau::new(0.8)
                .with_patience(0)
                .with_factor(0.5)
        };
        let mut stable = Scheduler::new(plateau(), Run::per_update()).unwrap();
        for metric in [1.0, 2.0] {
            stable.step();
            stable.observe(metric).unwrap();
        }
        let cooldown = Cooldown::new(plateau(), 2, 2).with_kind(WsdDecay::Linear);
        let mut cooled = Scheduler::new(cooldown, Run::per_update()).unwrap();
        assert!(cooled.branch_from(&stable.to_record()).unwrap());
        assert_eq!(
            (cooled.step(), cooled.step(), cooled.step()),
            (0.4, 0.2, 0.0)
        );
        let mut constant = Scheduler::new(Constant::new(0.3), Run::per_update()).unwrap();
        assert!(!constant.branch_from(&stable.to_record()).unwrap());
        assert_eq!((constant.updates(), constant.step()), (2, 0.3));
        let nothing = LrSchedulerRecord::new();
        assert!(matches!(
            cooled.branch_from(&nothing),
            Err(ScheduleError::MissingValue { .. })
        ));
        assert_eq!(cooled.updates(), 5);
    }

    #[test]
    fn a_plateau_in_a_sequence_waits_for_its_turn() {
        let plateau = ReduceLrOnPlateau::new(0.1).with_patience(0);
        let sequence = Sequence::new([Constant::new(0.01).into(), plateau.into()], [2]);
        let mut scheduler = Scheduler::new(sequence, Run::per_epoch(1)).unwrap();
        let mut counts = Vec::new();
        for metric in [1.0, 2.0, 3.0, 4.0] {
            scheduler.step();
            counts.push(scheduler.observe(metric).unwrap().len());
        }
        assert_eq!(counts, [0, 0, 1, 1]);
        assert_eq!(scheduler.plateaus()[0].cuts, 1);
    }

    #[test]
    fn a_run_that_says_nothing_of_its_epochs_is_refused() {
        let nothing = r#"{"clock": "per_epoch", "updates_per_epoch": null, "epochs": null}"#;
        for run in [
            serde_json::from_str(nothing).unwrap(),
            Run::per_epoch(0),
            Run::per_update().with_updates_per_epoch(0),
        ] {
            assert!(matches!(
                Scheduler::new(Constant::new(0.1), run),
                Err(ScheduleError::Invalid { path, .. }) if path == "run.updates_per_epoch"
            ));
        }
    }
}
