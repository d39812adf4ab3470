//! Optimizers that need no schedule: what a run with one must be, and what is to be said of its schedule.

use burn::module::Module;
use burn::train::LearnerModel;
use burn_lr_scheduler::{Run, Scheduler};
use serde_json::Value;

use super::schedulers::Track;
use super::training::Training;
use crate::TrainingError;
use crate::average::Statistics;
use crate::optim::{OptimError, OptimizerConfig, parameters};

/// What the highest rate of Prodigy may be: 1 is meant.
const PRODIGY_RATES: std::ops::RangeInclusive<f64> = 0.1..=10.0;

/// At so many updates of a run its rate is looked at.
const LOOKED_AT: u64 = 4096;

/// The updates that are looked at of a run whose length is not known.
const UNKNOWN: u64 = 100_000;

impl<M: LearnerModel> Training<M> {
    /// The optimizers of the run and of its groups.
    fn optimizers(&self) -> impl Iterator<Item = &OptimizerConfig> {
        let own = self.plan.groups.iter();
        let own = own.filter_map(|group| group.own_optimizer());
        std::iter::once(&self.plan.optimizer).chain(own)
    }

    /// Whether an optimizer keeps an average itself, which is evaluated in place of what is trained.
    pub(super) fn optimizer_keeps_average(&self) -> bool {
        self.optimizers().any(OptimizerConfig::keeps_average)
    }

    fn prodigy(&self) -> Option<&OptimizerConfig> {
        let mut optimizers = self.optimizers();
        optimizers.find(|optimizer| matches!(optimizer, OptimizerConfig::Prodigy(_)))
    }

    /// The optimizers that keep an average, each with the scheduler of its rate among `tracks`, that of all
    /// parameters first.
    fn averaging<'a>(
        &'a self,
        tracks: &'a [Track],
    ) -> impl Iterator<Item = (&'a OptimizerConfig, &'a Scheduler)> {
        let rate_of = move |name: &str| {
            let mut rates = tracks.iter().filter(|track| track.hyperparameter.is_none());
            let own = rates.find(|track| track.group.as_deref() == Some(name));
            &own.unwrap_or(&tracks[0]).scheduler
        };
        let of_groups = self.plan.groups.iter().filter_map(move |group| {
            let own = group.own_optimizer()?;
            Some((own, rate_of(group.name())))
        });
        let all = std::iter::once((&self.plan.optimizer, &tracks[0].scheduler)).chain(of_groups);
        all.filter(|(optimizer, _)| optimizer.keeps_average())
    }

    /// Whether the run is one for its optimizer, whose rates `tracks` give, that of all parameters first, and what
    /// is to be said of that.
    ///
    /// # Errors
    /// [`TrainingError::Invalid`] for several devices and for an average beside that of the optimizer,
    /// [`OptimError::ProdigyRate`] if Prodigy has rates that are not meant for it.
    pub(super) fn check_optimizer(
        &self,
        tracks: &[Track],
        run: Run,
    ) -> Result<Vec<String>, TrainingError> {
        let averaging = self.averaging(tracks).next();
        let averaging = averaging.map(|(optimizer, _)| optimizer);
        let prodigy = self.prodigy();
        let Some(first) = averaging.or(prodigy) else {
            return Ok(Vec::new());
        };
        let workers = self.place.workers();
        if workers > 1 {
            return Err(TrainingError::Invalid {
                name: "optimizer",
                expected: "one that Burn can step itself, on several devices",
                found: format!("{} on {workers} devices", first.name()),
            });
        }
        if let Some(averaging) = averaging
            && self.plan.average.is_some()
        {
            return Err(TrainingError::Invalid {
                name: "average",
                expected: "none beside that of the optimizer, which is validated and kept",
                found: format!("one with {}", averaging.name()),
            });
        }
        let mut notices = Vec::new();
        if let Some(OptimizerConfig::Prodigy(config)) = prodigy {
            // Its groups have no other rate.
            let scheduler = &tracks[0].scheduler;
            let rates = Rates::of(scheduler, run);
            let schedule = scheduler.config().name();
            if !PRODIGY_RATES.contains(&rates.highest) {
                let found = rates.highest;
                return Err(OptimError::ProdigyRate { found }.into());
            }
            let risen = match (rates.restarts, rates.warms_up) {
                (true, _) => Some("rises again after it has fallen"),
                (false, true) => Some("rises at first"),
                (false, false) => None,
            };
            if let Some(risen) = risen
                && !config.safeguard_warmup
            {
                notices.push(format!(
                    "Prodigy may overestimate its step size, since the rate of {schedule} {risen}: set \
                     safeguard_warmup, or have a rate that is constant or only falls"
                ));
            }
        }
        let mut falling = self.averaging(tracks);
        if let Some((averaging, scheduler)) = falling.find(|(_, of)| Rates::of(of, run).falls) {
            let schedule = scheduler.config().name();
            notices.push(format!(
                "{} needs no rate that falls, and has that of {schedule}: its average, in which iterates count \
                 by the highest rate so far, stands for the decay",
                averaging.name()
            ));
        }
        Ok(notices)
    }
}

