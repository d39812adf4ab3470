//! Cuts the learning rate when a metric stops improving.

use serde::{Deserialize, Serialize};

use crate::plateau::{Counting, Mode, NanPolicy, Plateau, Settings, ThresholdMode};
use crate::{Build, Constant, Curve, Schedule, ScheduleConfig, ScheduleError};

/// Multiplies the base schedule by `factor` each time the observed metric has not improved for more
/// than `patience` epochs.
///
/// The metric comes in through [`Scheduler::observe`](crate::Scheduler::observe), once per epoch.
/// A cut is a multiplier over whatever the base does, warmup, cosine or another plateau:
/// `lr(t) = base(t) * multiplier`, where the multiplier starts at 1 and a cut changes it so that the
/// rate of that moment becomes `max(lr * factor, min_lr)`. Before the first cut the rate is the
/// base's to the bit; at a constant base it is PyTorch's to the bit ever after. There is no end.
///
/// An epoch is bad if its metric is not better than the best so far by more than the threshold. Bad
/// epoch `patience + 1` in a row cuts, and no bad epochs are counted in the `cooldown` epochs that
/// follow. A cut by no more than `eps` is not made, but starts patience and cooldown over.
///
/// ```
/// use burn_lr_scheduler::{ReduceLrOnPlateau, Run, Scheduler, Verdict};
///
/// let plateau = ReduceLrOnPlateau::new(0.01).with_factor(0.5).with_patience(1);
/// let mut scheduler = Scheduler::new(plateau, Run::per_update())?;
/// scheduler.observe(0.3)?;
/// scheduler.observe(0.4)?;
/// let verdicts = scheduler.observe(0.5)?;
/// assert_eq!(verdicts, [Verdict::Cut { from: 0.01, to: 0.005 }]);
/// assert_eq!(scheduler.lr(), 0.005);
/// # Ok::<(), burn_lr_scheduler::ScheduleError>(())
/// ```
///
/// With [`max_lr`](Self::max_lr) the factor may be above 1, and a cut is a rise to `min(lr * factor, max_lr)`: for what
/// shall grow when the metric stalls, such as a weight decay.
///
/// # Errors
/// `factor` must lie in (0, 1), or above that if there is a `max_lr`, `threshold`, `min_lr`, `max_lr` and `eps` be finite
/// and at least 0. Any
/// `patience` and `cooldown` are legal; a `patience` of 0 cuts on every bad epoch.
///
/// # Source
/// PyTorch's `ReduceLROnPlateau`, with its defaults. Differences: the relative threshold is
/// `best -/+ threshold * |best|`, which is right for negative metrics too
/// ([`ThresholdMode::Factor`] is PyTorch's); the base may be any schedule; a factor above 1. [`keras`](Self::keras) and
/// [`optax`](Self::optax) count as those libraries do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ReduceLrOnPlateau {
    /// The schedule that cuts are applied to.
    pub base: Box<ScheduleConfig>,
    /// Whether a smaller or a larger metric is better; `min` by default.
    #[serde(default)]
    pub mode: Mode,
    /// What a cut multiplies the rate by; 0.1 by default.
    #[serde(default = "default_factor")]
    pub factor: f64,
    /// How many bad epochs in a row are tolerated; 10 by default.
    #[serde(default = "default_patience")]
    pub patience: u64,
    /// How much better than the best a metric must be to count as improved; 1e-4 by default.
    #[serde(default = "default_threshold")]
    pub threshold: f64,
    /// Whether `threshold` is relative to the best or absolute; `rel` by default.
    #[serde(default)]
    pub threshold_mode: ThresholdMode,
    /// How many epochs after a cut are not counted; 0 by default.
    #[serde(default)]
    pub cooldown: u64,
    /// No cut goes below this rate; 0 by default.
    #[serde(default)]
    pub min_lr: f64,
    /// No rise goes above this rate; none by default, and then there are no rises.
    #[serde(default)]
    pub max_lr: Option<f64>,
    /// A cut that would change the rate by no more than this is not made; 1e-8 by default.
    #[serde(default = "default_eps")]
    pub eps: f64,
    /// What a NaN metric counts as; `bad` by default.
    #[serde(default)]
    pub nan: NanPolicy,
    /// Whose way of counting is followed; `pytorch` by default.
    #[serde(default)]
    pub counting: Counting,
}

