//! The example `pytorch_parity` beside PyTorch's losses, which `benches/peers/parity.py` wrote.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};

use burn::module::Param;
use burn::tensor::{Device, Tensor, TensorData};
use burn_lr::model::{Mlp, MlpConfig};
use burn_lr::training::pytorch::save_safetensors;
use serde::Deserialize;
use tempfile::TempDir;

/// Later, a hidden unit may be so near to zero that another processor finds it on the other side, and
/// Adam makes much of it.
const UPDATES: usize = 16;

#[derive(Deserialize)]
struct Golden {
    configurations: BTreeMap<String, Configuration>,
}

#[derive(Deserialize)]
struct Configuration {
    arguments: Vec<String>,
    losses: Vec<f64>,
}

/// The weights of `parity.py`, by the formula that it has for them.
fn model() -> Mlp {
    let device = Device::flex();
    let mut model = MlpConfig::new().init(&device);
    let mut index = 0_u64;
    let mut values = |count: usize, inputs: usize| -> Vec<f32> {
        let value = |index: u64| {
            let unit = (index * 2_654_435_761 % (1 << 32)) as f64 / f64::from(2).powi(32);
            ((2.0 * unit - 1.0) / (inputs as f64).sqrt()) as f32
        };
        let values = (index..index + count as u64).map(value).collect();
        index += count as u64;
        values
    };
    for layer in [&mut model.fc1, &mut model.fc2] {
        let [inputs, outputs] = layer.weight.lazy_shape().dims();
        // In PyTorch's layout.
        let weight = TensorData::new(values(inputs * outputs, inputs), [outputs, inputs]);
        let weight = Tensor::<2>::from_data(weight, &device).transpose();
        layer.weight = Param::from_tensor(weight);
        let bias = TensorData::new(values(outputs, inputs), [outputs]);
        layer.bias = Some(Param::from_tensor(Tensor::from_data(bias, &device)));
    }
    model
}

fn losses(weights: &Path, directory: &Path, arguments: &[String]) -> Vec<f64> {
    let test = std::env::current_exe().unwrap();
    let example = test.parent().unwrap().join("../examples/pytorch_parity");
    let status = Command::new(example)
        .arg("--weights")
        .arg(weights)
        .arg("--run-dir")
        .arg(directory)
        .args(["--epochs", "1", "--train-samples", "6400"])
        .args(arguments)
        .stdout(Stdio::null())
        .status()
        .unwrap();
    assert!(status.success());
    let json = std::fs::read(directory.join("losses.json")).unwrap();
    serde_json::from_slice(&json).unwrap()
}

#[test]
fn updates_are_pytorchs() {
    let golden = include_bytes!("../integration/golden/parity.json");
    let golden: Golden = serde_json::from_slice(golden).unwrap();
    assert_eq!(golden.configurations.len(), 5);
    let directory = TempDir::new().unwrap();
    let weights = directory.path().join("model.safetensors");
    save_safetensors(&weights, &model()).unwrap();
    for (
        name,
        Configuration {
            arguments,
            losses: expected,
        },
    ) in golden.configurations
    {
        let found = losses(&weights, &directory.path().join(&name), &arguments);
        assert_eq!((found.len(), expected.len()), (100, 100));
        let apart = |(found, expected): (&f64, &f64)| (found / expected - 1.0).abs();
        let pairs = || found.iter().zip(&expected);
        let most = pairs().take(UPDATES).map(apart).fold(0.0, f64::max);
        assert!(most < 1e-5, "{name}: {most:e}");
        let mean = |losses: &[f64]| losses.iter().sum::<f64>() / losses.len() as f64;
        let most = apart((&mean(&found), &mean(&expected)));
        assert!(most < 0.01, "{name}: {most:e}");
    }
}
