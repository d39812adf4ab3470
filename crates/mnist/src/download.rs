//! MNIST from the network, by burn-dataset.

use std::panic::{AssertUnwindSafe, catch_unwind};

use burn_dataset::Dataset;
use burn_dataset::vision::{MnistDataset, MnistItem};

use crate::error::DataError;
use crate::format::MNIST_PIXELS;
use crate::image_dataset::ImageDataset;

/// The training and the test images, downloaded once into burn-dataset's cache.
///
/// # Errors
/// [`DataError::Download`]: burn-dataset panics without a network, which is caught here.
pub(crate) fn splits() -> Result<(ImageDataset, ImageDataset), DataError> {
    let failed = |reason: &str| DataError::Download {
        reason: reason.to_owned(),
    };
    let splits = catch_unwind(AssertUnwindSafe(|| {
        (
            collect(&MnistDataset::train()),
            collect(&MnistDataset::test()),
        )
    }));
    match splits {
        Ok((Some(train), Some(test))) => Ok((train, test)),
        Ok(_) => Err(failed("an image is missing")),
        Err(panic) => Err(failed(
            panic
                .downcast_ref::<String>()
                .map_or("the download failed", String::as_str),
        )),
    }
}

fn collect(dataset: &MnistDataset) -> Option<ImageDataset> {
    let mut pixels = Vec::with_capacity(dataset.len() * MNIST_PIXELS);
    let mut labels = Vec::with_capacity(dataset.len());
    for item in dataset.iter() {
        let MnistItem { image, label } = item.ok()?;
        pixels.extend(image.as_flattened().iter().map(|&pixel| pixel as u8));
        labels.push(label);
    }
    ImageDataset::new(pixels, labels, MNIST_PIXELS)
}
