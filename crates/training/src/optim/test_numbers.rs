//! Random numbers for tests, from a generator of their own: a backend has one for all threads, and so for all tests.

use burn::module::Param;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Device, Tensor, TensorData};
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

/// The same ones in every run of a test.
pub(super) struct Numbers(ChaCha8Rng);

impl Numbers {
    pub(super) fn new() -> Self {
        Self(ChaCha8Rng::seed_from_u64(42))
    }

    /// Between `-bound` and `bound`.
    pub(super) fn tensor<const D: usize>(
        &mut self,
        shape: [usize; D],
        bound: f32,
        device: &Device,
    ) -> Tensor<D> {
        let count = shape.iter().product();
        let values: Vec<f32> = (0..count)
            .map(|_| bound * self.0.random_range(-1.0..1.0))
            .collect();
        Tensor::from_data(TensorData::new(values, shape), device)
    }

    /// Drawn as Burn does by default.
    pub(super) fn linear(&mut self, [inputs, outputs]: [usize; 2], device: &Device) -> Linear {
        let bound = (inputs as f32).sqrt().recip();
        let mut linear = LinearConfig::new(inputs, outputs).init(device);
        linear.weight = Param::from_tensor(self.tensor([inputs, outputs], bound, device));
        linear.bias = Some(Param::from_tensor(self.tensor([outputs], bound, device)));
        linear
    }
}
