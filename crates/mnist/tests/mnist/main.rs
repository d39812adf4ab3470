//! Data sets and pictures, as users have them: whole, damaged and arbitrary.

#![allow(clippy::unwrap_used, clippy::panic)]

mod bundled;
mod grey_image;
mod idx;
#[cfg(feature = "png")]
mod png;
