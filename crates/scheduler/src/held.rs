//! The range that every learning rate is held in.

/// `lr` within `0..=f64::MAX`, with NaN, which `clamp` would let pass, as 0.
pub(crate) fn held(lr: f64) -> f64 {
    if lr > 0.0 { lr.min(f64::MAX) } else { 0.0 }
}
