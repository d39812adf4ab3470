//! Which samples an epoch visits, and in which order.

use std::sync::Arc;

use serde::{Serialize, Serializer};
use sha2::{Digest, Sha256};

use super::error::LoaderError;

/// Which samples an epoch visits, and in which order: a function of a seed and the epoch's number.
///
/// It is data; [`EpochLoader::sampler`](super::EpochLoader::sampler) checks it against the samples
/// there are. Serialized, weights are the SHA-256 of their bytes.
///
/// ```
/// use burn_lr_training::loader::Sampler;
///
/// // A thousand draws an epoch, a rare class three times as often.
/// let labels = [0, 0, 1, 0];
/// let weights = labels.map(|label| if label == 1 { 3.0 } else { 1.0 });
/// let sampler = Sampler::weighted(weights, 1000, 42);
/// let json = serde_json::to_value(&sampler).unwrap();
/// assert_eq!((&json["kind"], &json["samples"]), (&"weighted".into(), &1000.into()));
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Sampler {
    /// Every sample once, in its own order.
    InOrder,
    /// Every sample once, in an order drawn anew for every epoch.
    Shuffled {
        /// What the order is drawn by.
        seed: u64,
    },
    /// Draws with replacement, all samples being equally likely: PyTorch's
    /// `RandomSampler(replacement=True)`.
    WithReplacement {
        /// How many draws make an epoch.
        samples: usize,
        /// What they are drawn by.
        seed: u64,
    },
    /// Draws with replacement, each sample as likely as its weight says: PyTorch's
    /// `WeightedRandomSampler`.
    Weighted {
        /// A weight for each sample, of any sum.
        #[serde(serialize_with = "checksum")]
        weights: Arc<[f64]>,
        /// How many draws make an epoch.
        samples: usize,
        /// What they are drawn by.
        seed: u64,
    },
    /// Draws without replacement, each sample that is left as likely as its weight says: PyTorch's
    /// `WeightedRandomSampler(replacement=False)`.
    WeightedWithoutReplacement {
        /// A weight for each sample, of any sum.
        #[serde(serialize_with = "checksum")]
        weights: Arc<[f64]>,
        /// How many draws make an epoch.
        samples: usize,
        /// What they are drawn by.
        seed: u64,
    },
}

impl Sampler {
    /// Every sample once, in an order drawn anew for every epoch.
    pub fn shuffled(seed: u64) -> Self {
        Self::Shuffled { seed }
    }

    /// `samples` draws an epoch with replacement, all samples being equally likely.
    pub fn with_replacement(samples: usize, seed: u64) -> Self {
        Self::WithReplacement { samples, seed }
    }

    /// `samples` draws an epoch with replacement, each sample as likely as its weight says.
    pub fn weighted(weights: impl Into<Arc<[f64]>>, samples: usize, seed: u64) -> Self {
        Self::Weighted {
            weights: weights.into(),
            samples,
            seed,
        }
    }

    /// `samples` draws an epoch without replacement, each sample that is left as likely as its
    /// weight says; those of weight 0 are never drawn.
    pub fn weighted_without_replacement(
        weights: impl Into<Arc<[f64]>>,
        samples: usize,
        seed: u64,
    ) -> Self {
        Self::WeightedWithoutReplacement {
            weights: weights.into(),
            samples,
            seed,
        }
    }

    /// What orders are drawn by, if they are drawn.
    pub fn seed(&self) -> Option<u64> {
        match self {
            Self::InOrder => None,
            Self::Shuffled { seed }
            | Self::WithReplacement { seed, .. }
            | Self::Weighted { seed, .. }
            | Self::WeightedWithoutReplacement { seed, .. } => Some(*seed),
        }
    }

    /// How many draws make an epoch over `available` samples.
    pub(super) fn draws(&self, available: usize) -> usize {
        match self {
            Self::InOrder | Self::Shuffled { .. } => available,
            Self::WithReplacement { samples, .. }
            | Self::Weighted { samples, .. }
            | Self::WeightedWithoutReplacement { samples, .. } => *samples,
        }
    }

    /// Whether it can draw from `available` samples.
    pub(super) fn check(&self, available: usize) -> Result<(), LoaderError> {
        let max = match self {
            Self::InOrder | Self::Shuffled { .. } => return Ok(()),
            Self::WithReplacement { .. } if available == 0 => {
                return Err(LoaderError::Nothing {
                    name: "data",
                    expected: "sample",
                });
            }
            Self::WithReplacement { .. } => usize::MAX,
            Self::Weighted { weights, .. } => {
                positive(weights, available)?;
                usize::MAX
            }
            Self::WeightedWithoutReplacement { weights, .. } => positive(weights, available)?,
        };
        let found = self.draws(available);
        if (1..=max).contains(&found) {
            Ok(())
        } else {
            Err(LoaderError::Samples { max, found })
        }
    }
}

