//! Experiments: the same training under several schedules, and what can be said about them.
//!
//! ```text
//! base (model, data, optimizer, per seed) --+
//! Candidate (schedule, epochs) x seeds -----+--> Experiment --> Trial... --> Results --> report
//! ```
//!
//! The base is a function of the seed alone: it never sees the candidate, so that nothing but the
//! schedule and the number of epochs can differ between candidates.

mod candidate;
mod comparison;
mod error;
mod pool;
mod progress;
mod results;
mod runner;
mod search;
mod space;
mod summary;
mod target;
mod trial;

pub use candidate::Candidate;
pub use comparison::{Comparison, Measure};
pub use error::{BaseError, ExperimentError};
pub use results::{Choice, Results, Tested};
pub use runner::Experiment;
pub use search::{Budget, Found, Search};
pub use space::{Draw, catalogue};
pub use summary::{At, Figures, Stat, Summary};
pub use target::{Target, Verdict};
pub use trial::{Outcome, Trial};
