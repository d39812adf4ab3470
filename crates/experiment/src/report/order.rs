//! Which candidates a page shows first when there are many.

use burn_lr_plot::COLOURS;

use crate::results::At;
use crate::results::Results;

/// The candidates by their places.
pub(super) struct Order {
    /// Each has a colour of its own: all in their order if there are colours enough, otherwise the first one,
    /// which the others are compared with, and the best ones by the objective.
    pub shown: Vec<usize>,
    /// The others, the best one first: faint in charts, and folded away elsewhere.
    pub others: Vec<usize>,
}

impl Order {
    pub(super) fn of(results: &Results) -> Self {
        let all = results.summaries().len();
        if all <= COLOURS {
            return Self {
                shown: (0..all).collect(),
                others: Vec::new(),
            };
        }
        let mut shown = vec![0];
        let mut others = results.ranked(At::Last);
        others.retain(|&place| place != 0);
        let rest = others.split_off(COLOURS - 1);
        shown.extend(others);
        Self {
            shown,
            others: rest,
        }
    }

    /// The shown candidates with their colours.
    pub(super) fn coloured(&self) -> impl Iterator<Item = (usize, usize)> {
        self.shown.iter().copied().zip(0..)
    }
}
