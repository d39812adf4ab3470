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

/// How far apart losses may be, relative: both compute in double precision.
const TOLERANCE: f64 = 1e-10;

/// How many updates are stored.
const UPDATES: usize = 100;

#[derive(Deserialize)]
struct Golden {
    configurations: BTreeMap<String, Configuration>,
}

#[derive(Deserialize)]
struct Configuration {
    arguments: Vec<String>,
    /// Of every batch.
    losses: Vec<f64>,
    /// Of the last update, after every batch.
    rates: Vec<f64>,
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

/// The losses and the learning rates, batch by batch.
fn trained(weights: &Path, directory: &Path, arguments: &[String]) -> (Vec<f64>, Vec<f64>) {
    let test = std::env::current_exe().unwrap();
    let example = test.parent().unwrap().join("../examples/pytorch_parity");
    let status = Command::new(example)
        .arg("--weights")
        .arg(weights)
        .arg("--run-dir")
        .arg(directory)
        .args(["--epochs", "1"])
        .args(arguments)
        .stdout(Stdio::null())
        .status()
        .unwrap();
    assert!(status.success());
    let read = |name: &str| {
        let json = std::fs::read(directory.join(name)).unwrap();
        serde_json::from_slice(&json).unwrap()
    };
    (read("losses.json"), read("rates.json"))
}

/// Whether all are within the relative tolerance; NaN is not.
fn agree(found: &[f64], expected: &[f64], tolerance: f64) -> bool {
    let apart = |(found, expected): (&f64, &f64)| (found / expected - 1.0).abs();
    found
        .iter()
        .zip(expected)
        .map(apart)
        .all(|apart| apart <= tolerance)
}

fn mean(losses: &[f64]) -> f64 {
    losses.iter().sum::<f64>() / losses.len() as f64
}

#[test]
fn what_is_not_a_number_does_not_agree() {
    assert!(agree(&[1.0], &[1.0], 0.0));
    for (found, expected) in [(f64::NAN, 1.0), (1.0, f64::NAN), (f64::NAN, f64::NAN)] {
        assert!(!agree(&[1.0, found], &[1.0, expected], f64::MAX));
    }
}

#[test]
fn updates_are_pytorchs() {
    let golden = include_bytes!("../integration/golden/parity.json");
    let golden: Golden = serde_json::from_slice(golden).unwrap();
    assert_eq!(golden.configurations.len(), 5);
    let directory = TempDir::new().unwrap();
    let weights = directory.path().join("model.safetensors");
    save_safetensors(&weights, &model()).unwrap();
    for (name, expected) in golden.configurations {
        let directory = directory.path().join(&name);
        let (losses, rates) = trained(&weights, &directory, &expected.arguments);
        // A configuration that accumulates has more batches in its updates.
        let batches = expected.losses.len();
        assert_eq!(
            (batches % UPDATES, expected.rates.len()),
            (0, batches),
            "{name}"
        );
        assert!(
            losses.len() >= batches && losses.len() == rates.len(),
            "{name}"
        );
        let accumulation = batches / UPDATES;
        let means = |losses: &[f64]| losses.chunks(accumulation).map(mean).collect::<Vec<f64>>();
        let (found, theirs) = (means(&losses[..batches]), means(&expected.losses));
        assert!(
            agree(&found, &theirs, TOLERANCE),
            "{name}: {found:?} {theirs:?}"
        );
        let of_updates = |rates: &[f64]| {
            let last = rates[..batches].iter().skip(accumulation - 1);
            last.step_by(accumulation).copied().collect::<Vec<f64>>()
        };
        assert!(
            agree(&of_updates(&rates), &of_updates(&expected.rates), 1e-12),
            "{name}"
        );
    }
}
