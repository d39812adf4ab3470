//! The reflected exponential.

use serde::{Deserialize, Serialize};

use crate::{Build, Curve, Length, Schedule, ScheduleError};

/// Stays above a line for long and falls fast at the end (REX):
/// `lr(t) = end_lr + (initial_lr - end_lr) * (1 - p) / (1 - reflection * p)`, with `p = t / length`.
///
/// Step 0 is `initial_lr`; from `length` on the rate stays at `end_lr`. The `reflection` is 0.5 unless set;
/// with 0 it is a line, and the nearer to 1 the later the fall.
///
/// ```
/// use burn_lr_scheduler::{Rex, Run, ScheduleConfig};
///
/// let curve = ScheduleConfig::from(Rex::new(0.3, 4)).curve(&Run::per_update())?;
/// let lrs: Vec<String> = (0..6).map(|step| format!("{:.4}", curve.lr(step))).collect();
/// assert_eq!(lrs.join(" "), "0.3000 0.2571 0.2000 0.1200 0.0000 0.0000");
/// # Ok::<(), burn_lr_scheduler::ScheduleError>(())
/// ```
///
/// # Errors
/// `initial_lr` must be finite and at least 0, `end_lr` between 0 and `initial_lr`, `length` above 0 steps,
/// `reflection` at least 0 and below 1.
///
/// # Source
/// [Chen et al.](https://arxiv.org/abs/2107.04197), whose formula `(1 - p) / (1/2 + (1 - p) / 2)` is this one with
/// 0.5, and pytorch_optimizer's `REXScheduler` (`total_steps`, `max_lr`, `min_lr`). Formulas with another number
/// in the place of 0.5, as the 0.9 of some trainers, are not the paper's; they are a `reflection` here.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Rex {
    /// The learning rate of step 0.
    pub initial_lr: f64,
    /// How long the fall takes.
    pub length: Length,
    /// The learning rate at the end; 0 by default.
    #[serde(default)]
    pub end_lr: f64,
    /// How late the fall is, from 0 to 1; 0.5 by default.
    #[serde(default = "half")]
    pub reflection: f64,
}

fn half() -> f64 {
    0.5
}

impl Rex {
    /// From `initial_lr` to 0 in `length`.
    pub fn new(initial_lr: f64, length: impl Into<Length>) -> Self {
        Self {
            initial_lr,
            length: length.into(),
            end_lr: 0.0,
            reflection: half(),
        }
    }

    /// Sets the learning rate at the end.
    pub fn with_end_lr(mut self, end_lr: f64) -> Self {
        self.end_lr = end_lr;
        self
    }

    /// Sets how late the fall is.
    pub fn with_reflection(mut self, reflection: f64) -> Self {
        self.reflection = reflection;
        self
    }
}

impl Schedule for Rex {
    fn build(&self, build: &Build<'_>) -> Result<Curve, ScheduleError> {
        let initial_lr = build.non_negative("initial_lr", self.initial_lr)?;
        let length = build.laps("length", self.length)?;
        let end_lr = build.at_most("end_lr", self.end_lr, "initial_lr", initial_lr)?;
        let below_1 = "at least 0 and below 1";
        let reflection = build.check("reflection", self.reflection, below_1, |r| {
            (0.0..1.0).contains(&r)
        })?;
        Ok(Curve::new(move |step| {
            let over = length.ratio(step).min(1.0);
            end_lr + (initial_lr - end_lr) * ((1.0 - over) / (1.0 - reflection * over))
        }))
    }

    fn examples() -> Vec<(&'static str, Self)> {
        vec![
            ("REX", Self::new(0.1, 280)),
            (
                "REX, reflection 0.9",
                Self::new(0.1, 280).with_reflection(0.9).with_end_lr(0.01),
            ),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Run, ScheduleConfig};

    fn build(schedule: Rex) -> Result<Curve, ScheduleError> {
        ScheduleConfig::from(schedule).curve(&Run::per_update())
    }

    #[test]
    fn without_reflection_it_is_a_line() {
        let curve = build(Rex::new(0.4, 4).with_reflection(0.0)).unwrap();
        let lrs: Vec<f64> = (0..6).map(|step| curve.lr(step)).collect();
        assert_eq!(lrs, [0.4, 0.4 * 0.75, 0.2, 0.1, 0.0, 0.0]);
        assert_eq!(curve.lr(u64::MAX), 0.0);
    }

    #[test]
    fn bad_hyperparameters_are_refused_by_name() {
        let good = || Rex::new(0.1, 10);
        for (schedule, name) in [
            (Rex::new(-0.1, 10), "initial_lr"),
            (Rex::new(0.1, 0), "length"),
            (good().with_end_lr(0.2), "end_lr"),
            (good().with_reflection(1.0), "reflection"),
            (good().with_reflection(f64::NAN), "reflection"),
        ] {
            let name = format!("Rex.{name}");
            let error = build(schedule);
            assert!(matches!(error, Err(ScheduleError::Invalid { path, .. }) if path == name));
        }
    }
}
