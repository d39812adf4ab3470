//! Line charts as SVG for a web page or a file, and as text for a terminal.
//!
//! ```
//! use burn_lr_plot::{Chart, Line, Mark};
//!
//! let loss = [(1e-4, 2.3), (1e-3, 1.9), (1e-2, 0.6), (1e-1, f64::NAN)];
//! let chart = Chart::new("Range test")
//!     .x_label("learning rate")
//!     .y_label("loss")
//!     .log_x()
//!     .line(Line::new("training", loss))
//!     .mark(Mark::vertical(1e-2, "minimum"));
//! assert!(chart.svg((640, 360))?.starts_with("<svg viewBox=\"0 0 "));
//! println!("{}", chart.terminal((80, 16)));
//! # Ok::<(), burn_lr_plot::PlotError>(())
//! ```
//!
//! plotters lays out the axes; the SVG elements, like the terminal's charts, are written here. plotters
//! knows colours as numbers only, so it is given stand-ins, which become the CSS variables of a page, one
//! picture serving its light and dark theme, or the colours of a file.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod axis;
mod chart;
mod error;
mod line;
mod mark;
mod number;
mod page;
mod palette;
mod pieces;
mod svg;
mod terminal;
mod ticks;

pub use chart::Chart;
pub use error::PlotError;
pub use line::Line;
pub use mark::Mark;
pub use number::five_digits;
pub use page::page_style;
pub use palette::{COLOURS, PALETTE, STANDALONE_PALETTE};
pub use terminal::Terminal;
