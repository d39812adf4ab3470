//! Why there is no picture.

/// The least width and height that leave room for axes and their labels.
pub(crate) const LEAST: (u32, u32) = (200, 120);

/// The greatest width and height.
pub(crate) const LARGEST: u32 = 65_535;

/// Why a chart was not drawn.
///
/// ```
/// use burn_lr_plot::{Chart, PlotError};
///
/// let error = Chart::new("").svg((0, 300)).unwrap_err();
/// assert!(matches!(error, PlotError::Size { found: (0, 300) }));
/// assert_eq!(
///     error.to_string(),
///     "size: expected 200 by 120 to 65535 by 65535 pixels, got 0 by 300"
/// );
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PlotError {
    /// The size leaves no room for the chart.
    #[error(
        "size: expected {} by {} to {LARGEST} by {LARGEST} pixels, got {} by {}",
        LEAST.0, LEAST.1, found.0, found.1
    )]
    Size {
        /// The width and height that were asked for.
        found: (u32, u32),
    },
    /// plotters refused to draw.
    #[error("the chart cannot be drawn")]
    Drawing(#[source] Box<dyn std::error::Error + Send + Sync>),
}
