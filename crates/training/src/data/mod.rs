//! Data: IDX files, images in memory, and a loader whose order depends on the seed and epoch alone.

#[cfg(feature = "download")]
mod download;
mod idx;
mod images;
mod loader;
mod mnist;
mod replay;

pub use idx::{DataError, IdxImages, read_images, read_labels};
pub use images::{Image, ImageDataset};
pub use loader::{BatchSource, DatasetSource, EpochLoader};
pub use mnist::{Mnist, bundled_mnist_dir};
pub(crate) use replay::Replay;
