//! Which candidate is better.

use std::cmp::Ordering;

use super::summary::Summary;
use super::trial::At;
use crate::objective::Objective;

/// The places of the candidates, the best one first; of equals, the first one.
///
/// Those with failed trials come last, and before them those that miss a bound under some seed: a strict
/// one is missed at its very value, which is a distance of 0. Then counts by how much the bounds are
/// missed in the mean over the seeds, then the mean of the objective's metric; what is NaN or infinite,
/// or has no value under some seed, comes after everything else.
pub(crate) fn ranked(summaries: &[Summary], objective: &Objective, at: At) -> Vec<usize> {
    let ranks: Vec<Rank> = summaries
        .iter()
        .map(|summary| Rank::new(summary, objective, at))
        .collect();
    let mut order: Vec<usize> = (0..summaries.len()).collect();
    order.sort_by(|&a, &b| ranks[a].compare(&ranks[b]));
    order
}

/// What candidates are compared by; less is better.
struct Rank {
    failed: bool,
    missed: bool,
    distance: f64,
    cost: f64,
}

impl Rank {
    fn new(summary: &Summary, objective: &Objective, at: At) -> Self {
        let figures = summary.at(at);
        let seeds = summary.seeds.len();
        let value = figures.stat(&objective.best().metric);
        let complete = |n: usize, value: f64| {
            if n == seeds && !value.is_nan() {
                value
            } else {
                f64::INFINITY
            }
        };
        Self {
            failed: !summary.failed.is_empty() || seeds == 0,
            missed: !figures.is_met(),
            distance: complete(figures.distance.n, figures.distance.mean),
            cost: complete(value.n, objective.cost(value.mean)),
        }
    }

    fn compare(&self, other: &Self) -> Ordering {
        let numbers = |a: f64, b: f64| a.partial_cmp(&b).unwrap_or(Ordering::Equal);
        self.failed
            .cmp(&other.failed)
            .then(self.missed.cmp(&other.missed))
            .then_with(|| numbers(self.distance, other.distance))
            .then_with(|| numbers(self.cost, other.cost))
    }
}
