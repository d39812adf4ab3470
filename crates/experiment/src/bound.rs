//! What a metric shall keep.

use std::fmt;

use burn_lr_training::metrics::MetricKey;
use serde::Serialize;

/// A bound that a metric shall keep.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Bound {
    pub(crate) metric: MetricKey,
    pub(crate) side: Side,
    pub(crate) value: f64,
}

/// Which values keep a bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Side {
    AtLeast,
    Above,
    AtMost,
    Below,
}

impl Bound {
    /// Whether `value` keeps the bound; NaN does not.
    pub(crate) fn holds(&self, value: f64) -> bool {
        match self.side {
            Side::AtLeast => value >= self.value,
            Side::Above => value > self.value,
            Side::AtMost => value <= self.value,
            Side::Below => value < self.value,
        }
    }

    /// By how much `value` misses the bound, as a share of it; of 0 by how much it is. A
    /// strict bound is missed by 0 at its very value.
    pub(crate) fn missed_by(&self, value: f64) -> f64 {
        if value.is_nan() {
            return f64::INFINITY;
        }
        let missing = match self.side {
            Side::AtLeast | Side::Above => self.value - value,
            Side::AtMost | Side::Below => value - self.value,
        };
        let unit = if self.value == 0.0 {
            1.0
        } else {
            self.value.abs()
        };
        missing.max(0.0) / unit
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let side = match self.side {
            Side::AtLeast => "at least",
            Side::Above => "above",
            Side::AtMost => "at most",
            Side::Below => "below",
        };
        write!(formatter, "{} {side} {}", self.metric, self.value)
    }
}
