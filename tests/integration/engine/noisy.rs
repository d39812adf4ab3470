//! Points that are augmented, and points that are no numbers.

use burn::data::dataset::DatasetError;
use burn::tensor::{Device, Tensor};
use burn_lr::training::loader::rand::RngExt;
use burn_lr::training::loader::{BatchSource, Sample};

use crate::common::line::{Points, Slope};

/// Points of the line, each a little off.
pub struct Noisy;

impl BatchSource<Points> for Noisy {
    fn len(&self) -> usize {
        40
    }

    fn batch(&self, samples: &[Sample], device: &Device) -> Result<Points, DatasetError> {
        let points = Slope.batch(samples, device)?;
        let noise = |sample: &Sample| sample.rng().random_range(-0.1..0.1);
        let noise: Vec<f32> = samples.iter().map(noise).collect();
        let noise = Tensor::<1>::from_floats(&noise[..], device).unsqueeze_dim(1);
        Ok(Points {
            x: points.x + noise,
            y: points.y,
        })
    }
}

/// Points of the line, one of which is not a number from some epoch on, or in that one alone.
pub struct Poisoned {
    pub index: usize,
    pub epochs: std::ops::Range<u64>,
}

impl BatchSource<Points> for Poisoned {
    fn len(&self) -> usize {
        40
    }

    fn batch(&self, samples: &[Sample], device: &Device) -> Result<Points, DatasetError> {
        let points = Slope.batch(samples, device)?;
        let value = |sample: &Sample| {
            let poisoned = sample.index == self.index && self.epochs.contains(&sample.epoch);
            if poisoned { f32::NAN } else { 0.0 }
        };
        let poison: Vec<f32> = samples.iter().map(value).collect();
        let poison = Tensor::<1>::from_floats(&poison[..], device).unsqueeze_dim(1);
        Ok(Points {
            x: points.x,
            y: points.y + poison,
        })
    }
}
