//! What keeps a run from going on there, or from having any.

use std::fs;

use burn::tensor::Device;
use burn_lr::training::TrainingError;
use tempfile::TempDir;

use super::{NEVER, assert_stopped, run};
use crate::engine::net::Net;

#[test]
fn another_configuration_is_refused_as_after_an_epoch() {
    let directory = TempDir::new().unwrap();
    assert_stopped(run(directory.path(), 3).fit(Net::new(1)));
    let changed = run(directory.path(), NEVER)
        .grads_accumulation(2)
        .fit(Net::new(1));
    assert!(
        matches!(&changed, Err(TrainingError::ConfigChanged { field, .. }) if field == "grads_accumulation"),
        "{changed:?}"
    );
    let anew = run(directory.path(), NEVER).resume(false).fit(Net::new(1));
    assert!(matches!(anew, Err(TrainingError::RunExists { .. })));
    fs::remove_file(directory.path().join("burn-lr.json")).unwrap();
    let anew = run(directory.path(), NEVER).resume(false).fit(Net::new(1));
    assert!(matches!(anew, Err(TrainingError::RunExists { .. })));
}

#[test]
fn on_several_devices_it_is_refused_before_anything_is_written() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("run");
    let refused = run(&path, NEVER)
        .devices(vec![Device::flex(); 2])
        .fit(Net::new(1));
    assert!(
        matches!(&refused, Err(TrainingError::Invalid { name: "checkpoint_every", found, .. })
            if found == "checkpoints by time on 2 devices"),
        "{refused:?}"
    );
    assert!(!path.exists());
}
