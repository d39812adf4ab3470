//! How much an iterate counts in the average.

use burn::optim::{LearningRate, StateSink, StateSource};
use burn::tensor::Tensor;
use burn_pack::Scalar;

/// The settings of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Weighting {
    pub warmup_steps: u64,
    pub r: f64,
    pub weight_lr_power: f64,
}

/// What it knows of a parameter's updates.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Past {
    pub updates: u64,
    weight_sum: f64,
    lr_max: f64,
}

/// What an update is made with.
pub(super) struct Share {
    /// The rate, warmed up.
    pub lr: LearningRate,
    /// The new iterate's share in the average.
    pub of_new: f64,
}

impl Weighting {
    /// The next update at the schedule's rate `lr`.
    pub(super) fn next(&self, past: &mut Past, lr: LearningRate) -> Share {
        let before = past.updates;
        past.updates = before.saturating_add(1);
        let number = past.updates as f64;
        let lr = if before < self.warmup_steps {
            lr * (number / self.warmup_steps as f64)
        } else {
            lr
        };
        past.lr_max = past.lr_max.max(lr);
        let weight = number.powf(self.r) * past.lr_max.powf(self.weight_lr_power);
        past.weight_sum += weight;
        let of_new = if past.weight_sum > 0.0 {
            weight / past.weight_sum
        } else {
            0.0
        };
        Share { lr, of_new }
    }
}

impl Past {
    pub(super) fn flatten(&self, prefix: &str, out: &mut StateSink) {
        out.push_scalar(prefix, "updates", Scalar::from(self.updates));
        out.push_scalar(prefix, "weight_sum", Scalar::from(self.weight_sum));
        out.push_scalar(prefix, "lr_max", Scalar::from(self.lr_max));
    }

    pub(super) fn unflatten(prefix: &str, from: &mut StateSource) -> Option<Self> {
        let mut scalar = |leaf| from.take_scalar(prefix, leaf);
        Some(Self {
            updates: scalar("updates")?.try_into().ok()?,
            weight_sum: scalar("weight_sum")?.try_into().ok()?,
            lr_max: scalar("lr_max")?.try_into().ok()?,
        })
    }
}

/// `start + share * (end - start)`, from the nearer end as PyTorch's `lerp`, so that a share of 1 is `end`.
pub(super) fn lerp<const D: usize>(start: Tensor<D>, end: Tensor<D>, share: f64) -> Tensor<D> {
    let difference = end.clone() - start.clone();
    if share < 0.5 {
        start + difference * share
    } else {
        end - difference * (1.0 - share)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn iterates_count_by_the_highest_rate_so_far() {
        let weighting = Weighting {
            warmup_steps: 2,
            r: 0.0,
            weight_lr_power: 2.0,
        };
        let mut past = Past::default();
        let mut shares = |lr: f64| {
            let share = weighting.next(&mut past, lr);
            (share.lr, share.of_new)
        };
        assert_eq!(shares(0.0), (0.0, 0.0));
        assert_eq!(shares(1.0), (1.0, 1.0));
        assert_eq!(shares(0.5), (0.5, 0.5));
        assert_eq!(shares(2.0), (2.0, 4.0 / 6.0));
    }
}
