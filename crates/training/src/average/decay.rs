//! Means of checkpoints that stand for a decay of the learning rate.

use std::f64::consts::PI;

use serde::{Deserialize, Serialize};

/// The decay of the learning rate that a weighted mean of checkpoints stands for.
///
/// After weights `0`, of `k + 1` checkpoints, come the updates to those `1` to `k`. Had update `i` been
/// multiplied by `w_i`, with `1 >= w_1 >= ... >= w_k >= 0`, and nothing else been changed by that, the run
/// would end at the mean with coefficients `c_0 = 1 - w_1`, `c_i = w_i - w_(i+1)` and `c_k = w_k`.
/// The forms, with `x = i / (k + 1)`:
///
/// | | `w_i` |
/// |---|---|
/// | [`Linear`](Self::Linear) | `1 - x`, for which all checkpoints count the same |
/// | [`Cosine`](Self::Cosine) | `(1 + cos(pi x)) / 2`, for which those in the middle count most |
/// | [`OneMinusSqrt`](Self::OneMinusSqrt) | `1 - sqrt(x)`, for which the earliest count most |
///
/// # Source
/// WSM, [arXiv 2507.17634](https://arxiv.org/abs/2507.17634), Theorem 3.1. The paper leaves the place of the
/// checkpoints on the curve open; here the decay would reach 0 one checkpoint after the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Decay {
    /// A straight line.
    Linear,
    /// Half a cosine.
    Cosine,
    /// One minus a square root, as `WarmupStableDecay` has it too.
    OneMinusSqrt,
}

impl Decay {
    /// The coefficients of so many checkpoints, the oldest first; they add up to 1.
    ///
    /// ```
    /// use burn_lr_training::average::Decay;
    ///
    /// assert_eq!(Decay::Linear.coefficients(4), [0.25; 4]);
    /// assert_eq!(Decay::OneMinusSqrt.coefficients(4)[0], 0.5);
    /// assert_eq!(Decay::Cosine.coefficients(1), [1.0]);
    /// ```
    pub fn coefficients(self, checkpoints: usize) -> Vec<f64> {
        let factor = |i: usize| {
            // To the bit at its ends, so that one checkpoint is itself.
            if i == 0 {
                return 1.0;
            }
            if i == checkpoints {
                return 0.0;
            }
            let x = i as f64 / checkpoints as f64;
            match self {
                Self::Linear => 1.0 - x,
                Self::Cosine => 0.5 * (1.0 + (PI * x).cos()),
                Self::OneMinusSqrt => 1.0 - x.sqrt(),
            }
        };
        (0..checkpoints)
            .map(|i| factor(i) - factor(i + 1))
            .collect()
    }
}
