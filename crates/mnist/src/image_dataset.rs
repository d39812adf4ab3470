//! Labelled grey images in contiguous memory.

use std::sync::Arc;

use burn::data::dataset::{Dataset, DatasetError};
use burn::tensor::{Device, Tensor, TensorData};
use burn_lr_model::ClassificationBatch;
use burn_lr_training::loader::{BatchSource, Sample};
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use rand::seq::SliceRandom;

/// One labelled image, as [`ImageDataset`] hands it to Burn's dataset transforms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// The pixels row by row, 0 to 255.
    pub pixels: Vec<u8>,
    /// The class.
    pub label: u8,
}

/// Labelled grey images in contiguous memory, one byte a pixel.
///
/// Cloning and taking a [prefix](Self::first) share the memory. As a Burn
/// [`Dataset`], it yields [`Image`]s; as a [`BatchSource`], it makes batches with pixels scaled to
/// 0..=1 straight from the bytes.
#[derive(Debug, Clone)]
pub struct ImageDataset {
    // Not `Arc<[u8]>`, into which a vector is copied.
    pixels: Arc<Vec<u8>>,
    labels: Arc<Vec<u8>>,
    features: usize,
    len: usize,
}

impl ImageDataset {
    /// Images of `features` pixels each, one label an image.
    ///
    /// Returns nothing if there are no features, or if the lengths do not fit each other.
    pub fn new(
        pixels: impl Into<Vec<u8>>,
        labels: impl Into<Vec<u8>>,
        features: usize,
    ) -> Option<Self> {
        let (pixels, labels) = (pixels.into(), labels.into());
        let fits = features > 0 && labels.len().checked_mul(features) == Some(pixels.len());
        fits.then(|| Self {
            len: labels.len(),
            pixels: Arc::new(pixels),
            labels: Arc::new(labels),
            features,
        })
    }

    /// The first `len` images, or all if there are fewer.
    pub fn first(&self, len: usize) -> Self {
        Self {
            len: len.min(self.len),
            ..self.clone()
        }
    }

    /// Copies of the images at `indices`, in their order; `None` if there is no such image.
    pub fn select(&self, indices: &[usize]) -> Option<Self> {
        let mut pixels = Vec::with_capacity(indices.len() * self.features);
        let mut labels = Vec::with_capacity(indices.len());
        for &index in indices {
            labels.push(*self.labels().get(index)?);
            pixels.extend_from_slice(self.pixels(index));
        }
        Self::new(pixels, labels, self.features)
    }

    /// Splits off `held_out` images drawn by `seed`: those that are left, in their order, and those
    /// that are held out. `None` if there are not that many.
    pub fn hold_out(&self, held_out: usize, seed: u64) -> Option<(Self, Self)> {
        let mut order: Vec<usize> = (0..self.len).collect();
        order.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
        let (held_out, left) = order.split_at_checked(held_out)?;
        let [mut held_out, mut left] = [held_out.to_vec(), left.to_vec()];
        held_out.sort_unstable();
        left.sort_unstable();
        Some((self.select(&left)?, self.select(&held_out)?))
    }

    /// How many pixels an image has.
    pub fn features(&self) -> usize {
        self.features
    }

    /// The labels of all images.
    pub fn labels(&self) -> &[u8] {
        &self.labels[..self.len]
    }

    /// A CRC-32 of the pixels and labels, to tell data sets apart.
    pub fn fingerprint(&self) -> u32 {
        let mut crc = flate2::Crc::new();
        crc.update(&self.pixels[..self.len * self.features]);
        crc.update(self.labels());
        crc.sum()
    }

    /// The pixels of image `index`.
    ///
    /// # Panics
    /// If there are not that many images.
    pub fn pixels(&self, index: usize) -> &[u8] {
        assert!(index < self.len, "image {index} of {}", self.len);
        &self.pixels[index * self.features..][..self.features]
    }
}

impl Dataset<Image> for ImageDataset {
    fn get(&self, index: usize) -> Result<Image, DatasetError> {
        Ok(Image {
            pixels: self.pixels(index).to_vec(),
            label: self.labels()[index],
        })
    }

    fn len(&self) -> usize {
        self.len
    }
}

impl BatchSource<ClassificationBatch> for ImageDataset {
    fn len(&self) -> usize {
        self.len
    }

    fn batch(
        &self,
        samples: &[Sample],
        device: &Device,
    ) -> Result<ClassificationBatch, DatasetError> {
        let mut inputs = Vec::with_capacity(samples.len() * self.features);
        let mut targets = Vec::with_capacity(samples.len());
        for &Sample { index, .. } in samples {
            inputs.extend(self.pixels(index).iter().map(|&pixel| scaled(pixel)));
            targets.push(i64::from(self.labels[index]));
        }
        let inputs = TensorData::new(inputs, [samples.len(), self.features]);
        let targets = TensorData::new(targets, [samples.len()]);
        Ok(ClassificationBatch {
            inputs: Tensor::from_data(inputs, device),
            targets: Tensor::from_data(targets, device),
        })
    }

    fn fingerprint(&self) -> Option<String> {
        Some(format!("crc32:{:08x}", self.fingerprint()))
    }
}

/// Grey images of `features` pixels each as a network is trained on them: `[images, features]`, the
/// pixels scaled to 0..=1.
///
/// Pixels at the end that do not fill an image are left out.
pub fn image_tensor(pixels: &[u8], features: usize, device: &Device) -> Tensor<2> {
    let features = features.max(1);
    let images = pixels.len() / features;
    let pixels = pixels[..images * features].iter();
    let pixels: Vec<f32> = pixels.map(|&pixel| scaled(pixel)).collect();
    Tensor::from_data(TensorData::new(pixels, [images, features]), device)
}

fn scaled(pixel: u8) -> f32 {
    f32::from(pixel) / 255.0
}