/// How many of the weights of `available` samples are above 0.
fn positive(weights: &[f64], available: usize) -> Result<usize, LoaderError> {
    if weights.len() != available {
        return Err(LoaderError::NumWeights {
            expected: available,
            found: weights.len(),
        });
    }
    let usable = |weight: &f64| weight.is_finite() && *weight >= 0.0;
    if let Some(index) = weights.iter().position(|weight| !usable(weight)) {
        return Err(LoaderError::Weight {
            index,
            found: weights[index],
        });
    }
    match weights.iter().filter(|&&weight| weight > 0.0).count() {
        0 => Err(LoaderError::Nothing {
            name: "weights",
            expected: "above 0",
        }),
        positive => Ok(positive),
    }
}

/// Weights as the SHA-256 of their bytes, the least significant first.
fn checksum<S: Serializer>(weights: &Arc<[f64]>, to: S) -> Result<S::Ok, S::Error> {
    let mut hash = Sha256::new();
    for weight in weights.iter() {
        hash.update(weight.to_le_bytes());
    }
    let hash = hash.finalize();
    let digits: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    to.serialize_str(&digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_drawn_is_refused() {
        let weights = |weights: &[f64], samples| {
            let weights: Arc<[f64]> = weights.into();
            [
                Sampler::weighted(weights.clone(), samples, 1),
                Sampler::weighted_without_replacement(weights, samples, 1),
            ]
        };
        for sampler in weights(&[1.0, 2.0], 1) {
            assert_eq!(sampler.check(2), Ok(()));
            assert_eq!(
                sampler.check(3),
                Err(LoaderError::NumWeights {
                    expected: 3,
                    found: 2
                })
            );
        }
        for wrong in [f64::NAN, f64::INFINITY, -1e-300] {
            for sampler in weights(&[1.0, wrong], 1) {
                let refused = sampler.check(2);
                assert!(matches!(refused, Err(LoaderError::Weight { index: 1, .. })));
            }
        }
        for (none, of) in [(&[0.0, -0.0][..], 2), (&[], 0)] {
            for sampler in weights(none, 1) {
                assert!(matches!(
                    sampler.check(of),
                    Err(LoaderError::Nothing { .. })
                ));
            }
        }
        for sampler in weights(&[1.0, 0.0, 5e-324], 0) {
            assert!(matches!(
                sampler.check(3),
                Err(LoaderError::Samples { found: 0, .. })
            ));
        }
        let [with, without] = weights(&[1.0, 0.0, 5e-324], 3);
        assert_eq!(with.check(3), Ok(()));
        assert_eq!(
            without.check(3),
            Err(LoaderError::Samples { max: 2, found: 3 })
        );
        assert!(Sampler::with_replacement(5, 1).check(1).is_ok());
        assert!(matches!(
            Sampler::with_replacement(5, 1).check(0),
            Err(LoaderError::Nothing { .. })
        ));
        assert!(matches!(
            Sampler::with_replacement(0, 1).check(1),
            Err(LoaderError::Samples { found: 0, .. })
        ));
        assert_eq!(Sampler::shuffled(1).check(0), Ok(()));
    }

    #[test]
    fn it_serializes_with_all_that_decides_the_order() {
        let json = |sampler: &Sampler| serde_json::to_string(sampler).unwrap();
        assert_eq!(json(&Sampler::InOrder), r#"{"kind":"in_order"}"#);
        assert_eq!(
            json(&Sampler::shuffled(7)),
            r#"{"kind":"shuffled","seed":7}"#
        );
        assert_eq!(
            json(&Sampler::with_replacement(5, 7)),
            r#"{"kind":"with_replacement","samples":5,"seed":7}"#
        );
        // printf '\0\0\0\0\0\0\xf0\x3f' | sha256sum
        assert_eq!(
            json(&Sampler::weighted([1.0], 5, 7)),
            r#"{"kind":"weighted","weights":"6c3c396ed6b5c36dcae172271f462051b1266b851e92df3deea8ac65478fd712","samples":5,"seed":7}"#
        );
        assert_ne!(
            json(&Sampler::weighted([1.0], 5, 7)),
            json(&Sampler::weighted([2.0], 5, 7))
        );
    }
}
