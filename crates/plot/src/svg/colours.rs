//! Stand-ins for colours, and what they become in a theme.

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

impl Colours {
    /// The colour that a stand-in becomes, and the attribute of a dashed line.
    pub(super) fn of(self, (red, green, blue): (u8, u8, u8)) -> (String, String) {
        if RGBColor(red, green, blue) == INK {
            return (self.ink().to_owned(), String::new());
        }
        let dashes = if blue == 0 {
            String::new()
        } else {
            format!(" stroke-dasharray=\"{} {}\"", 7 * SCALE, 5 * SCALE)
        };
        (self.series(usize::from(green)), dashes)
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
