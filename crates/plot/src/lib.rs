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
//! plotters draws the SVG: it needs no font, no C library and no network, and its output is text.
//! Its colours are fixed numbers, so charts are drawn in stand-ins that become CSS variables or the
//! colours of a file afterwards: one picture then serves a page's light and dark theme. Its text
//! backend has no axes, so the terminal's charts are drawn here.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod axis;
mod chart;
mod error;
mod line;
mod mark;
mod palette;
mod pieces;
mod svg;
mod terminal;
mod ticks;

pub use chart::Chart;
pub use error::PlotError;
pub use line::Line;
pub use mark::Mark;
pub use palette::{COLOURS, PALETTE, STANDALONE_PALETTE};
pub use terminal::Terminal;
