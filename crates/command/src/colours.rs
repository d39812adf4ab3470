//! Which run is drawn in which colour.

use burn_lr_plot::COLOURS;
use burn_lr_training::metrics::MetricKey;

use crate::run::{Run, ranked};

/// How the line of each run is drawn.
pub struct Colours {
    /// What the best are told by, where there are more runs than colours.
    pub by: MetricKey,
    pub drawn: Vec<Drawn>,
}

#[derive(Clone, Copy, PartialEq)]
pub enum Drawn {
    Coloured(usize),
    Faint,
    Not,
}

impl Colours {
    /// A colour for each run, or of more runs than there are colours for the best by `key`.
    pub fn of(runs: &[Run], key: &MetricKey) -> Self {
        let all: Vec<&Run> = runs.iter().collect();
        let mut best = ranked(&all, key);
        best.truncate(COLOURS);
        best.sort_unstable();
        let colour = |place| {
            best.binary_search(&place)
                .map_or(Drawn::Faint, Drawn::Coloured)
        };
        Self {
            by: key.clone(),
            drawn: (0..runs.len()).map(colour).collect(),
        }
    }

    /// Without the others.
    pub fn best_alone(&self) -> Self {
        let drawn = self.drawn.iter().map(|&drawn| match drawn {
            Drawn::Faint => Drawn::Not,
            drawn => drawn,
        });
        Self {
            by: self.by.clone(),
            drawn: drawn.collect(),
        }
    }
}
