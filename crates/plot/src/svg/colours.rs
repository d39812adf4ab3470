//! Stand-ins for colours, and what they become.

use plotters::style::RGBColor;

use super::layout::SCALE;
use crate::palette::STANDALONE_INK;
use crate::{COLOURS, Line, PALETTE, STANDALONE_PALETTE};

/// The stand-in of the text's colour.
pub(super) const INK: RGBColor = RGBColor(1, 0, 0);
/// The first part of the stand-ins of the series' colours.
const SERIES: u8 = 2;

/// What the stand-ins become.
#[derive(Debug, Clone, Copy)]
pub(super) enum Colours {
    /// The colours of the surrounding page.
    OfPage,
    /// Fixed colours.
    OfFile,
}

/// The stand-in of a line's colour, by its number in the chart.
pub(super) fn series(number: usize, line: &Line, dashed: bool) -> RGBColor {
    stand_in(line.colour.unwrap_or(number) % COLOURS, dashed)
}

fn stand_in(index: usize, dashed: bool) -> RGBColor {
    // Below COLOURS, so it fits.
    RGBColor(SERIES, index as u8, dashed.into())
}

/// The stand-in as plotters writes it.
fn attribute(RGBColor(red, green, blue): RGBColor) -> String {
    format!("\"#{red:02X}{green:02X}{blue:02X}\"")
}

impl Colours {
    /// The drawing with colours in place of the stand-ins.
    pub(super) fn put_into(self, drawing: &str) -> String {
        // Quotes in texts are escaped, so a quoted colour is an attribute.
        let mut drawing = drawing
            .replace(" opacity=\"1\"", "")
            .replace(&attribute(INK), &format!("\"{}\"", self.ink()));
        for index in 0..COLOURS {
            let colour = format!("\"{}\"", self.series(index));
            let dashes = format!("{colour} stroke-dasharray=\"{} {}\"", 7 * SCALE, 5 * SCALE);
            drawing = drawing
                .replace(&attribute(stand_in(index, false)), &colour)
                .replace(&attribute(stand_in(index, true)), &dashes);
        }
        drawing
    }

    fn ink(self) -> &'static str {
        match self {
            Self::OfPage => "currentColor",
            Self::OfFile => STANDALONE_INK,
        }
    }

    fn series(self, index: usize) -> String {
        match self {
            Self::OfPage => format!("var(--series-{}, {})", index + 1, PALETTE[index].0),
            Self::OfFile => STANDALONE_PALETTE[index].to_owned(),
        }
    }
}
