//! Learning rates written out by hand.

use serde::{Deserialize, Serialize};

use crate::{Build, Curve, Length, Schedule, ScheduleError};

/// A learning rate for each part of the run: `lr(t) = values[number of boundaries <= t]`.
///
/// Step 0 is `values[0]`, a boundary's own step belongs to the next value, the last value has no
/// end; all are given back to the bit.
///
/// ```
/// use burn_lr_scheduler::{PiecewiseConstant, Run, ScheduleConfig};
///
/// let schedule = PiecewiseConstant::new([0.1, 0.03, 0.001], [2, 4]);
/// let curve = ScheduleConfig::from(schedule).curve(&Run::per_epoch(938))?;
/// let lrs: Vec<f64> = (0..6).map(|epoch| curve.lr(epoch)).collect();
/// assert_eq!(lrs, [0.1, 0.1, 0.03, 0.03, 0.001, 0.001]);
/// # Ok::<(), burn_lr_scheduler::ScheduleError>(())
/// ```
///
/// # Errors
/// Each value must be finite and at least 0. There must be one boundary fewer than values, and
/// boundaries must be at least 1 step and strictly increase.
///
/// # Source
/// Keras's `PiecewiseConstantDecay` and optax's `piecewise_constant_schedule`. Differences: in
/// Keras a boundary's own step still has the old value; optax gives scales instead of values.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct PiecewiseConstant {
    /// The learning rates in their order.
    pub values: Vec<f64>,
    /// Where each value but the first starts.
    pub boundaries: Vec<Length>,
}

impl PiecewiseConstant {
    /// `values` in their order, each but the first starting at its boundary.
    pub fn new<L: Into<Length>>(
        values: impl IntoIterator<Item = f64>,
        boundaries: impl IntoIterator<Item = L>,
    ) -> Self {
        Self {
            values: values.into_iter().collect(),
            boundaries: boundaries.into_iter().map(Into::into).collect(),
        }
    }
}

impl Schedule for PiecewiseConstant {
    fn build(&self, build: &Build<'_>) -> Result<Curve, ScheduleError> {
        let values = build.values("values", &self.values)?;
        let boundaries = build.between("boundaries", &self.boundaries, "values", values.len())?;
        Ok(Curve::new(move |step| {
            values[boundaries.partition_point(|&boundary| boundary <= step)]
        }))
    }

    fn examples() -> Vec<(&'static str, Self)> {
        vec![(
            "Piecewise constant",
            Self::new([0.1, 0.04, 0.06, 0.01], [90, 150, 240]),
        )]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Run, ScheduleConfig};

    fn error_path(values: &[f64], boundaries: &[u64]) -> Option<String> {
        let schedule = PiecewiseConstant::new(values.to_vec(), boundaries.to_vec());
        match ScheduleConfig::from(schedule).curve(&Run::per_update()) {
            Ok(_) => None,
            Err(ScheduleError::Invalid { path, .. }) => Some(path),
            Err(error) => panic!("{error}"),
        }
    }

    #[test]
    fn bad_hyperparameters_are_refused_by_name() {
        let path = |name: &str| Some(format!("PiecewiseConstant.{name}"));
        assert_eq!(error_path(&[0.1], &[]), None);
        assert_eq!(error_path(&[], &[]), path("values"));
        assert_eq!(error_path(&[0.1, -0.1], &[1]), path("values[1]"));
        assert_eq!(error_path(&[0.1, f64::NAN], &[1]), path("values[1]"));
        assert_eq!(error_path(&[0.1, 0.2], &[]), path("boundaries"));
        assert_eq!(error_path(&[0.1, 0.2], &[0]), path("boundaries[0]"));
        assert_eq!(error_path(&[0.1, 0.2, 0.3], &[5, 5]), path("boundaries[1]"));
    }
}
