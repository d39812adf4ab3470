//! Weights that PyTorch saved, and what it computes with them. `fixtures/make.py` made the files.

use std::path::PathBuf;

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{DType, Device, Tensor};
use burn_lr::model::MlpConfig;
use burn_lr::training::pytorch::{PytorchWeights, load_pytorch, save_safetensors};
use tempfile::TempDir;

use super::net::{Expected, Net};

pub fn fixture(name: &str) -> PathBuf {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    root.join("tests/integration/pytorch/fixtures").join(name)
}

fn assert_computes_as_pytorch(net: &Net, file: &str) {
    let Expected { tokens, output } = Expected::read();
    let found: Vec<f32> = net.forward(&tokens).into_data().iter().collect();
    for (found, expected) in found.iter().zip(&output) {
        assert!(
            (found - expected).abs() < 1e-6,
            "{file}: {found} for {expected}"
        );
    }
    assert_eq!(found.len(), output.len());
}

#[test]
fn every_kind_of_file_computes_what_pytorch_does() {
    for file in ["net.pt", "legacy.pth", "net.safetensors", "double.pt"] {
        let net = load_pytorch(fixture(file), Net::new(0.5)).unwrap();
        assert_computes_as_pytorch(&net, file);
    }
    let checkpoint = PytorchWeights::new(fixture("checkpoint.pt")).key("model");
    let (net, report) = checkpoint.load(Net::new(0.5)).unwrap();
    assert!(
        report.is_complete() && report.loaded.len() == 14,
        "{report}"
    );
    assert_computes_as_pytorch(&net, "checkpoint.pt");
    let parallel = PytorchWeights::new(fixture("parallel.pt")).rename(r"^module\.", "");
    assert_computes_as_pytorch(&parallel.load(Net::new(0.5)).unwrap().0, "parallel.pt");
}

#[test]
fn what_is_saved_for_pytorch_is_the_same_when_it_is_read_back() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("net.safetensors");
    let net = load_pytorch(fixture("net.pt"), Net::new(0.5)).unwrap();
    save_safetensors(&path, &net).unwrap();
    let copy = load_pytorch(&path, Net::new(0.25)).unwrap();
    assert_computes_as_pytorch(&copy, "saved");
    // The same names and layout as PyTorch's own file, but for its count of batches.
    let header = |path: &PathBuf| -> serde_json::Value {
        let bytes = std::fs::read(path).unwrap();
        let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
        serde_json::from_slice(&bytes[8..8 + length]).unwrap()
    };
    let (ours, theirs) = (header(&path), header(&fixture("net.safetensors")));
    for (name, tensor) in theirs.as_object().unwrap() {
        if name != "norm.num_batches_tracked" && name != "__metadata__" {
            assert_eq!(ours[name]["shape"], tensor["shape"], "{name}");
            assert_eq!(ours[name]["dtype"], "F32", "{name}");
        }
    }
    assert_eq!(
        ours.as_object().unwrap().len(),
        theirs.as_object().unwrap().len()
    );
    assert_eq!(ours["__metadata__"]["format"], "pt");
}

#[test]
fn the_experiments_network_has_pytorchs_names() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("mlp.safetensors");
    let device = Device::flex();
    let config = MlpConfig::new()
        .with_inputs(6)
        .with_hidden(4)
        .with_classes(3);
    let model = config.init(&device);
    save_safetensors(&path, &model).unwrap();
    let copy = load_pytorch(&path, config.init(&device)).unwrap();
    let weight = |layer: &burn::nn::Linear| layer.weight.val().into_data();
    assert_eq!(weight(&copy.fc1), weight(&model.fc1));
    assert_eq!(weight(&copy.fc2), weight(&model.fc2));
}

#[test]
fn parameters_keep_what_they_are() {
    let mut net = Net::new(0.5);
    net.blocks[0] = net.blocks[0].clone().no_grad();
    let before = parameters(&net);
    let net = load_pytorch(fixture("double.pt"), net).unwrap();
    assert_eq!(parameters(&net), before);
    assert!(before.iter().any(|(_, _, _, trainable)| !trainable));
}

/// Path-independent facts of each parameter: identity, shape, type, whether it is trained.
fn parameters(net: &Net) -> Vec<(u64, Vec<usize>, DType, bool)> {
    struct Facts(Vec<(u64, Vec<usize>, DType, bool)>);
    impl ModuleVisitor for Facts {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            let shape = param.lazy_shape().to_vec();
            let trained = param.is_require_grad();
            self.0.push((param.id.val(), shape, param.dtype(), trained));
        }
    }
    let mut facts = Facts(Vec::new());
    net.visit(&mut facts);
    facts.0
}
