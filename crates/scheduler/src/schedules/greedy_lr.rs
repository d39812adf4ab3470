//! Raises the learning rate while a metric improves, and cuts it when that stops.

use serde::{Deserialize, Serialize};

use crate::plateau::{Counting, Greedy, Mode, NanPolicy, Plateau, Settings, ThresholdMode};
use crate::{Build, Constant, Curve, Schedule, ScheduleConfig, ScheduleError};

/// Divides the rate by `factor` each time the observed metric has improved for more than `patience` epochs in a row, and
/// multiplies it by `factor` each time it has not for as many.
///
/// The metric comes in through [`Scheduler::observe`](crate::Scheduler::observe), once per epoch. As with
/// [`ReduceLrOnPlateau`](crate::ReduceLrOnPlateau), the changes are a multiplier over whatever the base does. Rises go
/// up to `max_lr`, cuts down to `min_lr`; after a cut `cooldown` epochs are passed over, after a rise `warmup`. The cut number
/// `reset_start` that finds the rate at `min_lr`, without a rise in between, begins all anew at the base's rate.
///
/// ```
/// use burn_lr_scheduler::{GreedyLr, Run, Scheduler, Verdict};
///
/// let greedy = GreedyLr::new(0.1).with_factor(0.5).with_patience(1);
/// let mut scheduler = Scheduler::new(greedy, Run::per_update())?;
/// scheduler.observe(0.5)?;
/// assert_eq!(scheduler.observe(0.4)?, [Verdict::Raised { from: 0.1, to: 0.2 }]);
/// scheduler.observe(0.6)?;
/// assert_eq!(scheduler.observe(0.6)?, [Verdict::Cut { from: 0.2, to: 0.1 }]);
/// # Ok::<(), burn_lr_scheduler::ScheduleError>(())
/// ```
///
/// # Errors
/// `factor` must lie in (0, 1), `threshold`, `min_lr`, `max_lr` and `eps` be finite and at least 0, `min_lr` at most
/// `max_lr`, and `reset_start` at least 1.
///
/// # Source
/// "GreedyLR" ([2512.14527](https://arxiv.org/abs/2512.14527)), as Hugging Face transformers has it, with its defaults.
/// Differences: no smoothing of the metric, which whoever observes may do; the base may be any schedule; its relative
/// threshold is [`ThresholdMode::Factor`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct GreedyLr {
    /// The schedule that is raised and cut.
    pub base: Box<ScheduleConfig>,
    /// Whether a smaller or a larger metric is better; `min` by default.
    #[serde(default)]
    pub mode: Mode,
    /// What a cut multiplies the rate by, and a rise divides it by; 0.95 by default.
    #[serde(default = "default_factor")]
    pub factor: f64,
    /// How many good or bad epochs in a row change nothing; 10 by default.
    #[serde(default = "default_patience")]
    pub patience: u64,
    /// How much better than the best a metric must be to count as improved; 1e-6 by default.
    #[serde(default = "default_threshold")]
    pub threshold: f64,
    /// How `threshold` is measured; `abs` by default.
    #[serde(default = "default_threshold_mode")]
    pub threshold_mode: ThresholdMode,
    /// How many epochs after a cut are passed over; 0 by default.
    #[serde(default)]
    pub cooldown: u64,
    /// How many epochs after a rise are passed over; 0 by default.
    #[serde(default)]
    pub warmup: u64,
    /// No cut goes below this rate; 0.001 by default.
    #[serde(default = "default_min_lr")]
    pub min_lr: f64,
    /// No rise goes above this rate; 1 by default.
    #[serde(default = "default_max_lr")]
    pub max_lr: f64,
    /// A change of the rate by no more than this is not made; 1e-8 by default.
    #[serde(default = "default_eps")]
    pub eps: f64,
    /// How many cuts at `min_lr` begin all anew; 500 by default.
    #[serde(default = "default_reset_start")]
    pub reset_start: u64,
    /// What a NaN metric counts as; `bad` by default.
    #[serde(default)]
    pub nan: NanPolicy,
}

fn default_factor() -> f64 {
    0.95
}

fn default_patience() -> u64 {
    10
}

fn default_threshold() -> f64 {
    1e-6
}

fn default_threshold_mode() -> ThresholdMode {
    ThresholdMode::Abs
}