fn default_factor() -> f64 {
    0.1
}

fn default_patience() -> u64 {
    10
}

fn default_threshold() -> f64 {
    1e-4
}

fn default_eps() -> f64 {
    1e-8
}

impl ReduceLrOnPlateau {
    /// PyTorch's defaults over a constant learning rate.
    pub fn new(initial_lr: f64) -> Self {
        Self::over(Constant::new(initial_lr))
    }

    /// PyTorch's defaults over any schedule.
    pub fn over(base: impl Into<ScheduleConfig>) -> Self {
        Self {
            base: Box::new(base.into()),
            mode: Mode::Min,
            factor: default_factor(),
            patience: default_patience(),
            threshold: default_threshold(),
            threshold_mode: ThresholdMode::Rel,
            cooldown: 0,
            min_lr: 0.0,
            max_lr: None,
            eps: default_eps(),
            nan: NanPolicy::Bad,
            counting: Counting::Pytorch,
        }
    }

    /// Keras's defaults, and its way of counting, over a constant learning rate: a cut on bad epoch
    /// `patience`, an absolute threshold (`min_delta`), no `eps`.
    ///
    /// Equals `keras.callbacks.ReduceLROnPlateau` but that the rate is not rounded to an `f32`, a
    /// first metric that is NaN does not stay the best for ever, and [`mode`](Self::mode) is to be
    /// set rather than guessed from the metric's name.
    pub fn keras(initial_lr: f64) -> Self {
        Self {
            threshold_mode: ThresholdMode::Abs,
            eps: 0.0,
            counting: Counting::Keras,
            ..Self::new(initial_lr)
        }
    }

    /// optax's defaults, and its way of counting, over a constant learning rate: a cut on bad epoch
    /// `patience`, a relative threshold (`rtol`), no `eps`.
    ///
    /// Equals `optax.contrib.reduce_on_plateau`, whose `min_scale` is `min_lr / initial_lr`. Not
    /// covered: `rtol` and `atol` at once, and `accumulation_size`; observe the mean instead. With a
    /// `patience` of 0 optax cuts on improvements; here that is a cut on every bad epoch. On
    /// negative metrics its relative threshold has PyTorch's fault.
    pub fn optax(initial_lr: f64) -> Self {
        Self {
            eps: 0.0,
            counting: Counting::Optax,
            ..Self::new(initial_lr)
        }
    }

    /// Sets whether a smaller or a larger metric is better.
    pub fn with_mode(mut self, mode: Mode) -> Self {
        self.mode = mode;
        self
    }

    /// Sets what a cut multiplies the rate by.
    pub fn with_factor(mut self, factor: f64) -> Self {
        self.factor = factor;
        self
    }

    /// Sets how many bad epochs in a row are tolerated.
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

    /// Sets how many epochs after a cut are not counted.
    pub fn with_cooldown(mut self, cooldown: u64) -> Self {
        self.cooldown = cooldown;
        self
    }

    /// Sets the rate below which no cut goes.
    pub fn with_min_lr(mut self, min_lr: f64) -> Self {
        self.min_lr = min_lr;
        self
    }

    /// Sets the rate above which no rise goes, for a factor above 1.
    pub fn with_max_lr(mut self, max_lr: f64) -> Self {
        self.max_lr = Some(max_lr);
        self
    }

    /// Sets the change of rate below which a cut is not made.
    pub fn with_eps(mut self, eps: f64) -> Self {
        self.eps = eps;
        self
    }

    /// Sets what a NaN metric counts as.
    pub fn with_nan(mut self, nan: NanPolicy) -> Self {
        self.nan = nan;
        self
    }

    /// Sets whose way of counting is followed.
    pub fn with_counting(mut self, counting: Counting) -> Self {
        self.counting = counting;
        self
    }
}

