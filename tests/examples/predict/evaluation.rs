//! The test set, or another one.

use std::fs;

use burn_lr::mnist::bundled_mnist_dir;
use burn_lr::training::evaluate::ConfusionMatrix;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::predict_with_run;

#[test]
fn the_test_set_is_evaluated() {
    let (code, out, err) = predict_with_run(&[]);
    assert_eq!(code, 0, "{err}");
    assert!(err.contains(".bpk on flex"), "{err}");
    assert!(!err.contains("other images"), "{err}");
    assert!(err.contains("note: the run has no best.bpk"), "{err}");
    let (_, _, err) = predict_with_run(&["--model", "final"]);
    assert!(!err.contains("note"), "{err}");
    let (code, average, err) = predict_with_run(&["--model", "average"]);
    assert_eq!(code, 0, "{err}");
    assert!(err.contains("average.bpk on flex"), "{err}");
    assert_ne!(average, out);
    assert!(out.contains("10000 test images"), "{out}");
    assert!(out.contains("target \\ predicted"), "{out}");

    let (code, out, _) = predict_with_run(&["--json"]);
    let report: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &report["samples"]), (0, &json!(10_000)));
    let accuracy = report["accuracy"].as_f64().unwrap();
    assert!(accuracy > 0.88, "{accuracy}");
    let matrix: ConfusionMatrix =
        serde_json::from_value(report["confusion_matrix"].clone()).unwrap();
    assert_eq!(matrix.accuracy(), Some(accuracy));
    // The numbers of each digit in MNIST's test set.
    let known = [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009];
    for (class, samples) in known.into_iter().enumerate() {
        let listed = &report["classes"][class];
        assert_eq!(listed["samples"], samples);
        assert_eq!(listed["accuracy"].as_f64(), matrix.recall(class));
    }
}

#[test]
fn images_that_the_run_was_not_validated_on_are_noted() {
    let directory = TempDir::new().unwrap();
    let bundled = bundled_mnist_dir();
    for (as_name, name) in [
        ("train-images-idx3-ubyte.gz", "t10k-images-idx3-ubyte.gz"),
        ("train-labels-idx1-ubyte.gz", "t10k-labels-idx1-ubyte.gz"),
    ] {
        for (from, to) in [(as_name, name), (name, as_name)] {
            fs::copy(bundled.join(from), directory.path().join(to)).unwrap();
        }
    }
    let data = directory.path().to_str().unwrap();
    let (code, out, err) = predict_with_run(&["--data-dir", data]);
    assert_eq!(code, 0, "{err}");
    assert!(
        err.contains("note: the run was validated on other images"),
        "{err}"
    );
    assert!(
        out.starts_with("Accuracy on the 60000 test images"),
        "{out}"
    );
}
