//! Random settings.

use std::ops::RangeInclusive;

use rand::rngs::ChaCha8Rng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};

/// A source of random settings that gives the same ones for the same seed, on every platform.
#[derive(Debug)]
pub struct Draw(ChaCha8Rng);

impl Draw {
    pub(crate) fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    /// A number between the bounds, all being equally probable; the lower bound if the bounds are
    /// not in order.
    pub fn uniform(&mut self, low: f64, high: f64) -> f64 {
        if low < high {
            self.0.random_range(low..high)
        } else {
            low
        }
    }

    /// A number between the positive bounds, all magnitudes being equally probable.
    pub fn log_uniform(&mut self, low: f64, high: f64) -> f64 {
        self.uniform(low.ln(), high.ln()).exp()
    }

    /// A whole number within the range; its start if it is empty.
    pub fn integer(&mut self, range: RangeInclusive<usize>) -> usize {
        if range.is_empty() {
            *range.start()
        } else {
            self.0.random_range(range)
        }
    }

    /// One of the items, if there is any.
    pub fn one_of<'a, T>(&mut self, items: &'a [T]) -> Option<&'a T> {
        items.choose(&mut self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_that_are_not_in_order_give_the_first() {
        let mut draw = Draw::new(1);
        assert_eq!(draw.uniform(2.0, 2.0), 2.0);
        assert_eq!(draw.uniform(3.0, f64::NAN), 3.0);
        assert!((draw.log_uniform(0.1, 0.1) - 0.1).abs() < 1e-15);
        #[allow(clippy::reversed_empty_ranges)]
        let empty = 5..=4;
        assert_eq!(draw.integer(empty), 5);
        assert_eq!(draw.integer(7..=7), 7);
        assert_eq!(draw.one_of::<u8>(&[]), None);
    }
}
