//! What an experiment led to: trials, figures over seeds, comparisons, tables and documents.

mod all;
mod columns;
mod comparison;
mod export;
mod figures;
mod ranking;
mod stat;
mod summary;
mod table;
#[cfg(test)]
mod tests;
mod trial;

pub use all::{Choice, Results, Tested};
pub(crate) use columns::varying;
pub use comparison::Comparison;
pub use figures::{Figures, Verdict};
pub use stat::Stat;
pub use summary::Summary;
pub use trial::{At, Outcome, Trial};
