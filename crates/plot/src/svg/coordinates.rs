//! An axis as plotters sees it.

use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};

use crate::axis::Axis;

/// An axis from 0 to 1, whose ticks have the texts of the axis behind it.
pub(super) struct Ticks<'a>(pub(super) &'a Axis);

impl Ranged for Ticks<'_> {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, place: &f64, (from, to): (i32, i32)) -> i32 {
        from + (place * f64::from(to - from)).round() as i32
    }

    fn key_points<H: KeyPointHint>(&self, _hint: H) -> Vec<f64> {
        self.0.ticks().iter().map(|tick| tick.at).collect()
    }

    fn range(&self) -> std::ops::Range<f64> {
        0.0..1.0
    }
}

impl ValueFormatter<f64> for Ticks<'_> {
    fn format_ext(&self, place: &f64) -> String {
        let tick = self.0.ticks().iter().find(|tick| tick.at == *place);
        tick.map(|tick| tick.text.clone()).unwrap_or_default()
    }
}
