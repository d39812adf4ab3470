//! Learning rates at certain steps, and the way from each to the next.

use serde::{Deserialize, Serialize};

use crate::interpolation::Interpolation;
use crate::{Build, Curve, Length, Schedule, ScheduleError};

/// Moves from each of several learning rates to the next: `values[0]` at step 0, `values[i]` at
/// `boundaries[i - 1]`, and in between along lines or half cosine waves.
///
/// At step 0 and at each boundary the rate is the value to the bit; after the last boundary it
/// stays at the last value.
///
/// ```
/// use burn_lr_scheduler::{PiecewiseInterpolate, Run, ScheduleConfig};
///
/// let schedule = PiecewiseInterpolate::new([0.0, 0.4, 0.1], [2, 6]);
/// let curve = ScheduleConfig::from(schedule).curve(&Run::per_update())?;
/// let lrs = [0, 1, 2, 4, 6, 7].map(|step| curve.lr(step));
/// assert_eq!(lrs, [0.0, 0.2, 0.4, 0.25, 0.1, 0.1]);
/// # Ok::<(), burn_lr_scheduler::ScheduleError>(())
/// ```
///
/// # Errors
/// Each value must be finite and at least 0. There must be one boundary fewer than values, and
/// boundaries must be at least 1 step and strictly increase.
///
/// # Source
/// optax's `piecewise_interpolate_schedule`. Difference: it takes each value as a scale of the one
/// before.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct PiecewiseInterpolate {
    /// The learning rates in their order.
    pub values: Vec<f64>,
    /// When each value but the first is reached.
    pub boundaries: Vec<Length>,
    /// The way from each value to the next; linear by default.
    #[serde(default)]
    pub interpolation: Interpolation,
}

impl PiecewiseInterpolate {
    /// Lines through `values`, each but the first reached at its boundary.
    pub fn new<L: Into<Length>>(
        values: impl IntoIterator<Item = f64>,
        boundaries: impl IntoIterator<Item = L>,
    ) -> Self {
        Self {
            values: values.into_iter().collect(),
            boundaries: boundaries.into_iter().map(Into::into).collect(),
            interpolation: Interpolation::Linear,
        }
    }

    /// Sets the way from each value to the next.
    pub fn with_interpolation(mut self, interpolation: Interpolation) -> Self {
        self.interpolation = interpolation;
        self
    }
}

impl Schedule for PiecewiseInterpolate {
    fn build(&self, build: &Build<'_>) -> Result<Curve, ScheduleError> {
        let values = build.values("values", &self.values)?;
        let boundaries = build.between("boundaries", &self.boundaries, "values", values.len())?;
        let interpolation = self.interpolation;
        Ok(Curve::new(move |step| {
            let piece = boundaries.partition_point(|&boundary| boundary <= step);
            let Some(&end) = boundaries.get(piece) else {
                return values[piece];
            };
            let start = match piece {
                0 => 0,
                _ => boundaries[piece - 1],
            };
            let progress = (step - start) as f64 / (end - start) as f64;
            interpolation.between(values[piece], values[piece + 1], progress)
        }))
    }

    fn examples() -> Vec<(&'static str, Self)> {
        let points = || Self::new([0.01, 0.1, 0.05, 0.0], [50, 150, 280]);
        vec![
            ("Piecewise linear", points()),
            (
                "Piecewise cosine",
                points().with_interpolation(Interpolation::Cosine),
            ),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Run, ScheduleConfig};

    #[test]
    fn every_value_is_reached_exactly() {
        let values = [0.3, 0.07, 0.11, 0.0];
        for interpolation in [Interpolation::Linear, Interpolation::Cosine] {
            let schedule = PiecewiseInterpolate::new(values, [7, 10, 29]);
            let curve = ScheduleConfig::from(schedule.with_interpolation(interpolation))
                .curve(&Run::per_update())
                .unwrap();
            assert_eq!([0, 7, 10, 29].map(|step| curve.lr(step)), values);
            assert_eq!(curve.lr(u64::MAX), 0.0);
        }
    }

    #[test]
    fn a_missing_boundary_is_refused() {
        let schedule = PiecewiseInterpolate::new([0.1, 0.2], [0_u64; 0]);
        let error = ScheduleConfig::from(schedule).curve(&Run::per_update());
        assert!(matches!(
            error,
            Err(ScheduleError::Invalid { path, .. }) if path == "PiecewiseInterpolate.boundaries"
        ));
    }
}
