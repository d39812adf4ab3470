//! What an image of MNIST is.

/// The pixels of a row, and of a column.
pub(crate) const SIDE: usize = 28;

/// The pixels of an MNIST image, 28 by 28.
pub const MNIST_PIXELS: usize = SIDE * SIDE;

/// The digits.
pub(crate) const CLASSES: u8 = 10;