impl Schedule for ReduceLrOnPlateau {
    fn build(&self, build: &Build<'_>) -> Result<Curve, ScheduleError> {
        let max_lr = self.max_lr.map(|max| build.non_negative("max_lr", max));
        let max_lr = max_lr.transpose()?;
        let factor = match max_lr {
            None => build.check("factor", self.factor, "a number between 0 and 1", |f| {
                0.0 < f && f < 1.0
            })?,
            Some(_) => build.check(
                "factor",
                self.factor,
                "a number above 0 other than 1",
                |f| 0.0 < f && f != 1.0,
            )?,
        };
        let settings = Settings {
            path: build.path().to_owned(),
            mode: self.mode,
            factor,
            patience: self.patience,
            threshold: build.non_negative("threshold", self.threshold)?,
            threshold_mode: self.threshold_mode,
            cooldown: self.cooldown,
            min_lr: build.non_negative("min_lr", self.min_lr)?,
            max_lr: max_lr.unwrap_or(f64::INFINITY),
            eps: build.non_negative("eps", self.eps)?,
            nan: self.nan,
            counting: self.counting,
            greedy: None,
        };
        let base = build.child("base", &self.base)?;
        Ok(base.plateau(Plateau::new(settings)))
    }

    fn examples() -> Vec<(&'static str, Self)> {
        vec![(
            "ReduceLROnPlateau",
            Self::new(0.1)
                .with_factor(0.5)
                .with_patience(2)
                .with_cooldown(3),
        )]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Run, Verdict};

    #[test]
    fn a_factor_above_1_raises_up_to_the_limit() {
        let plateau = ReduceLrOnPlateau::new(0.25)
            .with_factor(2.0)
            .with_max_lr(0.75)
            .with_patience(0);
        let mut curve = ScheduleConfig::from(plateau)
            .curve(&Run::per_update())
            .unwrap();
        let mut observe = |metric| curve.observe(0, metric).unwrap()[0];
        assert_eq!(observe(1.0), Verdict::Improved);
        assert_eq!(
            observe(2.0),
            Verdict::Raised {
                from: 0.25,
                to: 0.5
            }
        );
        assert_eq!(
            observe(2.0),
            Verdict::Raised {
                from: 0.5,
                to: 0.75
            }
        );
        assert_eq!(observe(2.0), Verdict::AtFloor { lr: 0.75 });
        assert_eq!(curve.lr(7), 0.75);
    }

    #[test]
    fn the_highest_rate_is_the_limit_wherever_the_plateau_is() {
        use crate::{GreedyLr, Scaled, Scheduler};
        let highest = |schedule: ScheduleConfig| {
            let scheduler = Scheduler::new(schedule, Run::per_update()).unwrap();
            assert_eq!(scheduler.lr(), 0.25);
            scheduler.highest_lr()
        };
        let raising = |lr| {
            let plateau = ReduceLrOnPlateau::new(lr).with_factor(2.0);
            plateau.with_max_lr(0.75)
        };
        assert_eq!(highest(raising(0.25).into()), 0.75);
        assert_eq!(highest(Scaled::new(raising(0.5), 0.5).into()), 0.375);
        assert_eq!(highest(GreedyLr::new(0.25).into()), 1.0);
        assert_eq!(highest(ReduceLrOnPlateau::new(0.25).into()), 0.25);
    }

    #[test]
    fn a_factor_above_1_needs_a_limit() {
        let plateau = ReduceLrOnPlateau::new(0.1);
        for (schedule, name) in [
            (plateau.clone().with_factor(2.0), "factor"),
            (plateau.clone().with_max_lr(0.2).with_factor(1.0), "factor"),
            (plateau.with_max_lr(f64::NAN), "max_lr"),
        ] {
            let error = ScheduleConfig::from(schedule).curve(&Run::per_update());
            let name = format!("ReduceLrOnPlateau.{name}");
            assert!(matches!(error, Err(ScheduleError::Invalid { path, .. }) if path == name));
        }
    }
}
