//! A setting in its range.

use super::error::OptimError;

/// Refuses the setting `name` of `optimizer` unless it `is_expected`, which NaN never is.
pub(super) fn ranged(
    optimizer: &'static str,
    name: &'static str,
    value: f64,
    expected: &'static str,
    is_expected: impl FnOnce(f64) -> bool,
) -> Result<(), OptimError> {
    if value.is_finite() && is_expected(value) {
        return Ok(());
    }
    Err(OptimError::Hyperparameter {
        optimizer,
        name: name.to_owned(),
        expected,
        found: value.to_string(),
    })
}

pub(super) const NOT_NEGATIVE: &str = "0 or more and finite";
pub(super) const ABOVE_0: &str = "above 0 and finite";
pub(super) const BELOW_1: &str = "in [0, 1)";
pub(super) const WITHIN_1: &str = "above 0 and below 1";
