//! A ramp in front of any schedule.

use serde::{Deserialize, Serialize};

use crate::curve::Part;
use crate::warmup_kind::WarmupKind;
use crate::{Build, Curve, Length, PolynomialLr, Schedule, ScheduleConfig, ScheduleError};

/// Leads up to the base schedule in `length` steps, from `start_factor` times its value or from
/// `start_lr`.
///
/// With `p = t / length` and `s` the start value, for `t < length`:
///
/// - linear: `lr(t) = s + (target - s) * p`
/// - exponential: `lr(t) = s^(1 - p) * target^p`
/// - constant: `lr(t) = s`
/// - cosine: `lr(t) = s + (target - s) * (1 - cos(pi * p)) / 2`
/// - 1-sqrt: `lr(t) = s + (target - s) * (1 - sqrt(1 - p))`
/// - log: `lr(t) = s + (target - s) * ln(1 + t) / ln(length)`
///
/// The base schedule starts after the warmup: the target is its value at its own step 0, and
/// `lr(t) = base(t - length)` from step `length` on. With `prefix` set to false it runs underneath
/// the warmup: the target is `base(t)` itself, and `lr(t) = base(t)` from step `length` on. Either
/// way a ramp meets the base at `length`, and a target that a plateau has cut is followed. With a
/// `target_lr` the ramp leads there, and the base goes on from wherever it stands. Step 0 is the start
/// value; an empty warmup is none at all. `length` may end between two steps, if `prefix` is false.
///
/// A plateau in a base that starts after the warmup observes nothing before it starts. Put the
/// plateau around the warmup, or set `prefix` to false, to have it observe from the beginning.
///
/// ```
/// use burn_lr_scheduler::{Run, ScheduleConfig, StepLr, Warmup};
///
/// let schedule = Warmup::new(StepLr::new(0.4, 2), 4).with_start_factor(0.25);
/// let curve = ScheduleConfig::from(schedule).curve(&Run::per_update())?;
/// let lrs: Vec<f64> = [0, 2, 4, 5, 6].map(|step| curve.lr(step)).to_vec();
/// assert_eq!(lrs, [0.1, 0.25, 0.4, 0.4, 0.4 * 0.1]);
/// # Ok::<(), burn_lr_scheduler::ScheduleError>(())
/// ```
///
/// # Errors
/// `start_factor` must lie in 0 to 1, `start_lr` be finite and at least 0; only one of them may be
/// given. An exponential or constant warmup needs one, an exponential one above 0; without either
/// any other starts from 0. `target_lr` must be finite and at least 0.
///
/// # Source
/// Linear, exponential and constant are mmcv's (`warmup`, `warmup_ratio`), cosine and 1-sqrt Hugging
/// Face's (`warmup_type`), log is DeepSpeed's; `prefix` is timm's `warmup_prefix`. Differences: timm's
/// default is false but for steps, and a timm warmup without prefix has the base's initial value as its
/// `target_lr`, to drop to where the base stands when it ends. optax's `warmup_cosine_decay_schedule` and
/// `warmup_exponential_decay_schedule` are the linear kind with a `start_lr`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Warmup {
    /// The schedule that is led up to.
    pub base: Box<ScheduleConfig>,
    /// How long the warmup lasts.
    pub length: Length,
    /// The shape of the ramp; linear by default.
    #[serde(default)]
    pub kind: WarmupKind,
    /// The start value as a share of the target.
    #[serde(default)]
    pub start_factor: Option<f64>,
    /// The start value as a learning rate.
    #[serde(default)]
    pub start_lr: Option<f64>,
    /// The learning rate that the ramp leads to; the base's own by default.
    #[serde(default)]
    pub target_lr: Option<f64>,
    /// Whether the base schedule's step 0 comes after the warmup; true by default.
    #[serde(default = "default_prefix")]
    pub prefix: bool,
}

fn default_prefix() -> bool {
    true
}

impl Warmup {
    /// A linear warmup from 0, after which `base` starts.
    pub fn new(base: impl Into<ScheduleConfig>, length: impl Into<Length>) -> Self {
        Self {
            base: Box::new(base.into()),
            length: length.into(),
            kind: WarmupKind::Linear,
            start_factor: None,
            start_lr: None,
            target_lr: None,
            prefix: default_prefix(),
        }
    }

