//! How a search comes to its candidates.

/// How the candidates of a search's first rung are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Sampler {
    /// Each as the space has it, whatever became of the others.
    #[default]
    Random,
    /// A third at random, and at least ten; then so many at a time where those before have come to good
    /// results, by the tree-structured Parzen estimator (Bergstra et al. 2011, as the crate `tpe` has it).
    ///
    /// What is drawn depends on the seed and on this number, but not on how many trials run at a time: as
    /// many should. A candidate that nothing can be trained with ends the search when it is drawn.
    Tpe {
        /// The candidates that are drawn from the same results.
        together: usize,
    },
}

impl Sampler {
    /// The tree-structured Parzen estimator, four candidates at a time.
    pub const TPE: Self = Self::Tpe { together: 4 };
}
