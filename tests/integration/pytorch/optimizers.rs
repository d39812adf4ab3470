//! Optimizers with PyTorch's constants, beside PyTorch's; `golden/optimizers.py` made what is expected.

use std::collections::BTreeMap;

use burn::module::{Module, Param};
use burn::optim::decay::WeightDecayConfig;
use burn::optim::{GradientsParams, SgdConfig};
use burn::tensor::{Device, Tensor, TensorData};
use burn_lr::training::optim::{
    OptimizerConfig, ResolvedGroups, ada_grad, adam, adamw, momentum, rms_prop,
};
use serde::Deserialize;

#[derive(Deserialize)]
struct Golden {
    optimizers: BTreeMap<String, Vec<f32>>,
}

#[derive(Module, Debug)]
struct Layer {
    weight: Param<Tensor<2>>,
    bias: Param<Tensor<1>>,
}

fn optimizers() -> Vec<(&'static str, OptimizerConfig)> {
    let decay = || Some(WeightDecayConfig::new(0.1));
    let sgd = |momentum| SgdConfig::new().with_momentum(Some(momentum));
    let adamw_amsgrad = adamw().with_weight_decay(0.1).with_amsgrad(true);
    vec![
        ("adam", adam().into()),
        (
            "adam, weight decay",
            adam().with_weight_decay(decay()).into(),
        ),
        ("adam, amsgrad", adam().with_amsgrad(true).into()),
        ("adamw", adamw().into()),
        (
            "adamw, amsgrad",
            adamw_amsgrad.with_beta_1(0.8).with_beta_2(0.95).into(),
        ),
        ("sgd", SgdConfig::new().into()),
        (
            "sgd, momentum",
            sgd(momentum(0.9)).with_weight_decay(decay()).into(),
        ),
        (
            "sgd, dampening",
            sgd(momentum(0.9).with_dampening(0.5)).into(),
        ),
        (
            "sgd, nesterov",
            sgd(momentum(0.9).with_nesterov(true)).into(),
        ),
        ("rms_prop", rms_prop().into()),
        (
            "rms_prop, momentum",
            rms_prop()
                .with_momentum(0.9)
                .with_weight_decay(decay())
                .into(),
        ),
        ("rms_prop, centered", rms_prop().with_centered(true).into()),
        ("ada_grad", ada_grad().into()),
        (
            "ada_grad, lr decay",
            ada_grad()
                .with_lr_decay(0.1)
                .with_weight_decay(decay())
                .into(),
        ),
    ]
}

fn numbers<const D: usize>(shape: [usize; D], phase: f64) -> Tensor<D> {
    let count = shape.iter().product();
    let values: Vec<f32> = (0..count)
        .map(|index: usize| (phase + index as f64).sin() as f32)
        .collect();
    Tensor::from_data(TensorData::new(values, shape), &Device::flex())
}

fn gradient<const D: usize>(param: &Param<Tensor<D>>, step: usize) -> Tensor<D> {
    let value = param.val().inner();
    let shape = value.dims();
    value * 0.5 + numbers(shape, 0.7 * step as f64)
}

fn trained(optimizer: &OptimizerConfig) -> Vec<f32> {
    let device = Device::flex().autodiff();
    let mut layer = Layer {
        weight: Param::from_tensor(Tensor::from_inner(numbers([3, 4], 0.5)).to_device(&device)),
        bias: Param::from_tensor(Tensor::from_inner(numbers([4], 0.5)).to_device(&device)),
    };
    let mut optimizer = optimizer.build(&ResolvedGroups::default()).unwrap();
    for step in 0..30 {
        let mut gradients = GradientsParams::new();
        gradients.register(layer.weight.id, gradient(&layer.weight, step));
        gradients.register(layer.bias.id, gradient(&layer.bias, step));
        layer = optimizer.step(0.1 / (1 + step) as f64, layer, gradients);
    }
    let numbers = layer.weight.val().into_data();
    let bias = layer.bias.val().into_data();
    numbers.iter().chain(bias.iter()).collect()
}

#[test]
fn optimizers_update_as_pytorchs_do() {
    let golden = include_bytes!("../golden/optimizers.json");
    let Golden {
        optimizers: expected,
    } = serde_json::from_slice(golden).unwrap();
    let optimizers = optimizers();
    assert_eq!(optimizers.len(), expected.len());
    for (name, optimizer) in optimizers {
        let found = trained(&optimizer);
        // Settings that are f32 in Burn and f64 in PyTorch, after 30 updates.
        for (found, expected) in found.iter().zip(&expected[name]) {
            assert!(
                (found - expected).abs() < 3e-6,
                "{name}: {found} for {expected}"
            );
        }
        assert_eq!(found.len(), expected[name].len());
    }
}
