//! Runs that are stopped, killed, damaged or diverge, and what they end with when they are resumed.

mod configuration;
mod damage;
mod divergence;
mod early_stopping;
mod keep;
mod killed;
mod killed_branch;
mod loaders;
mod observed;
mod stopping;
mod verified;
mod within;

use std::path::Path;
use std::process::{Child, ExitStatus};
use std::time::{Duration, Instant};

use crate::common::{self, model, parameters, training};
use burn::tensor::Device;
use burn_lr::model::{Mlp, MlpConfig};
use burn_lr::scheduler::{ReduceLrOnPlateau, ThresholdMode, Warmup};
use burn_lr::training::metrics::History;
use burn_lr::training::{Trained, Training};
use tempfile::TempDir;

const EPOCHS: usize = 5;

/// Cuts after every epoch that does not halve the best loss, behind a warmup of one epoch.
fn plateau() -> Warmup {
    let plateau = ReduceLrOnPlateau::new(0.01)
        .with_patience(0)
        .with_cooldown(1)
        .with_factor(0.5)
        .with_threshold(0.5, ThresholdMode::Rel);
    Warmup::new(plateau, 8)
}

fn run(directory: &Path) -> Training<Mlp> {
    training(directory, plateau().per_update())
        .epochs(EPOCHS)
        .resume(true)
        .on_notice(|_| {})
}

/// What two equal runs must have in common: weights and history, but not the seconds.
fn outcome(trained: Trained<Mlp>) -> (Vec<f32>, History) {
    (parameters(&trained.model), timeless(trained.history))
}

fn timeless(mut history: History) -> History {
    for epoch in &mut history.epochs {
        epoch.seconds = 0.0;
    }
    history
}

fn saved_history(directory: &Path) -> History {
    let json = std::fs::read_to_string(directory.join("history.json")).unwrap();
    timeless(serde_json::from_str(&json).unwrap())
}

fn undisturbed(device: &Device) -> (Vec<f32>, History) {
    let directory = TempDir::new().unwrap();
    outcome(run(directory.path()).fit(model(device)).unwrap())
}

/// Kills a process after so long, unless it has ended before, and tells how it ended.
fn killed_after(mut child: Child, time: Duration) -> ExitStatus {
    let begin = Instant::now();
    while let Some(left) = time.checked_sub(begin.elapsed()) {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        std::thread::sleep(left.min(Duration::from_millis(1)));
    }
    // SIGKILL; fails only if the process has ended.
    let _ = child.kill();
    child.wait().unwrap()
}

/// Another model, so that nothing of it may survive in a resumed run.
fn other_model(device: &Device) -> Mlp {
    common::other_model(&MlpConfig::new(), device)
}
