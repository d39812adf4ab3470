//! Line charts as SVG for a web page and as text for a terminal.
//!
//! plotters draws the SVG: it needs no font, no C library and no network, and its output is text.
//! Its colours are fixed numbers, so charts are drawn in stand-ins that become CSS variables
//! afterwards: one picture then serves a page's light and dark theme.

mod axis;
mod layout;
mod pieces;
mod svg;
mod terminal;

use axis::Axis;

pub use svg::PlotError;

/// How many colours there are; series beyond take the first ones again.
pub const COLOURS: usize = 8;

/// The colours of series in hexadecimal, on a light background and on a dark one.
///
/// Okabe and Ito's palette, made for the colour-blind, with those of its colours replaced that are
/// too close to white or black: each has a contrast of at least 3 to 1 to `#ffffff`, or to
/// `#1e1e1e`.
pub const PALETTE: [(&str, &str); COLOURS] = [
    ("#0072b2", "#3f97d6"),
    ("#d55e00", "#ee7733"),
    ("#009e73", "#00a67e"),
    ("#c765a0", "#e3a0c8"),
    ("#6b4a00", "#f0e442"),
    ("#3f97d6", "#a3dbff"),
    ("#3b1f7a", "#7b68d6"),
    ("#1a1a1a", "#ffffff"),
];

/// A line chart.
///
/// ```
/// use burn_lr_training::plot::{Chart, Line, Mark};
///
/// let loss = [(1e-4, 2.3), (1e-3, 1.9), (1e-2, 0.6), (1e-1, f64::NAN)];
/// let chart = Chart::new("Range test")
///     .x_label("learning rate")
///     .y_label("loss")
///     .log_x()
///     .line(Line::new("training", loss))
///     .mark(Mark::vertical(1e-2, "minimum"));
/// let svg = chart.svg((640, 360))?;
/// assert!(svg.starts_with("<svg viewBox=\"0 0 "));
/// println!("{}", chart.terminal(80, 16));
/// # Ok::<(), burn_lr_training::plot::PlotError>(())
/// ```
///
/// What cannot be drawn, such as NaN, infinities or a number of at most 0 on a logarithmic axis,
/// is left out, and the line is broken there. A chart without any point has empty axes.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Chart {
    title: String,
    x_label: String,
    y_label: String,
    log_x: bool,
    log_y: bool,
    x_range: Option<(f64, f64)>,
    y_range: Option<(f64, f64)>,
    lines: Vec<Line>,
    marks: Vec<Mark>,
}

/// A series of points joined by a line.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    name: String,
    points: Vec<(f64, f64)>,
    band: Vec<(f64, f64)>,
    colour: Option<usize>,
    dashed: bool,
}

/// A place in a chart that is named.
#[derive(Debug, Clone, PartialEq)]
pub struct Mark {
    x: f64,
    y: Option<f64>,
    label: String,
}