    /// D2Z: a linear warmup to `peak_lr`, and a line from there to 0, usually over 10 % and 90 % of the run.
    ///
    /// ```
    /// use burn_lr_scheduler::{Length::Percent, Run, ScheduleConfig, Warmup};
    ///
    /// let run = Run::per_update().with_updates_per_epoch(10).with_epochs(4);
    /// let d2z = ScheduleConfig::from(Warmup::d2z(0.4, Percent(10.0), Percent(90.0)));
    /// let curve = d2z.curve(&run)?;
    /// assert_eq!([0, 2, 4, 22, 40].map(|step| curve.lr(step)), [0.0, 0.2, 0.4, 0.2, 0.0]);
    /// # Ok::<(), burn_lr_scheduler::ScheduleError>(())
    /// ```
    ///
    /// # Source
    /// [Bergsma et al. 2025](https://arxiv.org/abs/2502.15938), "Straight to Zero".
    pub fn d2z(peak_lr: f64, length: impl Into<Length>, decay: impl Into<Length>) -> Self {
        Self::new(PolynomialLr::new(peak_lr).with_total_iters(decay), length)
    }

    /// Sets the shape of the ramp.
    pub fn with_kind(mut self, kind: WarmupKind) -> Self {
        self.kind = kind;
        self
    }

    /// Sets the start value as a share of the target.
    pub fn with_start_factor(mut self, start_factor: f64) -> Self {
        self.start_factor = Some(start_factor);
        self
    }

    /// Sets the start value as a learning rate.
    pub fn with_start_lr(mut self, start_lr: f64) -> Self {
        self.start_lr = Some(start_lr);
        self
    }

    /// Sets the learning rate that the ramp leads to, in place of the base's own.
    pub fn with_target_lr(mut self, target_lr: f64) -> Self {
        self.target_lr = Some(target_lr);
        self
    }

    /// Sets whether the base schedule's step 0 comes after the warmup.
    pub fn with_prefix(mut self, prefix: bool) -> Self {
        self.prefix = prefix;
        self
    }

    /// The start value for a target.
    fn start(&self, build: &Build<'_>) -> Result<impl Fn(f64) -> f64 + use<>, ScheduleError> {
        let exponential = self.kind == WarmupKind::Exponential;
        let (factor, lr) = match (self.start_factor, self.start_lr) {
            (Some(_), Some(lr)) => {
                let expected = "only one of start_factor and start_lr";
                return Err(build.invalid("start_lr", expected, lr));
            }
            (Some(factor), None) => {
                let accept = |f: f64| (0.0..=1.0).contains(&f) && !(exponential && f == 0.0);
                let expected = if exponential {
                    "a number above 0, at most 1"
                } else {
                    "a number from 0 to 1"
                };
                let factor = build.check("start_factor", factor, expected, accept)?;
                (factor, 0.0)
            }
            (None, Some(lr)) if exponential => (0.0, build.positive("start_lr", lr)?),
            (None, Some(lr)) => (0.0, build.non_negative("start_lr", lr)?),
            (None, None) if !exponential && self.kind != WarmupKind::Constant => (0.0, 0.0),
            (None, None) => {
                let expected = "a start_factor or a start_lr for a warmup of this kind";
                return Err(build.invalid("start_factor", expected, "neither"));
            }
        };
        Ok(move |target| factor * target + lr)
    }
}

impl Schedule for Warmup {
    fn build(&self, build: &Build<'_>) -> Result<Curve, ScheduleError> {
        let mut base = build.child("base", &self.base)?;
        let start = self.start(build)?;
        let fixed = match self.target_lr {
            Some(target) => Some(build.non_negative("target_lr", target)?),
            None => None,
        };
        let length = if self.prefix {
            let length = build.steps_or_zero("length", self.length)?;
            // Held at its own step 0 until it starts.
            base = Curve::sequence(vec![Part {
                start: length,
                origin: length,
                curve: base,
            }]);
            length as f64
        } else {
            build.duration("length", self.length)?
        };
        let kind = self.kind;
        Ok(base.map(move |step, lr| {
            if step as f64 >= length {
                return lr;
            }
            let target = fixed.unwrap_or(lr);
            kind.between(start(target), target, step as f64, length)
        }))
    }

