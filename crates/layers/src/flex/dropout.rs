//! Dropout.

use burn::backend::Flex;
use burn::backend::flex::{FlexDevice, FlexTensor};
use burn::backend::ops::IntTensorOps;
use burn::nn::Dropout;
use burn::tensor::{Device, Distribution, IntDType, Shape, Tensor, TensorData};
use pulp::NullaryFnOnce;

use super::fused::{Gradient, Operation, fused, numbers};
use super::philox::{self, BLOCK};
use super::width::widest;

/// Gives `input` back where there is nothing to be done here.
pub(crate) fn dropout<const D: usize>(
    layer: &Dropout,
    input: Tensor<D>,
) -> Result<Tensor<D>, Tensor<D>> {
    match Thinning::of(layer, &input.device()) {
        Some(thinning) => fused(input, thinning),
        None => Err(input),
    }
}

/// Sets some numbers to 0 and scales the others.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Thinning {
    /// The greatest draw of those that keep a number.
    greatest: u32,
    scale: f32,
}

impl Thinning {
    /// What `layer` does on `device`, if anything.
    pub(crate) fn of(layer: &Dropout, device: &Device) -> Option<Self> {
        let is_on = layer.training.is_enabled() && device.is_autodiff();
        let keep = 1.0 - layer.prob;
        let draws = (keep * 2f64.powi(32)).round();
        (is_on && draws >= 1.0 && keep < 1.0).then(|| Self {
            greatest: (draws - 1.0) as u32,
            scale: (1.0 / keep) as f32,
        })
    }

    /// Thins `values` out, and returns which were kept.
    pub(crate) fn thin(self, values: &mut [f32]) -> Vec<u8> {
        let mut kept = vec![0; values.len()];
        widest(Thin {
            thinning: self,
            key: key(),
            values,
            kept: &mut kept,
        });
        kept
    }

    /// Does to `values` what has been done to those that `kept` is of.
    pub(crate) fn again(self, values: &mut [f32], kept: &[u8]) {
        widest(Again {
            thinning: self,
            values,
            kept,
        });
    }

    /// What of a number is left, of which `kept` says whether it was kept.
    #[inline(always)]
    fn factor(self, kept: u8) -> f32 {
        if kept == 0 { 0.0 } else { self.scale }
    }
}

/// 64 random bits from the generator that [`Device::seed`](burn::tensor::Device::seed) seeds.
fn key() -> u64 {
    let one = Shape::new([1]);
    let all = Distribution::Default;
    let drawn: FlexTensor = Flex::int_random(one, all, &FlexDevice, IntDType::U64);
    drawn.storage::<u64>()[0]
}

impl Operation for Thinning {
    type Gradient = Thinned;

    fn forward(self, mut input: TensorData) -> TensorData {
        self.thin(numbers(&mut input));
        input
    }

    fn tracked(self, mut input: TensorData) -> (TensorData, Thinned) {
        let kept = self.thin(numbers(&mut input));
        let thinned = Thinned {
            thinning: self,
            kept,
        };
        (input, thinned)
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Thinned {
    thinning: Thinning,
    kept: Vec<u8>,
}

impl Gradient for Thinned {
    fn of_input(self, mut of_output: TensorData) -> TensorData {
        self.thinning.again(numbers(&mut of_output), &self.kept);
        of_output
    }
}

struct Thin<'a> {
    thinning: Thinning,
    key: u64,
    values: &'a mut [f32],
    kept: &'a mut [u8],
}

impl NullaryFnOnce for Thin<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let mut block = [0; BLOCK];
        let pieces = self
            .values
            .chunks_mut(BLOCK)
            .zip(self.kept.chunks_mut(BLOCK));
        for (number, (values, kept)) in (0..).zip(pieces) {
            philox::fill(&mut block, self.key, number);
            for ((value, kept), draw) in values.iter_mut().zip(kept).zip(&block) {
                *kept = u8::from(*draw <= self.thinning.greatest);
                *value *= self.thinning.factor(*kept);
            }
        }
    }
}

struct Again<'a> {
    thinning: Thinning,
    values: &'a mut [f32],
    kept: &'a [u8],
}

impl NullaryFnOnce for Again<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        for (value, kept) in self.values.iter_mut().zip(self.kept) {
            *value *= self.thinning.factor(*kept);
        }
    }
}
