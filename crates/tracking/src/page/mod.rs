//! A run as a web page: while it goes, and a week later.

mod charts;
mod followed;
mod html;
mod live;
mod sections;
mod state;

pub use live::LivePage;
pub use state::{RunPage, Status};
