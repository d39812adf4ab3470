//! Which run is used, and runs that cannot be.

use std::cell::Cell;
use std::fs;
use std::time::{Duration, SystemTime};

use burn_lr::model::MlpConfig;
use burn_lr::training::device::Backend;
use burn_lr::training::storage::save_model;
use clap::Parser;
use serde_json::json;
use tempfile::TempDir;

use super::{predict, run_dir, test_images};

#[test]
fn a_run_that_cannot_be_used_says_why() {
    let directory = TempDir::new().unwrap();
    let path = directory.path();
    let fails = |expected: &str| {
        let (code, _, err) = predict(&["--run-dir", path.to_str().unwrap()]);
        assert_eq!(code, 2);
        assert!(err.contains(expected), "{err}");
    };
    fails("expected a best.bpk or final.bpk, got none");
    let average = ["--run-dir", path.to_str().unwrap(), "--model", "average"];
    let (code, _, err) = predict(&average);
    assert_eq!(code, 2);
    assert!(err.contains("expected a average.bpk, got none"), "{err}");
    fs::write(path.join("final.bpk"), "no model").unwrap();
    fails("burn-lr.json");
    fs::write(path.join("burn-lr.json"), "{}").unwrap();
    fails("burn-lr.json is damaged");
    fs::write(
        path.join("burn-lr.json"),
        r#"{"fixed": {"settings": null}}"#,
    )
    .unwrap();
    fails("burn-lr.json: expected the network's sizes in settings.model");
    let config = |network: MlpConfig| {
        let settings = json!({ "model": network });
        let config = json!({ "fixed": { "settings": settings } }).to_string();
        fs::write(path.join("burn-lr.json"), config).unwrap();
    };
    config(MlpConfig::new().with_inputs(783));
    fails("expected a network of 784 inputs, got 783");
    config(MlpConfig::new());
    fails("final.bpk");
    fs::copy(run_dir().join("final.bpk"), path.join("final.bpk")).unwrap();
    config(MlpConfig::new().with_hidden(64));
    fails("final.bpk");
}

#[test]
fn a_flipped_bit_in_the_model_is_noticed() {
    let directory = TempDir::new().unwrap();
    for file in ["burn-lr.json", "final.bpk", "final.bpk.sha256"] {
        fs::copy(run_dir().join(file), directory.path().join(file)).unwrap();
    }
    let images = test_images();
    let run = || {
        let run = directory.path().to_str().unwrap();
        predict(&["--run-dir", run, "--count", "1", &images])
    };
    assert_eq!(run().0, 0);
    let model = directory.path().join("final.bpk");
    let mut bytes = fs::read(&model).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&model, bytes).unwrap();
    let (code, out, err) = run();
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(err.contains("final.bpk is damaged"), "{err}");
    // A model without a checksum is one from elsewhere.
    fs::remove_file(directory.path().join("final.bpk.sha256")).unwrap();
    assert_eq!(run().0, 0);
}

#[test]
fn best_comes_before_final_and_the_newest_run_before_others() {
    let artifacts = TempDir::new().unwrap();
    let options = |arguments: &[&str]| {
        predict::Options::try_parse_from([&["predict"], arguments].concat()).unwrap()
    };
    let find = |arguments: &[&str]| predict::Run::find(&options(arguments), artifacts.path());
    assert!(find(&[]).is_err());

    let device = Backend::Flex.device().unwrap();
    let model = MlpConfig::new().with_hidden(1).init(&device);
    let minutes = Cell::new(0);
    let write = |run: &str, name: &str| {
        let directory = artifacts.path().join(run);
        fs::create_dir_all(&directory).unwrap();
        fs::copy(
            run_dir().join("burn-lr.json"),
            directory.join("burn-lr.json"),
        )
        .unwrap();
        let path = directory.join(name);
        save_model(&path, &model).unwrap();
        // A minute after the one before: times of files may be coarse.
        minutes.set(minutes.get() + 1);
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(60 * minutes.get());
        let file = fs::File::options().write(true).open(path).unwrap();
        file.set_modified(time).unwrap();
    };
    let found = |arguments: &[&str]| {
        let model = find(arguments).unwrap().model;
        model
            .strip_prefix(artifacts.path())
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned()
    };
    write("mnist_step/run-002", "final.bpk");
    assert_eq!(found(&[]), "mnist_step/run-002/final.bpk");
    write("mnist_plateau/run-001", "best.bpk");
    write("mnist_plateau/run-001", "final.bpk");
    // A run that has no model yet is passed over.
    write("mnist_step/run-003", "checkpoint.bpk");
    assert_eq!(found(&[]), "mnist_plateau/run-001/best.bpk");
    assert_eq!(
        found(&["--model", "final"]),
        "mnist_plateau/run-001/final.bpk"
    );
    // So are the newest runs of other examples.
    for (run, settings) in [
        ("cnn/run-001", json!({"model": {"channels": 8}})),
        ("regression/run-001", json!(null)),
        (
            "own/run-001",
            json!({ "model": MlpConfig::new().with_inputs(10) }),
        ),
    ] {
        write(run, "best.bpk");
        let config = json!({ "fixed": { "settings": settings } }).to_string();
        fs::write(artifacts.path().join(run).join("burn-lr.json"), config).unwrap();
    }
    write("damaged/run-001", "best.bpk");
    fs::write(artifacts.path().join("damaged/run-001/burn-lr.json"), "{").unwrap();
    assert_eq!(found(&[]), "mnist_plateau/run-001/best.bpk");
    let older = artifacts.path().join("mnist_step/run-002");
    let older = ["--run-dir", older.to_str().unwrap()];
    assert_eq!(found(&older), "mnist_step/run-002/final.bpk");
    assert!(find(&[&older[..], &["--model", "best"]].concat()).is_err());
    let path = artifacts.path().join("mnist_step/run-003/checkpoint.bpk");
    assert_eq!(
        found(&["--model", path.to_str().unwrap()]),
        "mnist_step/run-003/checkpoint.bpk"
    );
}