/// Whether an optimizer of the run that `config` is of, the content of a `burn-lr.json`, keeps an average itself.
pub(super) fn keeps_average(config: &Value) -> bool {
    let fixed = &config["fixed"];
    let groups = fixed["groups"].as_array().into_iter().flatten();
    let mut all = groups.chain([fixed]).map(|of| of["optimizer"].clone());
    all.any(|optimizer| {
        let optimizer = serde_json::from_value::<OptimizerConfig>(optimizer);
        optimizer.is_ok_and(|optimizer| optimizer.keeps_average())
    })
}

/// What becomes of the running statistics of `model` where the optimizer's average is evaluated.
pub(super) fn statistics_of_average<M: Module>(model: &M) -> Statistics {
    let running =
        |name: &str, module: &str| name.starts_with("running_") || module.contains("BatchNorm");
    let mut buffers = parameters(model)
        .into_iter()
        .filter(|param| !param.trainable);
    if buffers.any(|param| running(param.name(), &param.module)) {
        Statistics::Recomputed
    } else {
        Statistics::Copied
    }
}

/// How the rate goes in a run.
#[derive(Debug, Default, PartialEq)]
struct Rates {
    highest: f64,
    /// Whether it rises before it falls.
    warms_up: bool,
    falls: bool,
    /// Whether it rises after it has fallen.
    restarts: bool,
}

impl Rates {
    fn of(scheduler: &Scheduler, run: Run) -> Self {
        let in_epochs = || run.epochs()?.checked_mul(run.updates_per_epoch()?);
        let updates = run.updates().or_else(in_epochs).unwrap_or(UNKNOWN).max(1);
        let stride = updates.div_ceil(LOOKED_AT).max(1);
        let mut scheduler = scheduler.clone();
        let mut rate = |update| {
            scheduler.seek(update);
            scheduler.lr()
        };
        let mut rates = Self::default();
        let mut before = rate(0);
        let last = std::iter::once(updates - 1);
        for update in (0..updates - 1)
            .step_by(usize::try_from(stride).unwrap_or(usize::MAX))
            .chain(last)
        {
            let rate = rate(update);
            rates.highest = rates.highest.max(rate);
            let rises = rate > before * (1.0 + 1e-9);
            rates.restarts |= rises && rates.falls;
            rates.warms_up |= rises && !rates.falls;
            rates.falls |= rate < before * (1.0 - 1e-9);
            before = rate;
        }
        rates
    }
}

#[cfg(test)]
mod tests {
    use burn_lr_scheduler::{
        Constant, CosineAnnealingLr, CosineAnnealingWarmRestarts, Length, ScheduleConfig, Warmup,
    };

    use super::*;

    fn rates(schedule: impl Into<ScheduleConfig>) -> (bool, bool, bool) {
        let run = Run::per_update().with_updates_per_epoch(10).with_epochs(10);
        let scheduler = Scheduler::new(schedule, run).unwrap();
        let rates = Rates::of(&scheduler, run);
        assert!((rates.highest - 1.0).abs() < 1e-12);
        (rates.warms_up, rates.falls, rates.restarts)
    }

    #[test]
    fn rises_falls_and_restarts_are_told_apart() {
        let cosine = || CosineAnnealingLr::new(1.0, Length::Percent(100.0));
        assert_eq!(rates(Constant::new(1.0)), (false, false, false));
        assert_eq!(rates(cosine()), (false, true, false));
        assert_eq!(
            rates(Warmup::new(Constant::new(1.0), 10)),
            (true, false, false)
        );
        assert_eq!(rates(Warmup::new(cosine(), 10)), (true, true, false));
        assert_eq!(
            rates(CosineAnnealingWarmRestarts::new(1.0, 30)),
            (false, true, true)
        );
    }
}
