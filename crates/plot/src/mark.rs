//! A named place of a chart.

/// A place in a chart that is named.
///
/// ```
/// use burn_lr_plot::{Chart, Line, Mark};
///
/// let chart = Chart::new("Loss")
///     .line(Line::new("", [(1.0, 0.8), (2.0, 0.5), (3.0, 0.6)]))
///     .mark(Mark::vertical(1.0, "end of warmup"))
///     .mark(Mark::point(2.0, 0.5, "best"));
/// assert!(chart.svg((640, 360))?.contains("end of warmup"));
/// assert!(chart.terminal((60, 8)).ends_with("┊  end of warmup\n"));
/// # Ok::<(), burn_lr_plot::PlotError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Mark {
    pub(crate) x: f64,
    pub(crate) y: Option<f64>,
    pub(crate) label: String,
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

    /// A dot at `x` and `y`; none in a terminal.
    pub fn point(x: f64, y: f64, label: impl Into<String>) -> Self {
        Self {
            x,
            y: Some(y),
            label: label.into(),
        }
    }
}
