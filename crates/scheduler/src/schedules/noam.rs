//! The schedule of the first transformer.

use serde::{Deserialize, Serialize};

use crate::{Build, Curve, Length, Schedule, ScheduleError};

/// Rises linearly, then decays with the inverse square root of the step, scaled by the model's
/// width: `lr(t) = factor * model_size^-0.5 * min(n^-0.5, n * warmup^-1.5)` with `n = t + 1`.
///
/// Step 0 is `factor * model_size^-0.5 * warmup^-1.5`, the peak is at step `warmup - 1`, the decay
/// never ends.
///
/// ```
/// use burn_lr_scheduler::{Noam, Run, ScheduleConfig};
///
/// let schedule = Noam::new(1.0).with_model_size(64).with_warmup(16);
/// let curve = ScheduleConfig::from(schedule).curve(&Run::per_update())?;
/// let lrs = [0, 7, 15, 63, 255].map(|step| curve.lr(step));
/// assert_eq!(lrs, [0.001953125, 0.015625, 0.03125, 0.015625, 0.0078125]);
/// # Ok::<(), burn_lr_scheduler::ScheduleError>(())
/// ```
///
/// # Errors
/// `factor` must be finite and at least 0, `warmup` at least 1 step, `model_size` at least 1.
///
/// # Source
/// [Attention Is All You Need](https://arxiv.org/abs/1706.03762), section 5.3; Burn's
/// `NoamLrScheduler`, whose numbers these are to the bit. Burn accepts a negative `factor`; here
/// that is an error.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Noam {
    /// The scale of the whole.
    pub factor: f64,
    /// How long the rate rises; 4000 steps by default.
    #[serde(default = "default_warmup")]
    pub warmup: Length,
    /// The width of the model; 512 by default.
    #[serde(default = "default_model_size")]
    pub model_size: u64,
}

fn default_warmup() -> Length {
    Length::Steps(4000)
}

fn default_model_size() -> u64 {
    512
}

impl Noam {
    /// 4000 steps of warmup for a model of width 512.
    pub fn new(factor: f64) -> Self {
        Self {
            factor,
            warmup: default_warmup(),
            model_size: default_model_size(),
        }
    }

    /// Sets how long the rate rises.
    pub fn with_warmup(mut self, warmup: impl Into<Length>) -> Self {
        self.warmup = warmup.into();
        self
    }

    /// Sets the width of the model.
    pub fn with_model_size(mut self, model_size: u64) -> Self {
        self.model_size = model_size;
        self
    }
}

impl Schedule for Noam {
    fn build(&self, build: &Build<'_>) -> Result<Curve, ScheduleError> {
        let factor = build.non_negative("factor", self.factor)?;
        let warmup = build.steps("warmup", self.warmup)? as f64;
        if self.model_size == 0 {
            return Err(build.invalid("model_size", "at least 1", 0));
        }
        let scale = factor * (self.model_size as f64).powf(-0.5);
        let slope = warmup.powf(-1.5);
        Ok(Curve::new(move |step| {
            let n = step as f64 + 1.0;
            scale * f64::min(n.powf(-0.5), n * slope)
        }))
    }

    fn examples() -> Vec<(&'static str, Self)> {
        vec![(
            "Noam, warmup 60",
            Self::new(1.0).with_warmup(60).with_model_size(256),
        )]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Run, ScheduleConfig};
    use burn_optim::lr_scheduler::noam::NoamLrSchedulerConfig;

    #[test]
    fn equals_burns_own_to_the_bit() {
        for (factor, warmup, model_size) in [(1.0, 4000, 512), (0.3, 1, 1), (2.0, 37, 784)] {
            let mut burn = NoamLrSchedulerConfig::new(factor)
                .with_warmup_steps(warmup)
                .with_model_size(model_size)
                .init()
                .unwrap();
            let ours = Noam::new(factor)
                .with_warmup(warmup)
                .with_model_size(model_size as u64);
            let curve = ScheduleConfig::from(ours)
                .curve(&Run::per_update())
                .unwrap();
            for step in 0..5000 {
                assert_eq!(curve.lr(step), burn.step().base(), "step {step}");
            }
        }
    }

    #[test]
    fn bad_hyperparameters_are_refused_by_name() {
        for (schedule, name) in [
            (Noam::new(-1.0), "Noam.factor"),
            (Noam::new(1.0).with_warmup(0), "Noam.warmup"),
            (Noam::new(1.0).with_model_size(0), "Noam.model_size"),
        ] {
            let error = ScheduleConfig::from(schedule).curve(&Run::per_update());
            assert!(matches!(error, Err(ScheduleError::Invalid { path, .. }) if path == name));
        }
    }
}
