//! Images that are moved a little each time they are seen.

use burn::data::dataset::{Dataset, DatasetError};
use burn::tensor::{Device, Tensor, TensorData};
use burn_lr::mnist::ImageDataset;
use burn_lr::model::ClassificationBatch;
use burn_lr::training::loader::{BatchSource, Sample};
use rand::{Rng, RngExt};

const SIDE: usize = 28;
/// How far an image is moved at most, in pixels along each axis.
const MAX_SHIFT: i32 = 2;

/// MNIST's images, each moved by up to two pixels in each direction.
pub struct Shifted(pub ImageDataset);

impl BatchSource<ClassificationBatch> for Shifted {
    fn len(&self) -> usize {
        Dataset::len(&self.0)
    }

    fn batch(
        &self,
        samples: &[Sample],
        device: &Device,
    ) -> Result<ClassificationBatch, DatasetError> {
        let mut inputs = Vec::with_capacity(samples.len() * SIDE * SIDE);
        let mut targets = Vec::with_capacity(samples.len());
        for sample in samples {
            shift(self.0.pixels(sample.index), &mut sample.rng(), &mut inputs);
            targets.push(i64::from(self.0.labels()[sample.index]));
        }
        let inputs = TensorData::new(inputs, [samples.len(), SIDE * SIDE]);
        Ok(ClassificationBatch {
            inputs: Tensor::from_data(inputs, device),
            targets: Tensor::from_data(&targets[..], device),
        })
    }

    fn fingerprint(&self) -> Option<String> {
        Some(format!("crc32:{:08x}, shifted", self.0.fingerprint()))
    }
}

/// Adds the pixels of an image, scaled to 0..=1 and moved as `rng` says; black comes in from outside.
fn shift(pixels: &[u8], rng: &mut impl Rng, moved: &mut Vec<f32>) {
    let [right, down] = [(); 2].map(|()| rng.random_range(-MAX_SHIFT..=MAX_SHIFT));
    // Where along an axis the pixel comes from that is at `to` afterwards.
    let origin = |to: usize, by: i32| to.checked_add_signed(-by as isize).filter(|&at| at < SIDE);
    for y in 0..SIDE {
        for x in 0..SIDE {
            let pixel = origin(y, down).zip(origin(x, right));
            let pixel = pixel.map_or(0, |(y, x)| pixels[y * SIDE + x]);
            moved.push(f32::from(pixel) / 255.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::ChaCha8Rng;

    use super::*;

    #[test]
    fn a_shift_moves_every_pixel_alike_and_repeats() {
        let mut image = vec![0; SIDE * SIDE];
        image[10 * SIDE + 10] = 255;
        image[12 * SIDE + 11] = 51;
        let mut places = std::collections::BTreeSet::new();
        for seed in 0..200 {
            let shifted = |seed| {
                let mut moved = Vec::new();
                shift(&image, &mut ChaCha8Rng::seed_from_u64(seed), &mut moved);
                moved
            };
            let moved = shifted(seed);
            let at = moved.iter().position(|&pixel| pixel == 1.0).unwrap();
            assert_eq!(moved[at + 2 * SIDE + 1], 0.2);
            assert_eq!(moved.iter().filter(|&&pixel| pixel > 0.0).count(), 2);
            assert_eq!(moved, shifted(seed));
            places.insert(at);
        }
        assert_eq!(places.len(), 25);
    }

    #[test]
    fn nothing_comes_in_from_outside() {
        for seed in 0..50 {
            let mut moved = Vec::new();
            let white = [255; SIDE * SIDE];
            shift(&white, &mut ChaCha8Rng::seed_from_u64(seed), &mut moved);
            let black = moved.iter().filter(|&&pixel| pixel == 0.0).count();
            assert!(black <= SIDE * SIDE - 26 * 26, "{black}");
        }
    }
}
