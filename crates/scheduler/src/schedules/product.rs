//! Several schedules at once, multiplied.

use serde::{Deserialize, Serialize};

use crate::{Build, Curve, Schedule, ScheduleConfig, ScheduleError};

/// The product of several schedules: `lr(t) = schedules[0](t) * schedules[1](t) * ...`.
///
/// The first usually carries the learning rate, and the others are factors with an initial learning
/// rate of 1. All run from step 0, each to its own horizon. Plateaus inside observe all the time,
/// and compare their `min_lr` and `eps` with their own factor, not with the product; put the
/// plateau around the product to have it see the whole.
///
/// ```
/// use burn_lr_scheduler::{Product, Run, ScheduleConfig, StepLr};
///
/// let schedule = Product::new([
///     StepLr::new(0.8, 2).with_gamma(0.5).into(),
///     StepLr::new(1.0, 3).with_gamma(0.1).into(),
/// ]);
/// let curve = ScheduleConfig::from(schedule).curve(&Run::per_update())?;
/// let lrs: Vec<f64> = (0..4).map(|step| curve.lr(step)).collect();
/// assert_eq!(lrs, [0.8, 0.8, 0.4, 0.4 * 0.1]);
/// # Ok::<(), burn_lr_scheduler::ScheduleError>(())
/// ```
///
/// # Errors
/// There must be at least one schedule.
///
/// # Source
/// PyTorch's `ChainedScheduler`, which applies its schedulers to the same rate in turn. Differences:
/// the schedules are evaluated in closed form, so the order makes no difference but for rounding;
/// plateaus are allowed inside; there is no optimizer that they could disagree on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Product {
    /// The schedules that are multiplied.
    pub schedules: Vec<ScheduleConfig>,
}

impl Product {
    /// The product of `schedules`.
    pub fn new(schedules: impl IntoIterator<Item = ScheduleConfig>) -> Self {
        Self {
            schedules: schedules.into_iter().collect(),
        }
    }
}

impl Schedule for Product {
    fn build(&self, build: &Build<'_>) -> Result<Curve, ScheduleError> {
        if self.schedules.is_empty() {
            return Err(build.invalid("schedules", "at least one schedule", "none"));
        }
        let factors = self
            .schedules
            .iter()
            .enumerate()
            .map(|(i, schedule)| build.child(&format!("schedules[{i}]"), schedule))
            .collect::<Result<_, _>>()?;
        Ok(Curve::product(factors))
    }

    fn examples() -> Vec<(&'static str, Self)> {
        use crate::StepLr;
        vec![(
            "Product of two StepLR",
            Self::new([
                StepLr::new(0.1, 100).with_gamma(0.5).into(),
                StepLr::new(1.0, 40).with_gamma(0.8).into(),
            ]),
        )]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Constant, ReduceLrOnPlateau, Run};

    fn constants(lrs: &[f64]) -> Result<Curve, ScheduleError> {
        let schedules = lrs.iter().map(|&lr| Constant::new(lr).into());
        ScheduleConfig::from(Product::new(schedules)).curve(&Run::per_update())
    }

    #[test]
    fn an_overflow_on_the_way_does_not_become_nan() {
        assert_eq!(constants(&[f64::MAX, 2.0, 0.0]).unwrap().lr(0), 0.0);
        assert_eq!(constants(&[f64::MAX, f64::MAX]).unwrap().lr(0), f64::MAX);
    }

    #[test]
    fn an_empty_product_is_refused() {
        assert!(matches!(
            constants(&[]),
            Err(ScheduleError::Invalid { path, .. }) if path == "Product.schedules"
        ));
    }

    #[test]
    fn plateaus_inside_cut_their_factor() {
        let plateau = ReduceLrOnPlateau::new(1.0)
            .with_patience(0)
            .with_factor(0.5);
        let product = Product::new([Constant::new(0.2).into(), plateau.into()]);
        let mut curve = ScheduleConfig::from(product)
            .curve(&Run::per_epoch(1))
            .unwrap();
        curve.observe(0, 1.0).unwrap();
        curve.observe(0, 2.0).unwrap();
        assert_eq!(curve.lr(0), 0.1);
    }
}
