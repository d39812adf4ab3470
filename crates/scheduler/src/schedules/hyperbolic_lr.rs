//! Along a hyperbola whose beginning hardly depends on the length of the run.

use serde::{Deserialize, Serialize};

use crate::{Build, Curve, Length, Schedule, ScheduleError};

/// Falls along a hyperbola, at first nearly alike whatever the length of the run:
/// `lr(t) = initial_lr + (initial_lr - infimum_lr) * (h(t) - h(0))`, where
/// `h(t) = sqrt((n - t) / u * (2 - (n + t) / u))`, `n` is `length` and `u` is `upper_bound`.
///
/// Step 0 is `initial_lr`; from `length` on the rate stays. It gets near `infimum_lr` only in a run as long
/// as the `upper_bound`, which is chosen once for runs of every length. With `exponential` the logarithm of
/// the rate does the same: `lr(t) = initial_lr * (initial_lr / infimum_lr)^(h(t) - h(0))`.
///
/// ```
/// use burn_lr_scheduler::{HyperbolicLr, Run, ScheduleConfig};
///
/// let curve = |length| ScheduleConfig::from(HyperbolicLr::new(0.1, length, 100)).curve(&Run::per_update());
/// let lrs = |length: u64| -> Result<String, burn_lr_scheduler::ScheduleError> {
///     let curve = curve(length)?;
///     Ok([0, 5, 10, 40].map(|step| format!("{:.4}", curve.lr(step))).join(" "))
/// };
/// assert_eq!(lrs(40)?, "0.1000 0.0937 0.0871 0.0200");
/// assert_eq!(lrs(80)?, "0.1000 0.0949 0.0898 0.0586");
/// # Ok::<(), burn_lr_scheduler::ScheduleError>(())
/// ```
///
/// # Errors
/// `initial_lr` must be finite and at least 0, `infimum_lr` between 0 and `initial_lr`, and above 0 if
/// `exponential`; `length` at least 1 step, `upper_bound` at least `length`.
///
/// # Source
/// [Kim](https://arxiv.org/abs/2407.15200): `HyperbolicLR` (`init_lr`, `max_iter`, `upper_bound`, `infimum_lr`) and
/// `ExpHyperbolicLR`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct HyperbolicLr {
    /// The learning rate of step 0.
    pub initial_lr: f64,
    /// How long the run is.
    pub length: Length,
    /// The length that no run exceeds.
    pub upper_bound: Length,
    /// What the rate would fall to in a run as long as `upper_bound`; 0 by default.
    #[serde(default)]
    pub infimum_lr: f64,
    /// Whether the logarithm of the rate falls along the hyperbola; false by default.
    #[serde(default)]
    pub exponential: bool,
}

impl HyperbolicLr {
    /// From `initial_lr` towards 0.
    pub fn new(initial_lr: f64, length: impl Into<Length>, upper_bound: impl Into<Length>) -> Self {
        Self {
            initial_lr,
            length: length.into(),
            upper_bound: upper_bound.into(),
            infimum_lr: 0.0,
            exponential: false,
        }
    }

    /// Sets what the rate would fall to in a run as long as `upper_bound`.
    pub fn with_infimum_lr(mut self, infimum_lr: f64) -> Self {
        self.infimum_lr = infimum_lr;
        self
    }

    /// Sets whether the logarithm of the rate falls along the hyperbola.
    pub fn with_exponential(mut self, exponential: bool) -> Self {
        self.exponential = exponential;
        self
    }
}

impl Schedule for HyperbolicLr {
    fn build(&self, build: &Build<'_>) -> Result<Curve, ScheduleError> {
        let initial_lr = build.non_negative("initial_lr", self.initial_lr)?;
        let infimum_lr = build.at_most("infimum_lr", self.infimum_lr, "initial_lr", initial_lr)?;
        if self.exponential {
            build.positive("infimum_lr", infimum_lr)?;
        }
        let length = build.steps("length", self.length)?;
        let bound = build.steps("upper_bound", self.upper_bound)?;
        if bound < length {
            let expected = format!("at least length, {length}");
            return Err(build.invalid("upper_bound", expected, bound));
        }
        let (n, u) = (length as f64, bound as f64);
        let height = move |t: f64| ((n - t) / u * (2.0 - (n + t) / u)).sqrt();
        let exponential = self.exponential;
        Ok(Curve::new(move |step| {
            let moved = height(step.min(length) as f64) - height(0.0);
            if exponential {
                initial_lr * (initial_lr / infimum_lr).powf(moved)
            } else {
                initial_lr + (initial_lr - infimum_lr) * moved
            }
        }))
    }

    fn examples() -> Vec<(&'static str, Self)> {
        vec![
            ("HyperbolicLR", Self::new(0.1, 280, 400)),
            (
                "ExpHyperbolicLR",
                Self::new(0.1, 280, 400)
                    .with_infimum_lr(0.001)
                    .with_exponential(true),
            ),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Run, ScheduleConfig};

    fn build(schedule: HyperbolicLr) -> Result<Curve, ScheduleError> {
        ScheduleConfig::from(schedule).curve(&Run::per_update())
    }

    #[test]
    fn a_run_as_long_as_the_bound_ends_at_the_infimum() {
        for exponential in [false, true] {
            let schedule = HyperbolicLr::new(0.3, 7, 7).with_infimum_lr(0.07);
            let curve = build(schedule.with_exponential(exponential)).unwrap();
            assert_eq!(curve.lr(0), 0.3);
            assert!((curve.lr(7) - 0.07).abs() < 1e-16);
            assert_eq!(curve.lr(u64::MAX), curve.lr(7));
        }
    }

    #[test]
    fn bad_hyperparameters_are_refused_by_name() {
        let good = || HyperbolicLr::new(0.1, 10, 20);
        for (schedule, name) in [
            (HyperbolicLr::new(f64::NAN, 10, 20), "initial_lr"),
            (HyperbolicLr::new(0.1, 0, 20), "length"),
            (HyperbolicLr::new(0.1, 10, 9), "upper_bound"),
            (good().with_infimum_lr(0.2), "infimum_lr"),
            (good().with_exponential(true), "infimum_lr"),
        ] {
            let name = format!("HyperbolicLr.{name}");
            let error = build(schedule);
            assert!(matches!(error, Err(ScheduleError::Invalid { path, .. }) if path == name));
        }
    }
}
