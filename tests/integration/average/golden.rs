//! Averages beside PyTorch's and timm's; `golden/averages.py` made what is expected.

use std::collections::BTreeMap;

use burn::module::{Module, Param, RunningState};
use burn::nn::{BatchNorm, BatchNormConfig, Linear, LinearConfig};
use burn::tensor::{Device, Tensor, TensorData};
use burn_lr::training::average::{Ema, ModelAverage, Rule, Statistics, recomputed_statistics};
use serde::Deserialize;

use crate::engine::net::values;

const UPDATES: usize = 300;
const BATCHES: usize = 5;
const BATCH: usize = 8;

#[derive(Deserialize)]
struct Golden {
    averages: BTreeMap<String, Vec<f32>>,
}

fn golden() -> BTreeMap<String, Vec<f32>> {
    let golden = include_bytes!("../golden/averages.json");
    serde_json::from_slice::<Golden>(golden).unwrap().averages
}

fn numbers<const D: usize>(shape: [usize; D], phase: f64, device: &Device) -> Tensor<D> {
    let count = shape.iter().product();
    let values: Vec<f32> = (0..count)
        .map(|index: usize| (phase + index as f64).sin() as f32)
        .collect();
    Tensor::from_data(TensorData::new(values, shape), device)
}

#[derive(Module, Debug)]
struct Net {
    first: BatchNorm,
    linear: Linear,
    second: BatchNorm,
}

impl Net {
    fn new(device: &Device) -> Self {
        Self {
            first: BatchNormConfig::new(4).init(device),
            linear: LinearConfig::new(4, 3).init(device),
            second: BatchNormConfig::new(3).with_momentum(0.01).init(device),
        }
    }

    /// Weights and statistics that wander, as a run's do.
    fn walk(&mut self, update: usize, device: &Device) {
        let phase = 0.5 + 0.01 * update as f64;
        // PyTorch's weight is the transpose.
        let weight = numbers([3, 4], phase, device).transpose();
        self.linear.weight = Param::from_tensor(weight);
        self.linear.bias = Some(Param::from_tensor(numbers([3], phase, device)));
        for (norm, size) in [(&mut self.first, 4), (&mut self.second, 3)] {
            norm.gamma = Param::from_tensor(numbers([size], phase, device));
            norm.beta = Param::from_tensor(numbers([size], phase, device));
            let phase = 0.02 * update as f64;
            norm.running_mean = RunningState::new(numbers([size], 0.7 + phase, device));
            norm.running_var = RunningState::new(numbers([size], 0.3 + phase, device) + 2.0);
        }
    }

    fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        let hidden = self.linear.forward(self.first.forward(x)).tanh();
        self.second.forward(hidden)
    }
}

fn averaged(rule: Rule, statistics: Statistics, left_out: usize) -> Net {
    let device = Device::flex().autodiff();
    let mut net = Net::new(&device);
    net.walk(0, &device);
    let mut average = ModelAverage::new(rule, statistics, &net).unwrap();
    for update in 1..=UPDATES {
        net.walk(update, &device);
        if update > left_out {
            average.update(&net).unwrap();
        }
    }
    assert_eq!(average.averaged(), (UPDATES - left_out) as u64);
    average.model()
}

fn assert_close(name: &str, net: &Net, tolerance: f32) {
    let expected = &golden()[name];
    let found: Vec<f32> = values(net).concat();
    assert_eq!(found.len(), expected.len(), "{name}");
    for (place, (found, expected)) in found.iter().zip(expected).enumerate() {
        let scale = expected.abs().max(0.1);
        assert!(
            (found - expected).abs() <= tolerance * scale,
            "{name}, {place}: {found} for {expected}"
        );
    }
}

#[test]
fn averages_are_those_of_pytorch_and_timm() {
    let ema = |decay| Rule::Ema(Ema::new(decay));
    let warm = |decay, inv_gamma, power| Rule::Ema(Ema::new(decay).with_warmup(inv_gamma, power));
    let (averaged_too, copied) = (Statistics::Averaged, Statistics::Copied);
    let cases = [
        ("ema 0.99", ema(0.99), averaged_too, 0),
        ("ema 0.999, statistics copied", ema(0.999), copied, 0),
        ("equal", Rule::Equal, averaged_too, 0),
        ("equal, statistics copied", Rule::Equal, copied, 0),
        (
            "ema 0.98, warmup 1, 2/3",
            warm(0.98, 1.0, 2.0 / 3.0),
            averaged_too,
            0,
        ),
        (
            "ema 0.9, warmup 5, 0.75, after 20",
            warm(0.9, 5.0, 0.75),
            averaged_too,
            20,
        ),
    ];
    assert_eq!(cases.len() + 1, golden().len());
    for (name, rule, statistics, left_out) in cases {
        assert_close(name, &averaged(rule, statistics, left_out), 1e-6);
    }
}

#[test]
fn statistics_are_recomputed_as_pytorchs_update_bn_does() {
    let device = Device::flex().autodiff();
    let mut net = Net::new(&device);
    net.walk(7, &device);
    let batch = |batch: usize| {
        let phase = 1.3 * batch as f64;
        numbers([BATCH, 4], phase, &device) * (batch + 1) as f64
    };
    let recomputed = recomputed_statistics(
        &net,
        || (0..BATCHES).map(batch),
        |net, batch| {
            net.forward(batch);
        },
    );
    // The momentum of 0.01 is measured to 6e-8.
    assert_close("recomputed", &recomputed.unwrap(), 6e-6);
}
