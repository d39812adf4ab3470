//! Random settings.

use std::ops::RangeInclusive;

use rand::rngs::ChaCha8Rng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};

use super::guide::{Choices, Guide};

/// A source of random settings that gives the same ones for the same seed, on every platform.
///
/// A search that goes by [earlier results](super::Sampler::Tpe) knows a setting by its place: how many were drawn
/// before it, and which items [`one_of`](Self::one_of) gave.
#[derive(Debug)]
pub struct Draw {
    rng: ChaCha8Rng,
    guide: Option<Guide>,
    /// The items that were given so far, and how many settings were drawn.
    place: (String, usize),
    choices: Choices,
}

impl Draw {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            rng: ChaCha8Rng::seed_from_u64(seed),
            guide: None,
            place: (String::new(), 0),
            choices: Choices::new(),
        }
    }

    /// Begins a candidate, and goes by `guide` if there is one.
    pub(super) fn begin(&mut self, guide: Option<Guide>) {
        if guide.is_some() {
            self.guide = guide;
        }
        self.place = (String::new(), 0);
        self.choices.clear();
    }

    /// What was drawn since then.
    pub(super) fn choices(&self) -> Choices {
        self.choices.clone()
    }

    /// A number between the bounds, all being equally probable; the lower bound if the bounds are
    /// not in order.
    pub fn uniform(&mut self, low: f64, high: f64) -> f64 {
        let place = self.next();
        if low < high {
            let guided = self.guide.as_ref();
            let guided = guided.and_then(|guide| guide.share(&place, &mut self.rng));
            let value = match guided {
                Some(share) => (low + share * (high - low)).clamp(low, high),
                None => self.rng.random_range(low..high),
            };
            self.note(place, (value - low) / (high - low));
            value
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
        let place = self.next();
        if range.is_empty() {
            *range.start()
        } else {
            let (start, end) = range.clone().into_inner();
            let all = (end - start) as f64 + 1.0;
            let guided = self.guide.as_ref();
            let guided = guided.and_then(|guide| guide.share(&place, &mut self.rng));
            let value = match guided {
                Some(share) => start.saturating_add((share * all) as usize).min(end),
                None => self.rng.random_range(range),
            };
            self.note(place, ((value - start) as f64 + 0.5) / all);
            value
        }
    }

    /// One of the items, if there is any.
    pub fn one_of<'a, T>(&mut self, items: &'a [T]) -> Option<&'a T> {
        let place = self.next();
        let guided = self.guide.as_ref();
        let guided = guided.and_then(|guide| guide.item(&place, items.len(), &mut self.rng));
        let number = match guided {
            Some(number) => number,
            None => (0..items.len())
                .collect::<Vec<_>>()
                .choose(&mut self.rng)
                .copied()?,
        };
        self.choices.insert(place, number as f64);
        // What is drawn after another item is another setting.
        self.place.0 += &format!("{number}/");
        items.get(number)
    }

    /// The place of the next setting.
    fn next(&mut self) -> String {
        let place = format!("{}{}", self.place.0, self.place.1);
        self.place.1 += 1;
        place
    }

    /// Notes a share of a range, which is less than 1.
    fn note(&mut self, place: String, share: f64) {
        if share.is_finite() {
            self.choices.insert(place, share.clamp(0.0, 1.0 - 1e-9));
        }
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
