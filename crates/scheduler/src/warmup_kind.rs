//! The shape of a warmup.

use serde::{Deserialize, Serialize};

use crate::interpolation::cosine;

/// The shape of a [`Warmup`](crate::Warmup).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum WarmupKind {
    /// By the same amount every step.
    #[default]
    Linear,
    /// By the same factor every step; the start must be above 0 to get anywhere.
    Exponential,
    /// The start value throughout, then straight to the base schedule.
    Constant,
    /// Along half a cosine wave, flat at both ends.
    Cosine,
    /// Slow at first, then ever faster: `1 - sqrt(1 - p)`.
    #[serde(rename = "1-sqrt")]
    OneMinusSqrt,
    /// Fast at first, with the logarithm of the step; at the target a step early.
    Log,
}

impl WarmupKind {
    /// The rate at `step` of a ramp of `length` steps, which it is below.
    pub(crate) fn between(self, start: f64, target: f64, step: f64, length: f64) -> f64 {
        let progress = step / length;
        let risen = match self {
            Self::Exponential => return start.powf(1.0 - progress) * target.powf(progress),
            Self::Constant => return start,
            Self::Linear => progress,
            Self::Cosine => 1.0 - cosine(progress),
            Self::OneMinusSqrt => 1.0 - (1.0 - progress).sqrt(),
            Self::Log if step == 0.0 => 0.0,
            Self::Log => ((1.0 + step).ln() / length.ln()).min(1.0),
        };
        start + (target - start) * risen
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_mmcv_has_its_ramp() {
        let lrs =
            |kind: WarmupKind| [0.0, 1.0, 2.0, 3.0].map(|step| kind.between(0.025, 0.4, step, 4.0));
        assert_eq!(lrs(WarmupKind::Linear), [0.025, 0.11875, 0.2125, 0.30625]);
        assert_eq!(lrs(WarmupKind::Constant), [0.025; 4]);
        for (lr, expected) in lrs(WarmupKind::Exponential)
            .into_iter()
            .zip([0.025, 0.05, 0.1, 0.2])
        {
            assert!((lr - expected).abs() <= 1e-15, "{lr} {expected}");
        }
    }

    #[test]
    fn each_kind_that_starts_from_zero_has_its_ramp() {
        let lrs = |kind: WarmupKind| {
            [0.0, 1.0, 2.0, 3.0].map(|step| format!("{:.4}", kind.between(0.0, 1.0, step, 4.0)))
        };
        assert_eq!(
            lrs(WarmupKind::Cosine),
            ["0.0000", "0.1464", "0.5000", "0.8536"]
        );
        assert_eq!(
            lrs(WarmupKind::OneMinusSqrt),
            ["0.0000", "0.1340", "0.2929", "0.5000"]
        );
        assert_eq!(
            lrs(WarmupKind::Log),
            ["0.0000", "0.5000", "0.7925", "1.0000"]
        );
        assert_eq!(WarmupKind::Log.between(0.0, 1.0, 0.0, 1.0), 0.0);
    }
}
