//! The generator Philox4x32-10 of Salmon and others, ["Parallel random numbers: as easy as 1, 2,
//! 3"](https://doi.org/10.1145/2063384.2063405) (2011), which PyTorch and TensorFlow use on GPUs.
//!
//! A number is a function of a key and of its place, so that there is no state to be kept, and many can be
//! made side by side.

const MULTIPLIERS: [u32; 2] = [0xD251_1F53, 0xCD9E_8D57];
const INCREMENTS: [u32; 2] = [0x9E37_79B9, 0xBB67_AE85];
const ROUNDS: u32 = 10;

/// How many counters a [`Block`] is made of: enough for vectors, few enough for the nearest cache.
const COUNTERS: usize = 128;

/// How many numbers are made at once.
pub(crate) const BLOCK: usize = 4 * COUNTERS;

/// [`BLOCK`] random numbers.
pub(crate) type Block = [u32; BLOCK];

#[inline(always)]
fn product(multiplier: u32, factor: u32) -> [u32; 2] {
    let product = u64::from(multiplier) * u64::from(factor);
    [(product >> 32) as u32, product as u32]
}

/// The four numbers of a counter.
#[inline(always)]
fn philox(counter: [u32; 4], key: [u32; 2]) -> [u32; 4] {
    let [mut c0, mut c1, mut c2, mut c3] = counter;
    for round in 0..ROUNDS {
        let [high_0, low_0] = product(MULTIPLIERS[0], c0);
        let [high_1, low_1] = product(MULTIPLIERS[1], c2);
        let keys = [0, 1].map(|at| key[at].wrapping_add(INCREMENTS[at].wrapping_mul(round)));
        c0 = high_1 ^ c1 ^ keys[0];
        c1 = low_1;
        c2 = high_0 ^ c3 ^ keys[1];
        c3 = low_0;
    }
    [c0, c1, c2, c3]
}

/// Writes the numbers of block `number` under `key`.
#[inline(always)]
pub(crate) fn fill(block: &mut Block, key: u64, number: u32) {
    let key = [key as u32, (key >> 32) as u32];
    let (first, others) = block.split_at_mut(COUNTERS);
    let (second, others) = others.split_at_mut(COUNTERS);
    let (third, fourth) = others.split_at_mut(COUNTERS);
    let pairs = first.iter_mut().zip(second);
    let fours = pairs.zip(third.iter_mut().zip(fourth));
    for (at, ((a, b), (c, d))) in (0u32..).zip(fours) {
        [*a, *b, *c, *d] = philox([at, number, 0, 0], key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_published_generator() {
        // From `kat_vectors` of the authors' Random123.
        let vectors = [
            (
                [0; 4],
                [0; 2],
                [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8],
            ),
            (
                [u32::MAX; 4],
                [u32::MAX; 2],
                [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd],
            ),
            (
                [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344],
                [0xa409_3822, 0x299f_31d0],
                [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1],
            ),
        ];
        for (counter, key, expected) in vectors {
            assert_eq!(philox(counter, key), expected);
        }
    }

    #[test]
    fn blocks_and_keys_differ() {
        let numbers = |key, number| {
            let mut block = [0; BLOCK];
            fill(&mut block, key, number);
            block
        };
        assert_eq!(numbers(7, 3), numbers(7, 3));
        assert_eq!(numbers(7, 3)[COUNTERS + 5], philox([5, 3, 0, 0], [7, 0])[1]);
        for (key, number) in [(7, 4), (8, 3), (7 + (1 << 32), 3)] {
            assert_ne!(numbers(7, 3), numbers(key, number));
        }
    }
}