    fn examples() -> Vec<(&'static str, Self)> {
        use crate::StepLr;
        let base = || StepLr::new(0.1, 80).with_gamma(0.5);
        vec![
            ("Warmup, linear", Self::new(base(), 60)),
            (
                "Warmup, exponential",
                Self::new(base(), 60)
                    .with_kind(WarmupKind::Exponential)
                    .with_start_lr(0.001),
            ),
            (
                "Warmup, constant",
                Self::new(base(), 60)
                    .with_kind(WarmupKind::Constant)
                    .with_start_factor(0.2),
            ),
            (
                "Warmup over a running schedule",
                Self::new(base(), 120)
                    .with_start_factor(0.1)
                    .with_prefix(false),
            ),
            (
                "Warmup, cosine",
                Self::new(base(), 60).with_kind(WarmupKind::Cosine),
            ),
            (
                "Warmup, 1-sqrt",
                Self::new(base(), 60).with_kind(WarmupKind::OneMinusSqrt),
            ),
            (
                "Warmup, log",
                Self::new(base(), 60).with_kind(WarmupKind::Log),
            ),
            (
                "Warmup over a running schedule, to its initial rate",
                Self::new(base(), 120)
                    .with_prefix(false)
                    .with_target_lr(0.1),
            ),
            (
                "D2Z: a warmup of 10 %, and a line to 0",
                Self::d2z(0.1, Length::Percent(10.0), Length::Percent(90.0)),
            ),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Constant, ReduceLrOnPlateau, Run, StepLr};

    fn build(warmup: Warmup) -> Result<Curve, ScheduleError> {
        ScheduleConfig::from(warmup).curve(&Run::per_update())
    }

    #[test]
    fn the_base_starts_after_the_warmup_or_runs_underneath() {
        let warmup = Warmup::new(StepLr::new(0.1, 5).with_gamma(0.5), 10).with_start_lr(0.01);
        let after = build(warmup.clone()).unwrap();
        assert_eq!((after.lr(10), after.lr(14), after.lr(15)), (0.1, 0.1, 0.05));
        let underneath = build(warmup.with_prefix(false)).unwrap();
        assert_eq!(underneath.lr(0), 0.01);
        assert_eq!(underneath.lr(5), 0.01 + (0.05 - 0.01) * 0.5);
        assert_eq!((underneath.lr(10), underneath.lr(15)), (0.025, 0.0125));
    }

    #[test]
    fn a_target_of_its_own_does_not_move_with_the_base() {
        let base = StepLr::new(0.4, 2).with_gamma(0.5);
        let curve = build(Warmup::new(base, 4).with_prefix(false).with_target_lr(0.4)).unwrap();
        let lrs: Vec<f64> = (0..5).map(|step| curve.lr(step)).collect();
        assert_eq!(lrs, [0.0, 0.1, 0.2, 0.4 * 0.75, 0.1]);
    }

    #[test]
    fn a_ramp_over_a_running_schedule_may_end_between_steps() {
        let warmup = Warmup::new(Constant::new(0.5), 2.5);
        assert!(build(warmup.clone()).is_err());
        let curve = build(warmup.with_prefix(false)).unwrap();
        assert_eq!(
            [0, 1, 2, 3].map(|step| curve.lr(step)),
            [0.0, 0.2, 0.4, 0.5]
        );
    }

    #[test]
    fn an_empty_warmup_is_none() {
        assert_eq!(
            build(Warmup::new(Constant::new(0.4), 0)).unwrap().lr(0),
            0.4
        );
    }

    #[test]
    fn a_plateau_starts_with_its_base_and_its_cuts_move_the_target() {
        let plateau = ReduceLrOnPlateau::new(0.4)
            .with_patience(0)
            .with_factor(0.5);
        for (prefix, expected) in [(true, 0.2), (false, 0.1)] {
            let mut curve = build(Warmup::new(plateau.clone(), 2).with_prefix(prefix)).unwrap();
            curve.observe(0, 1.0).unwrap();
            curve.observe(0, 2.0).unwrap();
            // Halfway up.
            assert_eq!(curve.lr(1), expected, "prefix {prefix}");
            assert_eq!(curve.plateaus()[0].cuts, u64::from(!prefix));
        }
    }

    #[test]
    fn a_negative_length_is_refused_though_an_empty_one_is_not() {
        assert!(matches!(
            build(Warmup::new(Constant::new(0.1), -5)),
            Err(ScheduleError::Invalid { path, found, .. }) if path == "Warmup.length" && found == "-5"
        ));
    }

    #[test]
    fn the_start_is_checked() {
        let warmup = || Warmup::new(Constant::new(0.4), 4);
        let exponential = || warmup().with_kind(WarmupKind::Exponential);
        for (warmup, name) in [
            (warmup().with_start_factor(1.5), "start_factor"),
            (warmup().with_start_factor(f64::NAN), "start_factor"),
            (warmup().with_start_lr(-0.1), "start_lr"),
            (warmup().with_target_lr(f64::INFINITY), "target_lr"),
            (
                warmup().with_start_lr(0.1).with_start_factor(0.1),
                "start_lr",
            ),
            (exponential(), "start_factor"),
            (exponential().with_start_factor(0.0), "start_factor"),
            (exponential().with_start_lr(0.0), "start_lr"),
            (warmup().with_kind(WarmupKind::Constant), "start_factor"),
        ] {
            let name = format!("Warmup.{name}");
            let error = build(warmup);
            assert!(matches!(error, Err(ScheduleError::Invalid { path, .. }) if path == name));
        }
    }
}
