//! Hyperparameters that follow schedules, for Burn's Learner and for loops of one's own.

use burn::optim::lr_scheduler::{LrScheduler, LrSchedulerRecord};
use burn::optim::{LearningRate, ModuleOptimizer};
use burn_lr_scheduler::{ScheduleError, Scheduler, Verdict};

use super::super::config::OptimizerConfig;
use super::super::error::OptimError;
use super::super::hyperparameter::Hyperparameter;
use super::super::resolved::ResolvedGroups;
use super::dial::{Dial, Knob};

const RATE: &str = "rate";

/// A scheduler that sets momentum, betas or weight decay beside the learning rate.
///
/// It goes wherever a [`Scheduler`] does, into Burn's Learner or a loop of one's own, together with the optimizer that
/// it was made with: whatever it is asked for a rate, it sets there what else its schedules say. That is the
/// momentum, or Adam's beta 1, of a [`OneCycleLr`](burn_lr_scheduler::OneCycleLr) or
/// [`CyclicLr`](burn_lr_scheduler::CyclicLr), and any [`Hyperparameter`] that was given a schedule.
/// [`Training`](crate::Training) does this by itself.
///
/// ```
/// use burn::optim::AdamWConfig;
/// use burn::optim::lr_scheduler::LrScheduler;
/// use burn_lr_scheduler::{LinearLr, OneCycleLr, Run, Scheduler};
/// use burn_lr_training::optim::{Driver, Hyperparameter};
///
/// let run = Run::per_update().with_updates(100);
/// let rate = Scheduler::new(OneCycleLr::new(0.01), run)?;
/// let decay = LinearLr::new(0.1).with_start_factor(0.0).with_total_iters(100);
/// let (optimizer, mut scheduler) = Driver::new(&AdamWConfig::new().into(), rate)?
///     .with(Hyperparameter::WeightDecay, Scheduler::new(decay, run)?)?
///     .build()?;
/// let lr = scheduler.step(); // and `optimizer.step(lr, model, grads)` with a beta 1 of 0.95
/// # let _ = (lr, optimizer);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Exactness
/// Its record holds those of all its schedulers. What it sets is a function of the number of the update, so that a
/// parameter without a gradient does not fall behind. Clones set the same optimizer.
#[derive(Debug, Clone)]
pub struct Driver {
    optimizer: OptimizerConfig,
    dial: Dial,
    rate: Scheduler,
    momentum: Option<Knob>,
    others: Vec<(Knob, Scheduler)>,
}

impl Driver {
    /// One for the rate of an `optimizer`, and for what the schedule of `rate` sets beside it.
    ///
    /// # Errors
    /// What [`OptimizerConfig::check`] says, and [`OptimError::NoMomentum`] if the schedule cycles one that the
    /// optimizer lacks.
    pub fn new(optimizer: &OptimizerConfig, rate: Scheduler) -> Result<Self, OptimError> {
        optimizer.check()?;
        let dial = Dial::default();
        let momentum = if rate.has_momentum() {
            optimizer.check_cycles()?;
            Some(dial.knob(Hyperparameter::Momentum))
        } else {
            None
        };
        Ok(Self {
            optimizer: optimizer.clone(),
            dial,
            rate,
            momentum,
            others: Vec::new(),
        })
    }

    /// Has a hyperparameter follow a schedule of its own.
    ///
    /// # Errors
    /// [`OptimError::NoHyperparameter`] if the optimizer lacks it, [`OptimError::TwoSchedules`] if it has one, and
    /// [`OptimError::Schedule`] if the schedule leaves its range.
    pub fn with(mut self, of: Hyperparameter, scheduler: Scheduler) -> Result<Self, OptimError> {
        self.optimizer.check_has(of)?;
        let momentum = self.momentum.iter();
        let mut taken = momentum.chain(self.others.iter().map(|(knob, _)| knob));
        if taken.any(|knob| knob.of() == of) {
            return Err(OptimError::TwoSchedules { of: of.name() });
        }
        of.check(&scheduler)?;
        self.others.push((self.dial.knob(of), scheduler));
        Ok(self)
    }

    /// The optimizer, and the scheduler that sets it.
    ///
    /// # Errors
    /// [`OptimError::NeedsModel`] for an optimizer of [`custom_for`](OptimizerConfig::custom_for).
    pub fn build(self) -> Result<(ModuleOptimizer, Self), OptimError> {
        let groups = ResolvedGroups::default().with_dial(&self.dial);
        Ok((self.optimizer.build(&groups)?, self))
    }

    /// Tells plateaus of all schedules the metric of the epoch that has just ended, and gives what became of them:
    /// of the rate by `None`.
    ///
    /// # Errors
    /// [`ScheduleError::NanMetric`] if the metric is NaN and a plateau treats that as an error; nothing has changed
    /// then.
    pub fn observe(
        &mut self,
        metric: f64,
    ) -> Result<Vec<(Option<Hyperparameter>, Verdict)>, ScheduleError> {
        let mut told = self.clone();
        let verdicts = told.rate.observe(metric)?.into_iter();
        let mut all: Vec<_> = verdicts.map(|verdict| (None, verdict)).collect();
        for (knob, scheduler) in &mut told.others {
            let verdicts = scheduler.observe(metric)?.into_iter();
            all.extend(verdicts.map(|verdict| (Some(knob.of()), verdict)));
        }
        *self = told;
        Ok(all)
    }

    /// The scheduler of the rate.
    pub fn rate(&self) -> &Scheduler {
        &self.rate
    }

    /// What the hyperparameter was in the last update, if a schedule drives it.
    pub fn value(&self, of: Hyperparameter) -> Option<f64> {
        self.dial.values().get(of)
    }

    /// Continues where the one that made `record` stopped.
    ///
    /// # Errors
    /// As [`Scheduler::try_load_record`]; nothing has changed then.
    pub fn try_load_record(&mut self, record: &LrSchedulerRecord) -> Result<(), ScheduleError> {
        let mut loaded = self.clone();
        loaded.rate.try_load_record(&record.record(RATE))?;
        for (knob, scheduler) in &mut loaded.others {
            scheduler.try_load_record(&record.record(knob.of().name()))?;
        }
        *self = loaded;
        Ok(())
    }
}

impl LrScheduler for Driver {
    fn step(&mut self) -> LearningRate {
        if let Some(knob) = &self.momentum {
            knob.set_or_release(self.rate.momentum());
        }
        for (knob, scheduler) in &mut self.others {
            knob.set(scheduler.step());
        }
        self.rate.step()
    }

    fn to_record(&self) -> LrSchedulerRecord {
        let rate = LrSchedulerRecord::new().with_record(RATE, self.rate.to_record());
        self.others.iter().fold(rate, |record, (knob, scheduler)| {
            record.with_record(knob.of().name(), scheduler.to_record())
        })
    }

    /// As [`Scheduler::load_record`]: what does not fit is refused, and the learning rate held at 0.
    fn load_record(&mut self, record: LrSchedulerRecord) {
        if let Err(error) = self.try_load_record(&record) {
            log::error!("hyperparameters: {error}");
            // Of which nothing fits.
            self.rate.load_record(LrSchedulerRecord::new());
        }
    }
}
