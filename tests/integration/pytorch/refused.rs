//! Files that do not fit, which change nothing.

use std::fs;

use burn::nn::{Linear, LinearConfig};
use burn::tensor::Device;
use burn_lr::training::pytorch::{PytorchWeights, WeightsError, WeightsReport, load_pytorch};
use tempfile::TempDir;

use super::net::Net;
use super::weights::fixture;

fn mismatch(error: WeightsError) -> WeightsReport {
    match error {
        WeightsError::Mismatch { report, .. } => *report,
        other => panic!("{other}"),
    }
}

/// An average of the norm, which clones of a network share.
fn average(net: &Net) -> Vec<f32> {
    net.norm.running_mean.value().into_data().iter().collect()
}

#[test]
fn weights_of_another_model_are_reported_and_change_nothing() {
    let net = Net::new(0.5);
    let refused = load_pytorch(fixture("parallel.pt"), net.clone()).unwrap_err();
    assert!(
        refused.to_string().contains("begin with \"module.\""),
        "{refused}"
    );
    let report = mismatch(refused);
    assert_eq!(
        (
            report.loaded.len(),
            report.missing.len(),
            report.unexpected.len()
        ),
        (0, 14, 14)
    );

    let mut other = net.clone();
    other.blocks[1] = LinearConfig::new(5, 3).init(&Device::flex());
    other
        .blocks
        .push(LinearConfig::new(3, 3).init(&Device::flex()));
    for file in [
        PytorchWeights::new(fixture("net.pt")),
        PytorchWeights::new(fixture("net.pt")).partial(),
    ] {
        let report = mismatch(file.load(other.clone()).unwrap_err());
        assert_eq!(report.missing, ["blocks.2.weight", "blocks.2.bias"]);
        let found: Vec<String> = report.mismatched.iter().map(ToString::to_string).collect();
        let expected = [
            "blocks.1.weight (expected float [5, 3], found float [5, 4])",
            "blocks.1.bias (expected float [3], found float [4])",
        ];
        assert_eq!(found, expected);
    }
    assert_eq!(average(&net), [0.0; 3]);
}

#[test]
fn what_is_left_out_is_told() {
    let partial = PytorchWeights::new(fixture("net.pt")).partial();
    let renamed = partial.clone().rename("^blocks.1", "second");
    let (net, report) = renamed.load(Net::new(0.5)).unwrap();
    assert_eq!(report.missing, ["blocks.1.weight", "blocks.1.bias"]);
    assert_eq!(report.unexpected, ["second.bias", "second.weight"]);
    assert!(average(&net) != [0.0; 3]);
    // Nothing at all is a mistake.
    let none = partial.rename("^", "other.").load(Net::new(0.5));
    assert!(mismatch(none.unwrap_err()).loaded.is_empty());
}

#[test]
fn files_that_hold_no_weights_are_refused() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("net.pt");
    let linear = || -> Linear { LinearConfig::new(2, 2).init(&Device::flex()) };
    let refused = load_pytorch(&path, linear()).unwrap_err();
    assert!(matches!(&refused, WeightsError::File { path: of, .. } if *of == path));

    let whole = fs::read(fixture("net.pt")).unwrap();
    let safetensors = fs::read(fixture("net.safetensors")).unwrap();
    for bytes in [
        &b""[..],
        b"no weights",
        &whole[..whole.len() / 2],
        &whole[..100],
        &safetensors[..safetensors.len() - 1],
        &safetensors[..20],
    ] {
        fs::write(&path, bytes).unwrap();
        let refused = load_pytorch(&path, linear()).unwrap_err();
        assert!(
            matches!(&refused, WeightsError::Unreadable { path: of, .. } if *of == path),
            "{refused}"
        );
    }
    let no_key = PytorchWeights::new(fixture("checkpoint.pt")).key("weights");
    assert!(matches!(
        no_key.load(Net::new(0.5)),
        Err(WeightsError::Unreadable { .. })
    ));
    let renamed = PytorchWeights::new(fixture("net.pt")).rename(r"^blocks\.\d", "block");
    let refused = renamed.load(Net::new(0.5)).unwrap_err();
    assert!(
        matches!(&refused, WeightsError::Renamed { name, .. } if name == "block.bias"),
        "{refused}"
    );
    let pattern = PytorchWeights::new(fixture("net.pt")).rename("(", "");
    assert!(matches!(
        pattern.load(Net::new(0.5)),
        Err(WeightsError::Pattern { .. })
    ));
}
