//! What a chart shows.

use crate::axis::{self, Axis};
use crate::{Line, Mark};

/// A line chart.
///
/// ```
/// use burn_lr_plot::{Chart, Line};
///
/// let chart = Chart::new("Loss")
///     .x_label("epoch")
///     .whole_x()
///     .line(Line::new("training", [(1.0, 2.3), (2.0, 0.7), (3.0, 0.6)]))
///     .line(Line::new("validation", [(1.0, 1.9), (2.0, 0.8), (3.0, 0.9)]));
/// println!("{}", chart.terminal((80, 16)));
/// ```
///
/// What cannot be drawn, such as NaN, infinities or a number of at most 0 on a logarithmic axis,
/// is left out, and the line is broken there. A chart without any point has empty axes.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Chart {
    pub(crate) title: String,
    pub(crate) x_label: String,
    pub(crate) y_label: String,
    pub(crate) lines: Vec<Line>,
    pub(crate) marks: Vec<Mark>,
    log_x: bool,
    log_y: bool,
    whole_x: bool,
    no_ticks: bool,
    x_range: Option<(f64, f64)>,
    y_range: Option<(f64, f64)>,
    y_include: Vec<f64>,
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

    /// Has no fractions beside a linear horizontal axis, which counts epochs, say.
    pub fn whole_x(mut self) -> Self {
        self.whole_x = true;
        self
    }

    /// Has no numbers beside the axes, whose places mean nothing by themselves.
    pub fn without_ticks(mut self) -> Self {
        self.no_ticks = true;
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

    /// Makes the vertical axis reach `value`, such as 0, where all points are shown.
    pub fn y_include(mut self, value: f64) -> Self {
        self.y_include.push(value);
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

    pub(crate) fn x_axis(&self, ticks: usize) -> Axis {
        let lines = self.lines.iter().flat_map(|line| &line.points);
        let marks = self.marks.iter().map(|mark| mark.x);
        let range = self.x_range.into_iter().flat_map(|(low, high)| [low, high]);
        let values = lines.map(|point| point.0).chain(marks).chain(range);
        let axis = Axis::around(values, self.log_x, ticks);
        match (self.no_ticks, self.whole_x) {
            (true, _) => axis.bare(),
            (false, true) => axis.whole(),
            (false, false) => axis,
        }
    }

    pub(crate) fn y_axis(&self, ticks: usize) -> Axis {
        let axis = self.y_axis_with_ticks(ticks);
        if self.no_ticks { axis.bare() } else { axis }
    }

    fn y_axis_with_ticks(&self, ticks: usize) -> Axis {
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
            let values = values.chain(marks).chain(self.y_include.iter().copied());
            let values: Vec<f64> = values.filter(|value| value.is_finite()).collect();
            let bands = bands.flat_map(|&(low, high)| [low, high]);
            let all = values
                .iter()
                .copied()
                .chain(bands.filter(|end| end.is_finite()));
            let axis = Axis::around(all, self.log_y, ticks).rounded(ticks);
            // A standard deviation reaches beyond what there is: it is cut off there.
            axis.within_reason(&values, ticks)
        })
    }

    /// What screen readers call the picture.
    pub(crate) fn accessible_name(&self) -> String {
        if self.title.is_empty() && !self.y_label.is_empty() && !self.x_label.is_empty() {
            format!("{} over {}", self.y_label, self.x_label)
        } else {
            self.title.clone()
        }
    }
}
