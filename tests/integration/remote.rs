//! Workers behind a network connection: two servers on loopback, each with a device of its own.

use std::net::TcpListener;
use std::path::Path;

use crate::common::{halving, model, parameters, training};
use burn::remote::RemoteHost;
use burn::server::{RemoteServer, WebSocketTransport};
use burn::tensor::Device;
use burn_lr::model::{Mlp, MlpConfig};
use burn_lr::scheduler::{ReduceLrOnPlateau, StepLr, ThresholdMode};
use burn_lr::training::device::Backend;
use burn_lr::training::metrics::History;
use burn_lr::training::storage::{load_model, save_model};
use burn_lr::training::{Trained, TrainingError};
use tempfile::TempDir;

fn flex() -> Device {
    Backend::Flex.device().unwrap()
}

/// A device that is served by a thread of its own, until the process ends.
fn worker() -> Device {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let host = RemoteHost::websocket(&format!("ws://{}", listener.local_addr().unwrap()));
    std::thread::spawn(move || {
        RemoteServer::new([flex()]).serve(WebSocketTransport::from_listener(listener))
    });
    Device::remote_options(&host).init().unwrap()
}

/// Cuts after every epoch but the first, over a base that moves with every update.
fn plateau() -> ReduceLrOnPlateau {
    ReduceLrOnPlateau::over(StepLr::new(0.01, 3).with_gamma(0.9))
        .with_patience(0)
        .with_factor(0.5)
        .with_threshold(100.0, ThresholdMode::Abs)
}

/// Trains the model in `weights` for the epochs that are left to `epochs`.
fn fit(directory: &Path, weights: &Path, devices: &[Device], epochs: usize) -> Trained<Mlp> {
    let model = load_model(weights, MlpConfig::new().init(&devices[0])).unwrap();
    training(directory, plateau().per_update())
        .devices(devices.to_vec())
        .epochs(epochs)
        .resume(true)
        .on_notice(|_| {})
        .fit(model)
        .unwrap()
}

fn rates(history: &History) -> Vec<(f64, f64)> {
    let epochs = history.epochs.iter();
    epochs.map(|epoch| (epoch.lr, epoch.next_lr)).collect()
}

#[test]
fn two_workers_train_as_two_devices_of_this_machine_do() {
    let [local, remote, files] = [(); 3].map(|()| TempDir::new().unwrap());
    let weights = files.path().join("weights");
    save_model(&weights, &model(&flex())).unwrap();
    let local = fit(local.path(), &weights, &[flex(), flex()], 3);
    let workers = [worker(), worker()];
    assert_ne!(workers[0], workers[1]);
    fit(remote.path(), &weights, &workers, 1);
    let trained = fit(remote.path(), &weights, &workers, 3);

    assert_eq!(rates(&trained.history), rates(&local.history));
    let cuts = trained.history.epochs.iter().map(|epoch| epoch.cuts.len());
    assert_eq!(cuts.collect::<Vec<_>>(), [0, 1, 1]);
    let weights = [&local.model, &trained.model].map(parameters);
    let differences = weights[0]
        .iter()
        .zip(&weights[1])
        .map(|(a, b)| (a - b).abs());
    let largest = differences.fold(0.0, f32::max);
    println!("largest difference of a weight: {largest:.1e}");
    assert!(largest < 1e-4, "{largest}");
    // What was trained there is loaded here.
    let file = remote.path().join("final.bpk");
    let here = load_model(&file, MlpConfig::new().init(&flex())).unwrap();
    assert_eq!(parameters(&here), weights[1]);
}

#[test]
fn workers_on_several_machines_have_no_collectives() {
    let parent = TempDir::new().unwrap();
    let directory = parent.path().join("run");
    let workers = [worker(), worker()];
    let model = MlpConfig::new().init(&workers[0]);
    let refused = training(&directory, halving().per_epoch())
        .data_parallel(workers)
        .fit(model);
    assert!(matches!(
        refused,
        Err(TrainingError::Invalid {
            name: "data-parallel training",
            ..
        })
    ));
    assert!(!directory.exists());
}
