//! Numbers in double precision of settings that Burn keeps in single precision.

/// The number that was written, such as 0.999, of which an `f32` has only the nearest: what is left of
/// that to 1 is another number by a hundred thousandth.
pub(super) fn as_written(value: f32) -> f64 {
    value.to_string().parse().unwrap_or(value.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_as_they_were_written() {
        for number in [0.9, 0.999, 0.95, 1e-8, 0.123_456, 0.0, 1.0] {
            assert_eq!(as_written(number as f32), number);
        }
    }
}
