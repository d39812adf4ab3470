//! What else must not make a difference when a run is stopped and resumed.

use std::path::Path;

use burn::optim::momentum::MomentumConfig;
use burn::optim::{AdamWConfig, LionConfig, SgdConfig};
use burn::tensor::Device;
use burn::train::metric::LossMetric;
use burn_lr::scheduler::{
    CosineAnnealingLr, Mode, ReduceLrOnPlateau, StepLr, ThresholdMode, Warmup,
};
use burn_lr::training::Training;
use burn_lr::training::loader::{EpochLoader, Sampler};
use burn_lr::training::metrics::{EarlyStopping, train};
use burn_lr::training::optim::{
    GradientClip, Group, NonFinite, Select, adam, layer_decay, without_decay,
};
use tempfile::TempDir;

use super::net::{BATCHES, EPOCHS, Net, assert_resumes, run};
use super::noisy::{Noisy, Poisoned};
use crate::common::line::Slope;

/// Cuts after every epoch that does not make a tenth of the best loss.
fn plateau(lr: f64) -> ReduceLrOnPlateau {
    ReduceLrOnPlateau::new(lr)
        .with_patience(0)
        .with_factor(0.5)
        .with_threshold(0.9, ThresholdMode::Rel)
}

/// Groups with an optimizer, a schedule and a share of the rate of their own, and all at once.
fn grouped(training: Training<Net>) -> Training<Net> {
    let sgd = SgdConfig::new().with_momentum(Some(MomentumConfig::new()));
    let second = Group::new("second", Select::prefix("second"))
        .optimizer(sgd)
        .schedule(StepLr::new(0.02, 2).per_epoch())
        .lr_scale(0.5);
    training
        .optimizer(AdamWConfig::new().with_weight_decay(0.1))
        .schedule(Warmup::new(plateau(0.01), BATCHES).per_update())
        .group(without_decay())
        .groups(layer_decay(0.5, ["first", "norm"]))
        .group(second)
        .group(Group::new("gamma", Select::paths(["norm.gamma"])).optimizer(LionConfig::new()))
        .group(
            Group::new("beta", Select::containing("beta"))
                .schedule(plateau(0.03).per_epoch())
                .observe(train("loss")),
        )
}

#[test]
fn groups_of_every_kind() {
    let (_, history) = assert_resumes("groups", |directory| grouped(run(directory)));
    let cuts = history.epochs.iter().flat_map(|epoch| &epoch.cuts);
    let groups: Vec<_> = cuts.map(|cut| cut.group.as_deref()).collect();
    for group in [None, Some("first"), Some("norm"), Some("beta")] {
        assert!(groups.contains(&group), "{group:?}: {groups:?}");
    }
}

#[test]
fn clipping_with_accumulated_gradients_that_do_not_divide_the_epoch() {
    for (title, clip) in [
        ("norm", GradientClip::norm(0.5)),
        (
            "a norm that is never reached",
            GradientClip::norm(f64::INFINITY),
        ),
        ("value", GradientClip::value(0.05)),
    ] {
        for accumulation in [1, 3, 5, 7] {
            let title = format!("{title}, {accumulation}");
            let (_, history) = assert_resumes(&title, |directory| {
                let training = run(directory).grads_accumulation(accumulation);
                grouped(training).clip_gradients(clip)
            });
            let made = BATCHES.div_ceil(accumulation as u64) * EPOCHS as u64;
            assert_eq!(history.epochs[EPOCHS - 1].updates, made, "{title}");
            let norm = |epoch: usize| history.epochs[epoch].train("gradient_norm");
            assert!((0..EPOCHS).all(|epoch| norm(epoch) > 0.0), "{title}");
        }
    }
}

fn poisoned(directory: &Path, clip: Option<GradientClip>, accumulation: usize) -> Training<Net> {
    let source = Poisoned {
        index: 7,
        epochs: 2..4,
    };
    let train = EpochLoader::new(source, 8).shuffled(1);
    let training = Training::new(directory, train, EpochLoader::new(Slope, 20))
        .metrics((LossMetric::new(),))
        .optimizer(adam())
        .schedule(plateau(0.01).per_epoch())
        .grads_accumulation(accumulation)
        .non_finite(NonFinite::Skip)
        .epochs(EPOCHS)
        .resume(true)
        .on_notice(|_| {});
    match clip {
        Some(clip) => training.clip_gradients(clip),
        None => training,
    }
}

#[test]
fn updates_that_are_skipped() {
    for accumulation in [1, 3] {
        for clip in [
            None,
            Some(GradientClip::norm(0.5)),
            Some(GradientClip::value(0.05)),
        ] {
            let title = format!("{clip:?}, {accumulation}");
            let (_, history) =
                assert_resumes(&title, |directory| poisoned(directory, clip, accumulation));
            let skipped = history
                .epochs
                .iter()
                .map(|epoch| epoch.train("skipped_updates"));
            assert_eq!(skipped.collect::<Vec<_>>(), [0.0, 1.0, 1.0, 0.0], "{title}");
        }
    }
}

#[test]
fn batches_that_threads_make_and_augment() {
    let weights: Vec<f64> = (0..40).map(|index| f64::from(index % 3)).collect();
    let samplers = [
        Sampler::InOrder,
        Sampler::shuffled(3),
        Sampler::with_replacement(30, 3),
        Sampler::weighted(weights.clone(), 50, 3),
        Sampler::weighted_without_replacement(weights, 20, 3),
    ];
    for sampler in samplers {
        let title = format!("{sampler:?}");
        let mut outcomes = Vec::new();
        for workers in [0, 2] {
            outcomes.push(assert_resumes(&title, |directory| {
                let train = EpochLoader::new(Noisy, 8).sampler(sampler.clone()).unwrap();
                let train = train.sample_seed(9).drop_last().workers(workers);
                Training::new(directory, train, EpochLoader::new(Slope, 20).workers(1))
                    .metrics((LossMetric::new(),))
                    .schedule(CosineAnnealingLr::new(0.01, 4).per_epoch())
                    .epochs(EPOCHS)
                    .resume(true)
                    .strict(true)
                    .on_notice(|_| {})
            }));
        }
        // On any number of threads.
        assert!(outcomes[0] == outcomes[1], "{title}");
    }
}

#[test]
fn activations_that_are_computed_again() {
    let recomputing = |directory: &Path| grouped(run(directory)).gradient_checkpointing();
    let kept = assert_resumes("kept", |directory| grouped(run(directory)));
    assert!(assert_resumes("computed again", recomputing) == kept);
    let directory = TempDir::new().unwrap();
    let two = recomputing(directory.path()).devices([Device::flex(), Device::flex()]);
    two.fit(Net::new(1)).unwrap();
}

#[test]
fn early_stopping_at_the_same_epoch() {
    let stopping = || EarlyStopping::new(1).on(train("loss"), Mode::Max);
    let directory = TempDir::new().unwrap();
    let fit = |epochs| {
        run(directory.path())
            .early_stopping(stopping())
            .epochs(epochs)
            .fit(Net::new(1))
    };
    fit(1).unwrap();
    assert_eq!(fit(9).unwrap().history.epochs.len(), 2);
    assert_eq!(fit(9).unwrap().history.epochs.len(), 2);
}
