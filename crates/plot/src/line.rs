//! A series of a chart.

/// A series of points joined by a line.
///
/// ```
/// use burn_lr_plot::{Chart, Line};
///
/// let mean = [(1.0, 0.8), (2.0, 0.5), (3.0, 0.4)];
/// let spread = [(0.7, 0.9), (0.4, 0.6), (0.3, 0.5)];
/// let chart = Chart::new("Loss")
///     .line(Line::new("training", mean).band(spread))
///     .line(Line::new("validation", [(1.0, 0.9), (3.0, 0.6)]).dashed());
/// assert!(chart.svg((640, 360))?.contains("validation"));
/// # Ok::<(), burn_lr_plot::PlotError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    pub(crate) name: String,
    pub(crate) note: String,
    pub(crate) points: Vec<(f64, f64)>,
    pub(crate) band: Vec<(f64, f64)>,
    pub(crate) colour: Option<usize>,
    pub(crate) dashed: bool,
    pub(crate) held: bool,
    pub(crate) faint: bool,
}

impl Line {
    /// A line through `points` of x and y, in their order.
    pub fn new(name: impl Into<String>, points: impl IntoIterator<Item = (f64, f64)>) -> Self {
        Self {
            name: name.into(),
            note: String::new(),
            points: points.into_iter().collect(),
            band: Vec::new(),
            colour: None,
            dashed: false,
            held: false,
            faint: false,
        }
    }

    /// Adds a translucent area from the low to the high value at the x of each point, such as a
    /// standard deviation around a mean; none in a terminal.
    pub fn band(mut self, band: impl IntoIterator<Item = (f64, f64)>) -> Self {
        self.band = band.into_iter().collect();
        self
    }

    /// Leaves the area around the line out.
    pub fn without_band(mut self) -> Self {
        self.band.clear();
        self
    }

    /// Sets the colour by its number, from 0 and modulo [`COLOURS`](crate::COLOURS); by default a
    /// line's own number in the chart.
    pub fn colour(mut self, index: usize) -> Self {
        self.colour = Some(index);
        self
    }

    /// Draws the line dashed; not in a terminal.
    pub fn dashed(mut self) -> Self {
        self.dashed = true;
        self
    }

    /// Draws the line thin and grey, as one of many that others are seen against; not in a terminal.
    pub fn faint(mut self) -> Self {
        self.faint = true;
        self
    }

    /// Holds each value up to the x of the next point, where it jumps: a staircase.
    ///
    /// ```
    /// use burn_lr_plot::{Chart, Line};
    ///
    /// let rates = [(0.0, 1.0), (5.0, 0.0), (10.0, 0.0)];
    /// let stairs = Chart::new("").line(Line::new("", rates).held());
    /// assert_eq!(
    ///     stairs.terminal((24, 4)),
    ///     "1.0 ┤⠉⠉⠉⠉⠉⠉⠉⠉⠉⢹\n\
    ///      \u{20}   │         ⢸\n\
    ///      0.5 ┤         ⢸\n\
    ///      \u{20} 0 ┤         ⢸⣀⣀⣀⣀⣀⣀⣀⣀⣀\n\
    ///      \u{20}   ┼┬────────┬────────┬\n\
    ///      \u{20}    0        5       10\n"
    /// );
    /// ```
    pub fn held(mut self) -> Self {
        self.held = true;
        self
    }

    /// Adds a remark, such as the line's last value, that stands behind its name in a terminal.
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.note = note.into();
        self
    }

    /// The points that are joined by straight lines.
    pub(crate) fn corners(&self) -> impl Iterator<Item = (f64, f64)> {
        let before = std::iter::once(None).chain(self.points.iter().map(Some));
        self.points.iter().zip(before).flat_map(|(&point, before)| {
            let corner = before.map(|before| (point.0, before.1));
            corner.filter(|_| self.held).into_iter().chain([point])
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_held_line_has_a_corner_at_each_jump() {
        let line = Line::new("", [(0.0, 3.0), (1.0, 2.0), (4.0, f64::NAN)]);
        assert_eq!(line.corners().count(), 3);
        let corners: Vec<_> = line.held().corners().collect();
        assert_eq!(
            corners[..4],
            [(0.0, 3.0), (1.0, 3.0), (1.0, 2.0), (4.0, 2.0)]
        );
        assert!(corners[4].1.is_nan());
        assert_eq!(Line::new("", []).held().corners().count(), 0);
    }
}
