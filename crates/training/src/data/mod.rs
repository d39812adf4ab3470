//! Data: IDX files, images in memory, and a loader whose order depends on the seed and epoch alone.

#[cfg(feature = "download")]
mod download;
mod grey_image;
mod idx;
mod images;
mod loader;
mod mnist;
#[cfg(feature = "png")]
mod png;
mod prefetch;
mod replay;

pub use grey_image::{GreyImage, MNIST_PIXELS};
pub use idx::{DataError, IdxImages, read_images, read_labels};
pub use images::{Image, ImageDataset, image_tensor};
pub use loader::{BatchSource, DatasetSource, EpochLoader};
pub use mnist::{Mnist, bundled_mnist_dir};
#[cfg(feature = "png")]
pub use png::{PngError, read_png, read_png_digit};
pub(crate) use replay::Replay;
