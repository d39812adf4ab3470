//! What the tests of every schedule run over: all registered examples, alone and combined, and two
//! schedules of a user's own.

#![allow(dead_code)]

use burn_lr_scheduler::{
    Build, Clamped, Constant, CosineDecayCycles, Curve, CustomSchedule, Length, MAX_DEPTH, Product,
    ReduceLrOnPlateau, Run, Scaled, Schedule, ScheduleConfig, ScheduleError, Scheduler, Sequence,
    StepLr, Warmup, WarmupKind,
};
use burn_optim::lr_scheduler::LrScheduler;
use serde::{Deserialize, Serialize};

/// Falls from `peak` to 0 in each period, or rises from there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sawtooth {
    pub peak: f64,
    pub period: Length,
    #[serde(default)]
    pub inverted: Option<bool>,
}

impl Sawtooth {
    pub fn new(peak: f64, period: impl Into<Length>) -> Self {
        Self {
            peak,
            period: period.into(),
            inverted: None,
        }
    }
}

impl Schedule for Sawtooth {
    fn build(&self, build: &Build<'_>) -> Result<Curve, ScheduleError> {
        let peak = build.non_negative("peak", self.peak)?;
        let period = build.steps("period", self.period)?;
        let inverted = self.inverted.unwrap_or_default();
        Ok(Curve::new(move |step| {
            let over = (step % period) as f64 / period as f64;
            peak * if inverted { over } else { 1.0 - over }
        }))
    }
}

impl CustomSchedule for Sawtooth {
    const NAME: &'static str = "Sawtooth";
}

/// Divides any schedule by the number of the step, at a rate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Damped {
    pub base: Box<ScheduleConfig>,
    #[serde(default = "one_percent")]
    pub damping: f64,
}

fn one_percent() -> f64 {
    0.01
}

impl Damped {
    pub fn over(base: impl Into<ScheduleConfig>) -> Self {
        Self {
            base: Box::new(base.into()),
            damping: one_percent(),
        }
    }
}

impl Schedule for Damped {
    fn build(&self, build: &Build<'_>) -> Result<Curve, ScheduleError> {
        let damping = build.non_negative("damping", self.damping)?;
        let base = build.child("base", &self.base)?;
        Ok(base.map(move |step, lr| lr / (1.0 + damping * step as f64)))
    }
}

impl CustomSchedule for Damped {
    const NAME: &'static str = "Damped";
}

/// 300 steps in epochs of 3, so that lengths in epochs and percent are resolved.
pub fn run() -> Run {
    Run::per_update().with_updates_per_epoch(3).with_epochs(100)
}

fn plateau(base: impl Into<ScheduleConfig>) -> ReduceLrOnPlateau {
    ReduceLrOnPlateau::over(base)
        .with_factor(0.5)
        .with_patience(1)
        .with_cooldown(2)
}

/// `schedule` inside each of the combinators.
pub fn wrapped(schedule: &ScheduleConfig) -> Vec<ScheduleConfig> {
    let inner = || schedule.clone();
    vec![
        Warmup::new(inner(), Length::Percent(10.0)).into(),
        Warmup::new(inner(), 40)
            .with_kind(WarmupKind::Exponential)
            .with_start_lr(1e-3)
            .with_prefix(false)
            .into(),
        Scaled::new(inner(), 0.3).into(),
        Clamped::new(inner())
            .with_min_lr(0.01)
            .with_max_lr(0.05)
            .into(),
        Product::new([inner(), plateau(Constant::new(1.0)).into(), inner()]).into(),
        Sequence::new([inner(), plateau(inner()).into(), inner()], [50, 200]).into(),
        plateau(inner()).into(),
    ]
}

/// Trees of several levels, with plateaus at the top, in the middle and at the bottom.
pub fn combinations() -> Vec<(&'static str, ScheduleConfig)> {
    let cosine = || CosineDecayCycles::new(0.1, 90).with_cycle_decay(0.7);
    let step = || StepLr::new(0.2, Length::Epochs(20.0));
    vec![
        (
            "plateau over a plateau over a warmup",
            plateau(plateau(Warmup::new(cosine(), 30)).with_patience(3)).into(),
        ),
        (
            "warmup into a plateau, clamped and scaled",
            Scaled::new(
                Clamped::new(Warmup::new(plateau(step()), 45)).with_min_lr(0.001),
                0.5,
            )
            .into(),
        ),
        (
            "sequences in sequences, plateaus in both",
            Sequence::new(
                [
                    Sequence::new([plateau(step()).into(), cosine().into()], [30]).into(),
                    Warmup::new(plateau(cosine()), 20)
                        .with_start_factor(0.2)
                        .into(),
                    Constant::new(0.01).into(),
                ],
                [Length::Steps(75), Length::Percent(60.0)],
            )
            .into(),
        ),
        (
            "a schedule of a user's own",
            Sawtooth::new(0.1, Length::Epochs(7.0)).into(),
        ),
        (
            "a user's own over a plateau over another one",
            Damped::over(plateau(Sawtooth {
                inverted: Some(true),
                ..Sawtooth::new(0.1, 11)
            }))
            .into(),
        ),
        (
            "a product of plateaus",
            Product::new([
                plateau(cosine()).into(),
                plateau(Constant::new(1.0)).with_factor(0.8).into(),
                Product::new([Scaled::new(Constant::new(1.0), 0.9).into()]).into(),
            ])
            .into(),
        ),
    ]
}

/// A plateau at the bottom of `depth` combinators.
pub fn nested(depth: usize) -> ScheduleConfig {
    assert!(depth <= 2 * MAX_DEPTH);
    (0..depth).fold(plateau(Constant::new(0.1)).into(), |inner, level| {
        match level % 5 {
            0 => Scaled::new(inner, 1.01).into(),
            1 => Warmup::new(inner, 3).with_start_factor(0.5).into(),
            2 => Clamped::new(inner).with_min_lr(1e-6).into(),
            3 => Sequence::new([Constant::new(0.05).into(), inner], [2]).into(),
            _ => Product::new([inner, Constant::new(1.0).into()]).into(),
        }
    })
}

/// The metric of an epoch: improving, stuck, worse, NaN, infinite, negative.
pub fn metric(epoch: u64) -> f64 {
    match epoch % 29 {
        7 => f64::NAN,
        11 => f64::INFINITY,
        e if e < 6 => 2.0 - 0.2 * e as f64 - 0.1 * (epoch / 29) as f64,
        e if e < 20 => 1.0 + 0.01 * e as f64,
        e => -0.001 * (e * (epoch / 29)) as f64,
    }
}

/// All of them, with titles.
pub fn subjects() -> Vec<(String, ScheduleConfig)> {
    let mut all = Vec::new();
    for (title, schedule) in ScheduleConfig::examples() {
        all.push((title.to_owned(), schedule));
    }
    for (title, schedule) in combinations() {
        all.push((title.to_owned(), schedule));
    }
    all.push(("nested".to_owned(), nested(30)));
    all
}

/// One for [`run`].
pub fn scheduler(schedule: &ScheduleConfig) -> Scheduler {
    Scheduler::new(schedule.clone(), run()).unwrap()
}

/// One update, and after the last of an epoch an observation.
pub fn advance(scheduler: &mut Scheduler) -> f64 {
    let lr = scheduler.step();
    if scheduler.updates().is_multiple_of(3) {
        scheduler.observe(metric(scheduler.updates() / 3)).unwrap();
    }
    lr
}

/// What would be written to disk.
pub fn bytes(scheduler: &Scheduler) -> Vec<u8> {
    scheduler.to_record().into_bytes().unwrap().to_vec()
}
