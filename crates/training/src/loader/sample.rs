//! One draw of a sample, and the random numbers that go with it.

use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;

/// Keeps samples' generators apart from all others that are made of the same seed.
const DOMAIN: &[u8; 8] = b"a sample";

/// One draw of a sample in an epoch.
///
/// ```
/// use burn_lr_training::loader::Sample;
/// use burn_lr_training::loader::rand::RngExt;
///
/// let sample = Sample::new(7).with_seed(42).with_epoch(3);
/// let shift = sample.rng().random_range(-2..=2);
/// assert_eq!(sample.rng().random_range(-2..=2), shift);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Sample {
    /// Which sample of the source it is, from 0.
    pub index: usize,
    /// The seed of the loader.
    pub seed: u64,
    /// The epoch, from 1.
    pub epoch: u64,
    /// How often the epoch has drawn this sample before: 0 unless it draws with replacement.
    pub repetition: u64,
}

impl Sample {
    /// The first draw of sample `index` in epoch 1 of a loader with seed 0.
    pub fn new(index: usize) -> Self {
        Self {
            index,
            seed: 0,
            epoch: 1,
            repetition: 0,
        }
    }

    /// Sets the seed.
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Sets the epoch.
    pub fn with_epoch(mut self, epoch: u64) -> Self {
        self.epoch = epoch;
        self
    }

    /// Sets how often the epoch has drawn this sample before.
    pub fn with_repetition(mut self, repetition: u64) -> Self {
        self.repetition = repetition;
        self
    }

    /// A generator of its own for this draw: a function of seed, epoch, index and repetition alone.
    ///
    /// So what is drawn from it depends neither on the order of samples, nor on the size of batches,
    /// the worker or the device. Every call gives the generator from its start.
    ///
    /// It is ChaCha with 8 rounds, whose key is the seed, the epoch and the index, each as 8 bytes
    /// with the least significant first, and the bytes `a sample`, and whose stream is the
    /// repetition. This will not change: a run of an older version can be resumed.
    pub fn rng(&self) -> ChaCha8Rng {
        let mut key = [0; 32];
        let numbers = [self.seed, self.epoch, self.index as u64];
        for (bytes, number) in key.chunks_exact_mut(8).zip(numbers) {
            bytes.copy_from_slice(&number.to_le_bytes());
        }
        key[24..].copy_from_slice(DOMAIN);
        let mut rng = ChaCha8Rng::from_seed(key);
        rng.set_stream(self.repetition);
        rng
    }
}

#[cfg(test)]
mod tests {
    use rand::Rng;

    use super::*;

    /// From the definition, in Python:
    ///
    /// ```python
    /// import struct
    /// def chacha8(seed, epoch, index, repetition):
    ///     key = struct.pack("<3Q", seed, epoch, index) + b"a sample"
    ///     start = [*struct.unpack("<4I", b"expand 32-byte k"), *struct.unpack("<8I", key),
    ///              0, 0, *struct.unpack("<2I", struct.pack("<Q", repetition))]
    ///     x = start[:]
    ///     def quarter(a, b, c, d):
    ///         for p, q, r, n in [(a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)]:
    ///             x[p] = (x[p] + x[q]) % 2**32
    ///             x[r] ^= x[p]
    ///             x[r] = (x[r] << n | x[r] >> 32 - n) % 2**32
    ///     for _ in range(4):
    ///         for i in range(4): quarter(i, i + 4, i + 8, i + 12)
    ///         for i in range(4):
    ///             quarter(i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4)
    ///     return (x[0] + start[0]) % 2**32 | (x[1] + start[1]) % 2**32 << 32
    /// print(chacha8(0, 1, 0, 0), chacha8(42, 3, 7, 0), chacha8(42, 3, 7, 1))
    /// ```
    #[test]
    fn the_generator_is_stable_across_versions() {
        let sample = Sample::new(7).with_seed(42).with_epoch(3);
        assert_eq!(
            [
                Sample::new(0).rng().next_u64(),
                sample.rng().next_u64(),
                sample.with_repetition(1).rng().next_u64(),
            ],
            [
                8_150_028_114_691_753_213,
                6_655_929_668_401_535_418,
                3_436_192_167_688_273_455,
            ]
        );
    }

    #[test]
    fn every_part_of_a_draw_changes_the_generator() {
        let sample = Sample::new(1);
        let all = [
            sample,
            Sample::new(2),
            Sample::new(usize::MAX),
            sample.with_seed(1),
            sample.with_seed(u64::MAX),
            sample.with_epoch(0),
            sample.with_epoch(u64::MAX),
            sample.with_repetition(1),
            sample.with_repetition(u64::MAX),
        ];
        let mut first: Vec<u64> = all.iter().map(|sample| sample.rng().next_u64()).collect();
        first.sort_unstable();
        first.dedup();
        assert_eq!(first.len(), all.len());
    }
}
