//! The draws of an epoch.

use std::ops::Range;

use rand::rngs::ChaCha8Rng;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};

use super::sample::Sample;
use super::sampler::Sampler;
use super::weights::WeightTree;

/// The samples of an epoch in the order in which they are visited.
pub(super) struct Order {
    pub(super) indices: Vec<usize>,
    /// How often each was drawn before; empty if none is drawn twice.
    repetitions: Vec<u64>,
}

impl Order {
    /// The draws of `epoch` over `available` samples, by a `sampler` that was checked against them.
    pub(super) fn draw(sampler: &Sampler, available: usize, epoch: u64) -> Self {
        // A stream for each epoch of the generator that the seed selects.
        let mut rng = ChaCha8Rng::seed_from_u64(sampler.seed().unwrap_or_default());
        rng.set_stream(epoch);
        let draws = 0..sampler.draws(available);
        match sampler {
            Sampler::InOrder => Self::distinct(draws.collect()),
            Sampler::Shuffled { .. } => {
                let mut indices: Vec<usize> = draws.collect();
                indices.shuffle(&mut rng);
                Self::distinct(indices)
            }
            Sampler::WithReplacement { .. } => {
                let indices = draws.map(|_| below(available, &mut rng)).collect();
                Self::repeated(indices, available)
            }
            Sampler::Weighted { weights, .. } => {
                let tree = WeightTree::new(weights);
                let indices = draws.map(|_| tree.at(share(&mut rng))).collect();
                Self::repeated(indices, available)
            }
            Sampler::WeightedWithoutReplacement { weights, .. } => {
                let mut tree = WeightTree::new(weights);
                let draw = |_| {
                    let index = tree.at(share(&mut rng));
                    tree.remove(index);
                    index
                };
                Self::distinct(draws.map(draw).collect())
            }
        }
    }

    fn distinct(indices: Vec<usize>) -> Self {
        Self {
            indices,
            repetitions: Vec::new(),
        }
    }

    fn repeated(indices: Vec<usize>, available: usize) -> Self {
        let mut counts = vec![0; available];
        let count = |&index: &usize| {
            let before = counts[index];
            counts[index] += 1;
            before
        };
        Self {
            repetitions: indices.iter().map(count).collect(),
            indices,
        }
    }

    /// The draws at `positions`, which are within the epoch.
    pub(super) fn samples(&self, positions: Range<usize>, seed: u64, epoch: u64) -> Vec<Sample> {
        let sample = |position: usize| Sample {
            index: self.indices[position],
            seed,
            epoch,
            repetition: self.repetitions.get(position).copied().unwrap_or_default(),
        };
        positions.map(sample).collect()
    }
}

// By multiplication, not by rand's distributions, whose values may change between its versions.

/// A number below `bound`, all equally likely but for a part in 2^64.
fn below(bound: usize, rng: &mut ChaCha8Rng) -> usize {
    ((u128::from(rng.next_u64()) * bound as u128) >> 64) as usize
}

/// A multiple of 2^-53 from 0 to 1, which is not reached.
fn share(rng: &mut ChaCha8Rng) -> f64 {
    (rng.next_u64() >> 11) as f64 / (1u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn indices(sampler: &Sampler, available: usize, epoch: u64) -> Vec<usize> {
        sampler.check(available).unwrap();
        Order::draw(sampler, available, epoch).indices
    }

    #[test]
    fn orders_are_stable_across_versions() {
        let weights = [1.0, 0.0, 3.0, 0.5, 2.0];
        let golden: [(Sampler, &[usize]); 5] = [
            (Sampler::InOrder, &[0, 1, 2, 3, 4]),
            (Sampler::shuffled(42), &[0, 4, 1, 3, 2]),
            (Sampler::with_replacement(8, 42), &[3, 0, 2, 4, 0, 3, 0, 0]),
            (Sampler::weighted(weights, 8, 42), &[4, 2, 2, 4, 0, 4, 0, 0]),
            (
                Sampler::weighted_without_replacement(weights, 4, 42),
                &[4, 0, 2, 3],
            ),
        ];
        for (sampler, expected) in golden {
            assert_eq!(indices(&sampler, 5, 1), expected, "{sampler:?}");
        }
    }

    #[test]
    fn draws_depend_on_seed_and_epoch() {
        let weights = [1.0; 50];
        let samplers = |seed| {
            [
                Sampler::shuffled(seed),
                Sampler::with_replacement(50, seed),
                Sampler::weighted(weights, 50, seed),
                Sampler::weighted_without_replacement(weights, 50, seed),
            ]
        };
        for (one, other) in samplers(1).iter().zip(&samplers(2)) {
            assert_eq!(indices(one, 50, 3), indices(one, 50, 3));
            assert_ne!(indices(one, 50, 3), indices(one, 50, 4));
            assert_ne!(indices(one, 50, 3), indices(other, 50, 3));
        }
    }

    #[test]
    fn frequencies_follow_the_weights() {
        let weights = [0.5, 0.0, 2.0, 1.5];
        let count = |order: &[usize], index| order.iter().filter(|&&i| i == index).count();
        let order = indices(&Sampler::weighted(weights, 40_000, 3), 4, 1);
        for (index, weight) in weights.into_iter().enumerate() {
            let expected = weight / 4.0 * 40_000.0;
            // Five standard deviations.
            let found = count(&order, index) as f64;
            assert!((found - expected).abs() <= 500.0, "{index}: {found}");
        }
        assert_eq!(count(&order, 1), 0);
        let order = indices(&Sampler::with_replacement(40_000, 3), 4, 1);
        for index in 0..4 {
            assert!(count(&order, index).abs_diff(10_000) <= 450);
        }
        // Without replacement the first draw is as likely as the weight.
        let first = |epoch| {
            indices(
                &Sampler::weighted_without_replacement(weights, 3, 3),
                4,
                epoch,
            )[0]
        };
        let firsts: Vec<usize> = (1..=4000).map(first).collect();
        assert!(count(&firsts, 2).abs_diff(2000) <= 160);
        assert_eq!(count(&firsts, 1), 0);
    }

    #[test]
    fn without_replacement_nothing_comes_twice() {
        let weights: Vec<f64> = (0..100).map(f64::from).collect();
        let sampler = Sampler::weighted_without_replacement(weights, 99, 1);
        let mut drawn = indices(&sampler, 100, 1);
        drawn.sort_unstable();
        assert_eq!(drawn, (1..100).collect::<Vec<_>>());
    }

    #[test]
    fn repetitions_are_counted_over_the_epoch() {
        let order = Order::draw(&Sampler::with_replacement(20, 1), 3, 1);
        let samples = order.samples(0..20, 9, 1);
        for (position, sample) in samples.iter().enumerate() {
            let before = &samples[..position];
            let same = before
                .iter()
                .filter(|earlier| earlier.index == sample.index);
            assert_eq!(sample.repetition, same.count() as u64);
        }
        assert_eq!(order.samples(10..20, 9, 1), samples[10..]);
    }
}
