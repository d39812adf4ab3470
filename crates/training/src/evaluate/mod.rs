//! What a trained model is worth on data that it has not seen.
//!
//! [`evaluate`](evaluate()) gives any of Burn's metrics for any model. For classifiers there are
//! [`classify`], which says how sure a model is of each sample, and [`confusion_matrix()`], which
//! counts what it takes for what.
//!
//! Burn's own `Evaluator` writes a file for every metric and shows a dashboard; here values are
//! returned.

mod classes;
mod confusion_matrix;
mod error;
mod metric_set;
mod metrics;
mod prediction;
mod table;
#[cfg(test)]
mod tests;

pub use classes::confusion_matrix;
pub use confusion_matrix::ConfusionMatrix;
pub use error::{EvaluationError, NotSquareError};
pub use metric_set::MetricSet;
pub use metrics::evaluate;
pub use prediction::{Prediction, classify};
