//! Gradients that are clipped, and what the metrics say of them.

use std::path::Path;

use burn::optim::SgdConfig;
use burn::tensor::Device;
use burn::train::metric::LossMetric;
use burn_lr::training::loader::EpochLoader;
use burn_lr::training::metrics::{EarlyStopping, train};
use burn_lr::training::optim::{GradientClip, NonFinite};
use burn_lr::training::{Training, TrainingError};
use tempfile::TempDir;

use crate::common::line::Slope;
use crate::net::{Net, run, values};
use crate::noisy::Poisoned;
use crate::plain::{assert_close, gradients, norm};

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
        .early_stopping(
            EarlyStopping::new(9).on(train("gradient_norm"), burn_lr::scheduler::Mode::Min),
        )
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

fn poisoned(directory: &Path, source: Poisoned, non_finite: NonFinite) -> Training<Net> {
    Training::new(
        directory,
        EpochLoader::new(source, 8),
        EpochLoader::new(Slope, 20),
    )
    .metrics((LossMetric::new(),))
    .schedule(0.01)
    .non_finite(non_finite)
    .epochs(3)
    .resume(true)
    .on_notice(|_| {})
}

/// Sample 20 is in the third batch.
fn third(epochs: std::ops::Range<u64>) -> Poisoned {
    Poisoned { index: 20, epochs }
}

#[test]
fn an_update_that_is_skipped_is_counted_and_the_run_goes_on() {
    let directory = TempDir::new().unwrap();
    let trained = poisoned(directory.path(), third(2..3), NonFinite::Skip)
        .fit(Net::new(1))
        .unwrap();
    assert!(
        values(&trained.model)
            .iter()
            .flatten()
            .all(|value| value.is_finite())
    );
    let epochs = &trained.history.epochs;
    let skipped: Vec<f64> = epochs
        .iter()
        .map(|epoch| epoch.train("skipped_updates"))
        .collect();
    assert_eq!(skipped, [0.0, 1.0, 0.0]);
    // The clock does not stop for it, the norm is that of the others.
    assert_eq!(epochs[2].updates, 15);
    assert!(
        epochs
            .iter()
            .all(|epoch| epoch.train("gradient_norm") > 0.0)
    );
    assert!(epochs[1].train("loss").is_nan() && epochs[1].valid("loss").is_finite());
    let csv = std::fs::read_to_string(directory.path().join("history.csv")).unwrap();
    assert!(csv.starts_with("epoch,updates,train_gradient_norm,train_loss,train_skipped_updates,"));
}

/// Every batch has its point.
struct All;

impl burn_lr::training::loader::BatchSource<crate::common::line::Points> for All {
    fn len(&self) -> usize {
        40
    }

    fn batch(
        &self,
        samples: &[burn_lr::training::loader::Sample],
        device: &Device,
    ) -> Result<crate::common::line::Points, burn::data::dataset::DatasetError> {
        let points = Slope.batch(samples, device)?;
        let y = if samples[0].epoch == 2 {
            points.y * f32::NAN
        } else {
            points.y
        };
        Ok(crate::common::line::Points { x: points.x, y })
    }
}

#[test]
fn a_run_all_of_whose_updates_are_skipped_stops() {
    let directory = TempDir::new().unwrap();
    let stopped = Training::new(
        directory.path(),
        EpochLoader::new(All, 8),
        EpochLoader::new(Slope, 20),
    )
    .metrics((LossMetric::new(),))
    .non_finite(NonFinite::Skip)
    .epochs(3)
    .fit(Net::new(1));
    let Err(TrainingError::GradientDiverged {
        epoch,
        update,
        norm,
    }) = stopped
    else {
        panic!("{stopped:?}");
    };
    assert_eq!((epoch, update, norm.is_nan()), (2, 5, true));
}

#[test]
fn a_gradient_that_is_not_finite_stops_the_run_if_asked_to() {
    for clip in [
        None,
        Some(GradientClip::norm(1.0)),
        Some(GradientClip::value(1.0)),
    ] {
        let directory = TempDir::new().unwrap();
        let training = poisoned(directory.path(), third(2..3), NonFinite::Stop);
        let stopped = match clip {
            Some(clip) => training.clip_gradients(clip),
            None => training,
        }
        .fit(Net::new(1));
        let Err(TrainingError::GradientDiverged {
            epoch,
            update,
            norm,
        }) = stopped
        else {
            panic!("{stopped:?}");
        };
        assert_eq!((epoch, update, norm.is_nan()), (2, 3, true));
        // What was completed can be looked at.
        let csv = std::fs::read_to_string(directory.path().join("history.csv")).unwrap();
        assert_eq!(csv.lines().count(), 2);
        assert!(
            directory
                .path()
                .join("checkpoint/epoch-0001/manifest.json")
                .exists()
        );
    }
}

#[test]
fn nothing_is_checked_unless_asked_for() {
    for clip in [None, Some(GradientClip::norm(1.0))] {
        let directory = TempDir::new().unwrap();
        let training = poisoned(directory.path(), third(2..3), NonFinite::Propagate);
        let diverged = match clip {
            Some(clip) => training.clip_gradients(clip),
            None => training,
        }
        .fit(Net::new(1));
        assert!(
            matches!(diverged, Err(TrainingError::Diverged { epoch: 2, iteration: Some(3), loss })
                if loss.is_nan()),
            "{diverged:?}"
        );
    }
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
