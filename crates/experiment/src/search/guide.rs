//! Where earlier results say that good settings are.

use std::collections::BTreeMap;

use rand::rngs::ChaCha8Rng;
use tpe::density_estimation::BuildDensityEstimator;
use tpe::range::Range;
use tpe::{TpeOptimizer, categorical_range, histogram_estimator, parzen_estimator, range};

/// So many results must have drawn a setting before they say anything of it.
const LEAST: usize = 4;

/// What a candidate drew: by the place of each draw, its share of the range, or the number of the item.
pub(super) type Choices = BTreeMap<String, f64>;

/// What candidates drew, the best one first.
#[derive(Debug)]
pub(super) struct Guide(pub Vec<Choices>);

impl Guide {
    /// A share of a range, from 0 up to 1.
    pub(super) fn share(&self, place: &str, rng: &mut ChaCha8Rng) -> Option<f64> {
        let unit = range(0.0, 1.0).ok()?;
        self.ask(place, parzen_estimator(), unit, rng)
    }

    /// The number of one of so many items.
    pub(super) fn item(&self, place: &str, items: usize, rng: &mut ChaCha8Rng) -> Option<usize> {
        let all = categorical_range(items).ok()?;
        let item = self.ask(place, histogram_estimator(), all, rng)?;
        Some((item as usize).min(items.checked_sub(1)?))
    }

    fn ask<E: BuildDensityEstimator>(
        &self,
        place: &str,
        estimator: E,
        range: Range,
        rng: &mut ChaCha8Rng,
    ) -> Option<f64> {
        let drawn = self.0.iter().filter(|choices| choices.contains_key(place));
        if drawn.count() < LEAST {
            return None;
        }
        let mut optimizer = TpeOptimizer::new(estimator, range);
        for (rank, choices) in self.0.iter().enumerate() {
            // One that did not draw it counts among the better or the worse all the same.
            let value = choices.get(place).copied().unwrap_or(f64::NAN);
            optimizer.tell(value, rank as f64).ok()?;
        }
        optimizer.ask(rng).ok()
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    fn guide(drawn: impl IntoIterator<Item = f64>) -> Guide {
        let choices = drawn
            .into_iter()
            .map(|value| Choices::from([("0".to_owned(), value)]));
        Guide(choices.collect())
    }

    #[test]
    fn draws_are_where_the_best_were() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        // The nearer to 0.8, the better.
        let mut drawn: Vec<f64> = (0..40).map(|number| f64::from(number) / 40.0).collect();
        drawn.sort_by(|a, b| (a - 0.8).abs().total_cmp(&(b - 0.8).abs()));
        let near = guide(drawn);
        let shares = (0..50).map(|_| near.share("0", &mut rng).unwrap());
        let shares: Vec<f64> = shares.collect();
        assert!(shares.iter().all(|share| (0.0..1.0).contains(share)));
        let mean = shares.iter().sum::<f64>() / 50.0;
        assert!((mean - 0.8).abs() < 0.15, "{mean}");
        let items = guide((0..30).map(|number| {
            if number < 6 {
                2.0
            } else {
                f64::from(number % 4)
            }
        }));
        let twos = (0..50).filter(|_| items.item("0", 4, &mut rng) == Some(2));
        assert!(twos.count() > 25);
    }

    #[test]
    fn nothing_is_said_of_what_few_have_drawn() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        assert_eq!(guide([0.1, 0.2, 0.3]).share("0", &mut rng), None);
        assert_eq!(guide([0.1; 9]).share("1", &mut rng), None);
        assert_eq!(guide([0.0; 9]).item("0", 0, &mut rng), None);
        assert_eq!(guide([0.0; 9]).item("0", 1, &mut rng), Some(0));
    }
}
