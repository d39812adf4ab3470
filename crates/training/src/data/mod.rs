//! Data: IDX files and images in memory.

#[cfg(feature = "download")]
mod download;
mod grey_image;
mod idx;
mod images;
mod mnist;
#[cfg(feature = "png")]
mod png;

pub use grey_image::{GreyImage, MNIST_PIXELS};
pub use idx::{DataError, IdxImages, read_images, read_labels};
pub use images::{Image, ImageDataset, image_tensor};
pub use mnist::{Mnist, bundled_mnist_dir};
#[cfg(feature = "png")]
pub use png::{PngError, read_png, read_png_digit};