fn default_min_lr() -> f64 {
    1e-3
}

fn default_max_lr() -> f64 {
    1.0
}

fn default_eps() -> f64 {
    1e-8
}

fn default_reset_start() -> u64 {
    500
}

impl GreedyLr {
    /// The defaults over a constant learning rate.
    pub fn new(initial_lr: f64) -> Self {
        Self::over(Constant::new(initial_lr))
    }

    /// The defaults over any schedule.
    pub fn over(base: impl Into<ScheduleConfig>) -> Self {
        Self {
            base: Box::new(base.into()),
            mode: Mode::Min,
            factor: default_factor(),
            patience: default_patience(),
            threshold: default_threshold(),
            threshold_mode: default_threshold_mode(),
            cooldown: 0,
            warmup: 0,
            min_lr: default_min_lr(),
            max_lr: default_max_lr(),
            eps: default_eps(),
            reset_start: default_reset_start(),
            nan: NanPolicy::Bad,
        }
    }

    /// Sets whether a smaller or a larger metric is better.
    pub fn with_mode(mut self, mode: Mode) -> Self {
        self.mode = mode;
        self
    }

    /// Sets what a cut multiplies the rate by, and a rise divides it by.
    pub fn with_factor(mut self, factor: f64) -> Self {
        self.factor = factor;
        self
    }

    /// Sets how many good or bad epochs in a row change nothing.
    pub fn with_patience(mut self, patience: u64) -> Self {
        self.patience = patience;
        self
    }

    /// Sets how much better than the best a metric must be, and how that is measured.
    pub fn with_threshold(mut self, threshold: f64, mode: ThresholdMode) -> Self {
        self.threshold = threshold;
        self.threshold_mode = mode;
        self
    }

    /// Sets how many epochs after a cut are passed over.
    pub fn with_cooldown(mut self, cooldown: u64) -> Self {
        self.cooldown = cooldown;
        self
    }

    /// Sets how many epochs after a rise are passed over.
    pub fn with_warmup(mut self, warmup: u64) -> Self {
        self.warmup = warmup;
        self
    }

    /// Sets the rates between which it stays.
    pub fn with_range(mut self, min_lr: f64, max_lr: f64) -> Self {
        self.min_lr = min_lr;
        self.max_lr = max_lr;
        self
    }

    /// Sets the change of rate that is not worth making.
    pub fn with_eps(mut self, eps: f64) -> Self {
        self.eps = eps;
        self
    }

    /// Sets how many cuts at the lowest rate begin all anew.
    pub fn with_reset_start(mut self, reset_start: u64) -> Self {
        self.reset_start = reset_start;
        self
    }

    /// Sets what a NaN metric counts as.
    pub fn with_nan(mut self, nan: NanPolicy) -> Self {
        self.nan = nan;
        self
    }
}

impl Schedule for GreedyLr {
    fn build(&self, build: &Build<'_>) -> Result<Curve, ScheduleError> {
        let max_lr = build.non_negative("max_lr", self.max_lr)?;
        if self.reset_start == 0 {
            return Err(build.invalid("reset_start", "at least 1 cut", 0));
        }
        let settings = Settings {
            path: build.path().to_owned(),
            mode: self.mode,
            factor: build.check("factor", self.factor, "a number between 0 and 1", |f| {
                0.0 < f && f < 1.0
            })?,
            patience: self.patience,
            threshold: build.non_negative("threshold", self.threshold)?,
            threshold_mode: self.threshold_mode,
            cooldown: self.cooldown,
            min_lr: build.at_most("min_lr", self.min_lr, "max_lr", max_lr)?,
            max_lr,
            eps: build.non_negative("eps", self.eps)?,
            nan: self.nan,
            counting: Counting::Pytorch,
            greedy: Some(Greedy {
                warmup: self.warmup,
                reset_start: self.reset_start,
            }),
        };
        let base = build.child("base", &self.base)?;
        Ok(base.plateau(Plateau::new(settings)))
    }

    fn examples() -> Vec<(&'static str, Self)> {
        vec![(
            "GreedyLR",
            Self::new(0.1)
                .with_factor(0.8)
                .with_patience(3)
                .with_warmup(2)
                .with_cooldown(1)
                .with_reset_start(2),
        )]
    }
}
