//! MNIST for the [Burn](https://burn.dev) deep-learning framework.
//!
//! [`Mnist`] is the data set, from the bundled files, a directory or the network; its two splits are
//! [`ImageDataset`]s, which make batches for an
//! [`EpochLoader`](burn_lr_training::loader::EpochLoader). [`read_images`] and [`read_labels`] read any data
//! set in MNIST's format, and [`GreyImage`] makes a digit of a picture, as MNIST would show it.
//!
//! ```no_run
//! use burn_lr_mnist::Mnist;
//! use burn_lr_training::loader::EpochLoader;
//!
//! let mnist = Mnist::bundled()?;
//! let train = EpochLoader::new(mnist.train, 64).shuffled(42);
//! assert_eq!(train.num_batches(), 938); // 60 000 images
//! # Ok::<(), burn_lr_mnist::DataError>(())
//! ```

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

#[cfg(feature = "download")]
mod download;
mod error;
mod format;
mod grey_image;
mod idx;
mod image_dataset;
mod ink;
mod mnist;
#[cfg(feature = "png")]
mod png;
mod window;

pub use error::DataError;
pub use format::MNIST_PIXELS;
pub use grey_image::GreyImage;
pub use idx::{IdxImages, read_images, read_labels};
pub use image_dataset::{Image, ImageDataset, image_tensor};
pub use mnist::{Mnist, bundled_mnist_dir};
#[cfg(feature = "png")]
pub use png::{PngError, read_png, read_png_digit};
