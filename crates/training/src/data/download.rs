//! MNIST from the network, by burn-dataset.

use std::panic::{AssertUnwindSafe, catch_unwind};

use burn_dataset::Dataset;
use burn_dataset::vision::{MnistDataset, MnistItem};

use super::idx::DataError;
use super::images::ImageDataset;
use super::mnist::{Mnist, SIDE};

/// Both splits, downloaded once into burn-dataset's cache.
///
/// # Errors
/// [`DataError::Download`]: burn-dataset panics without a network, which is caught here.
pub(super) fn mnist() -> Result<Mnist, DataError> {
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
        Ok((Some(train), Some(test))) => Ok(Mnist { train, test }),
        Ok(_) => Err(failed("an image is missing")),
        Err(panic) => Err(failed(
            panic
                .downcast_ref::<String>()
                .map_or("the download failed", String::as_str),
        )),
    }
}

fn collect(dataset: &MnistDataset) -> Option<ImageDataset> {
    let mut pixels = Vec::with_capacity(dataset.len() * SIDE * SIDE);
    let mut labels = Vec::with_capacity(dataset.len());
    for item in dataset.iter() {
        let MnistItem { image, label } = item.ok()?;
        pixels.extend(image.as_flattened().iter().map(|&pixel| pixel as u8));
        labels.push(label);
    }
    ImageDataset::new(pixels, labels, SIDE * SIDE)
}
