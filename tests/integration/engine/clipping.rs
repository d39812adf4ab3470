//! Gradients that are clipped, and what the metrics say of them.

use std::path::Path;

use burn::optim::SgdConfig;
use burn::tensor::Device;
use burn_lr::scheduler::Mode;
use burn_lr::training::loader::EpochLoader;
use burn_lr::training::metrics::{EarlyStopping, train};
use burn_lr::training::optim::{GradientClip, NonFinite};
use burn_lr::training::{Training, TrainingError};
use tempfile::TempDir;

use super::net::{Net, run, values};
use super::plain::{assert_close, gradients, norm};
use crate::common::line::Slope;

const LR: f64 = 0.1;

/// One update of plain SGD on all points.
fn one_update(directory: &Path) -> Training<Net> {
    let train = EpochLoader::new(Slope, 40);
    Training::new(directory, train, EpochLoader::new(Slope, 40))
        .optimizer(SgdConfig::new())
        .schedule(LR)
        .on_notice(|_| {})
}

/// That one update is `-LR` times what `clipped` makes of the gradients.
fn assert_updates(clip: GradientClip, clipped: impl Fn(f32, f64) -> f32) {
    let directory = TempDir::new().unwrap();
    let net = Net::new(1);
    let (before, gradients) = (values(&net), gradients(&net));
    let norm = norm(&gradients);
    let trained = one_update(directory.path())
        .clip_gradients(clip)
        .fit(net)
        .unwrap();
    let told = trained.history.epochs[0].train("gradient_norm");
    assert_close(told, norm, 1e-6, "the norm before clipping");
    let after = values(&trained.model);
    for ((before, after), gradients) in before.iter().zip(&after).zip(&gradients) {
        for ((before, after), &gradient) in before.iter().zip(after).zip(gradients) {
            let expected = before - LR as f32 * clipped(gradient, norm);
            assert_close((*after).into(), expected.into(), 1e-6, &format!("{clip:?}"));
        }
    }
}

#[test]
fn an_update_is_made_of_gradients_clipped_over_all_parameters() {
    let by_norm =
        |max: f64| move |gradient: f32, norm: f64| gradient * (max / (norm + 1e-6)).min(1.0) as f32;
    for max in [1e-3, 0.5, 1e6, f64::INFINITY] {
        assert_updates(GradientClip::norm(max), by_norm(max));
        let limit = max as f32;
        assert_updates(GradientClip::value(max), move |gradient, _| {
            gradient.clamp(-limit, limit)
        });
    }
}

#[test]
fn the_norm_is_a_metric_like_any_other() {
    let directory = TempDir::new().unwrap();
    let history = run(directory.path())
        .clip_gradients(GradientClip::norm(0.1))
        .observe(train("gradient_norm"))
        .early_stopping(EarlyStopping::new(9).on(train("gradient_norm"), Mode::Min))
        .fit(Net::new(1))
        .unwrap()
        .history;
    assert!(history.keys().contains(&train("gradient_norm")));
    assert!(!history.keys().contains(&train("skipped_updates")));
    // Nobody has asked for it.
    let plain = run(TempDir::new().unwrap().path())
        .fit(Net::new(1))
        .unwrap();
    assert_eq!(plain.history.keys().len(), 2);
}

#[test]
fn several_devices_cannot_clip() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("run");
    let devices = || run(&path).devices([Device::flex(), Device::flex()]);
    let refused = [
        (
            devices().clip_gradients(GradientClip::norm(1.0)),
            "clip_gradients",
        ),
        (devices().non_finite(NonFinite::Skip), "non_finite"),
        (devices().non_finite(NonFinite::Stop), "non_finite"),
    ];
    for (training, setting) in refused {
        let refused = training.fit(Net::new(1));
        assert!(
            matches!(refused, Err(TrainingError::Invalid { name, .. }) if name == setting),
            "{refused:?}"
        );
        assert!(!path.exists());
    }
}