impl Chart {
    /// A chart with that heading, which is also what screen readers call it.
    pub fn new(title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            ..Self::default()
        }
    }

    /// Says what the horizontal axis counts, and in which unit.
    pub fn x_label(mut self, label: impl Into<String>) -> Self {
        self.x_label = label.into();
        self
    }

    /// Says what the vertical axis measures, and in which unit.
    pub fn y_label(mut self, label: impl Into<String>) -> Self {
        self.y_label = label.into();
        self
    }

    /// Makes the horizontal axis logarithmic.
    pub fn log_x(mut self) -> Self {
        self.log_x = true;
        self
    }

    /// Makes the vertical axis logarithmic.
    pub fn log_y(mut self) -> Self {
        self.log_y = true;
        self
    }

    /// Shows at least this part of the horizontal axis.
    pub fn x_range(mut self, low: f64, high: f64) -> Self {
        self.x_range = Some((low, high));
        self
    }

    /// Shows this part of the vertical axis; lines are cut off where they leave it.
    ///
    /// By default all points are shown, and so they are if the range is empty or not finite.
    pub fn y_range(mut self, low: f64, high: f64) -> Self {
        self.y_range = Some((low, high));
        self
    }

    /// Adds a line.
    pub fn line(mut self, line: Line) -> Self {
        self.lines.push(line);
        self
    }

    /// Adds a mark.
    pub fn mark(mut self, mark: Mark) -> Self {
        self.marks.push(mark);
        self
    }

    fn x_axis(&self, ticks: usize) -> Axis {
        let lines = self.lines.iter().flat_map(|line| &line.points);
        let marks = self.marks.iter().map(|mark| mark.x);
        let range = self.x_range.into_iter().flat_map(|(low, high)| [low, high]);
        let values = lines.map(|point| point.0).chain(marks).chain(range);
        Axis::around(values, self.log_x, ticks)
    }

    fn y_axis(&self, ticks: usize) -> Axis {
        let range = self.y_range.and_then(|(low, high)| {
            let scaled = |value| axis::scaled(value, self.log_y);
            let valid = scaled(low)? < scaled(high)?;
            valid.then(|| Axis::new(low, high, self.log_y, ticks))
        });
        range.unwrap_or_else(|| {
            let points = self.lines.iter().flat_map(|line| &line.points);
            let bands = self.lines.iter().flat_map(|line| &line.band);
            let marks = self.marks.iter().filter_map(|mark| mark.y);
            let values = points.map(|point| point.1);
            let values = values.chain(bands.flat_map(|&(low, high)| [low, high]));
            Axis::around(values.chain(marks), self.log_y, ticks).rounded(ticks)
        })
    }
}

impl Line {
    /// A line through `points` of x and y, in their order.
    pub fn new(name: impl Into<String>, points: impl IntoIterator<Item = (f64, f64)>) -> Self {
        Self {
            name: name.into(),
            points: points.into_iter().collect(),
            band: Vec::new(),
            colour: None,
            dashed: false,
        }
    }

    /// Adds a translucent area from the low to the high value at the x of each point, such as a
    /// standard deviation around a mean.
    pub fn band(mut self, band: impl IntoIterator<Item = (f64, f64)>) -> Self {
        self.band = band.into_iter().collect();
        self
    }

    /// Sets the colour by its number, from 0; by default a line's own number in the chart.
    pub fn colour(mut self, index: usize) -> Self {
        self.colour = Some(index);
        self
    }

    /// Draws the line dashed.
    pub fn dashed(mut self) -> Self {
        self.dashed = true;
        self
    }
}

impl Mark {
    /// A vertical line at `x`.
    pub fn vertical(x: f64, label: impl Into<String>) -> Self {
        Self {
            x,
            y: None,
            label: label.into(),
        }
    }

    /// A dot at `x` and `y`.
    pub fn point(x: f64, y: f64, label: impl Into<String>) -> Self {
        Self {
            x,
            y: Some(y),
            label: label.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The contrast of two colours as the Web Content Accessibility Guidelines define it.
    fn contrast(a: &str, b: &str) -> f64 {
        let luminance = |colour: &str| {
            let part = |start: usize, weight: f64| {
                let part = u8::from_str_radix(&colour[start..start + 2], 16).unwrap();
                let part = f64::from(part) / 255.0;
                weight
                    * match part <= 0.04045 {
                        true => part / 12.92,
                        false => ((part + 0.055) / 1.055).powf(2.4),
                    }
            };
            part(1, 0.2126) + part(3, 0.7152) + part(5, 0.0722) + 0.05
        };
        let ratio = luminance(a) / luminance(b);
        ratio.max(1.0 / ratio)
    }

    #[test]
    fn colours_are_seen_on_both_backgrounds() {
        for (light, dark) in PALETTE {
            assert!(contrast(light, "#ffffff") >= 3.0, "{light}");
            assert!(contrast(dark, "#1e1e1e") >= 3.0, "{dark}");
        }
    }
}
