//! A model with modules in modules, in a vector and in an array.

use burn::module::{Module, ParamId};
use burn::nn::{BatchNorm, BatchNormConfig, LayerNorm, LayerNormConfig, Linear};
use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::tensor::{Device, Tensor};

use super::test_numbers::Numbers;
use super::{ParamInfo, parameters};
use crate::device::Backend;

#[derive(Module, Debug)]
pub(super) struct Block {
    norm: LayerNorm,
    inner: Linear,
}

#[derive(Module, Debug)]
pub(super) struct Net {
    embed: Linear,
    blocks: Vec<Block>,
    average: BatchNorm,
    heads: [Linear; 2],
}

impl Net {
    /// The same weights every time.
    pub(super) fn new(device: &Device) -> Self {
        let mut numbers = Numbers::new();
        let mut linear = |shape| numbers.linear(shape, device);
        Self {
            embed: linear([3, 4]),
            // Eleven, so that `blocks.1` is the beginning of `blocks.10`.
            blocks: (0..11)
                .map(|_| Block {
                    norm: LayerNormConfig::new(4).init(device),
                    inner: linear([4, 4]),
                })
                .collect(),
            average: BatchNormConfig::new(4).init(device),
            heads: [(); 2].map(|()| linear([4, 2])),
        }
    }

    pub(super) fn freeze_embed(&mut self) {
        self.embed = self.embed.clone().no_grad();
    }

    pub(super) fn embedding(&self) -> ParamId {
        self.embed.weight.id
    }

    /// The same of a model without autodiff, of which nothing is trained until it is again.
    pub(super) fn values_of_valid(self) -> Vec<(String, Vec<f32>)> {
        self.train().values()
    }

    pub(super) fn forward(&self, input: Tensor<2>) -> Tensor<2> {
        let mut x = self.embed.forward(input);
        for block in &self.blocks {
            x = x.clone() + block.inner.forward(block.norm.forward(x)).tanh();
        }
        let x = self.average.forward(x);
        self.heads[0].forward(x.clone()) + self.heads[1].forward(x).powi_scalar(2)
    }

    pub(super) fn grads(&self, input: &Tensor<2>) -> GradientsParams {
        let loss = self.forward(input.clone()).powi_scalar(2).mean();
        GradientsParams::from_grads(loss.backward(), self)
    }

    /// Each trainable parameter's path and values. Burn's clones share the averages of a batch norm.
    pub(super) fn values(&self) -> Vec<(String, Vec<f32>)> {
        values(self)
    }
}

pub(super) fn device() -> Device {
    Backend::Flex.device().unwrap().autodiff()
}

/// The same numbers whenever they are asked for.
pub(super) fn inputs(count: usize, device: &Device) -> Vec<Tensor<2>> {
    let value = |index: usize| (index as f32 * 12.9898).sin();
    let input = |number: usize| {
        let values: Vec<f32> = (0..15).map(|index| value(number * 15 + index)).collect();
        Tensor::<1>::from_floats(values.as_slice(), device).reshape([5, 3])
    };
    (0..count).map(input).collect()
}

pub(super) fn updated(optimizer: &mut ModuleOptimizer, mut net: Net, inputs: &[Tensor<2>]) -> Net {
    for (number, input) in inputs.iter().enumerate() {
        let grads = net.grads(input);
        net = optimizer.step(0.01 / (1 + number) as f64, net, grads);
    }
    net
}

fn values<M: Module>(model: &M) -> Vec<(String, Vec<f32>)> {
    struct Values(Vec<Vec<f32>>);
    impl burn::module::ModuleVisitor for Values {
        fn visit_float<const D: usize>(&mut self, param: &burn::module::Param<Tensor<D>>) {
            self.0.push(param.val().into_data().iter().collect());
        }
    }
    let mut values = Values(Vec::new());
    model.visit(&mut values);
    let params = parameters(model).into_iter().zip(values.0);
    let trained = params.filter(|(param, _)| param.trainable);
    trained
        .map(|(ParamInfo { path, .. }, values)| (path, values))
        .collect()
}
