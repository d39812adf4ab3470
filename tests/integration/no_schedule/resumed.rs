//! Stopped after any epoch, they end with the same bits; after any batch, `resume::within` has them.

use burn_lr::model::MlpConfig;
use burn_lr::training::device::Backend;
use burn_lr::training::metrics::train;
use burn_lr::training::optim::{
    Group, OptimizerConfig, ProdigyConfig, ScheduleFreeAdamWConfig, ScheduleFreeSgdConfig, Select,
    adam, without_decay,
};
use burn_lr::training::{Training, TrainingError};
use tempfile::TempDir;

use crate::common::{model, other_model, parameters, training};
use crate::engine::net::{Net, assert_resumes, run};

fn optimizers() -> [(OptimizerConfig, f64); 4] {
    let prodigy = ProdigyConfig::new().with_d0(1e-4).with_weight_decay(0.01);
    [
        (
            ScheduleFreeSgdConfig::new().with_weight_decay(0.01).into(),
            0.1,
        ),
        (
            ScheduleFreeAdamWConfig::new().with_warmup_steps(7).into(),
            0.02,
        ),
        (prodigy.into(), 1.0),
        (
            prodigy
                .with_beta_1(0.0)
                .with_use_bias_correction(true)
                .into(),
            1.0,
        ),
    ]
}

#[test]
fn they_end_with_the_same_bits() {
    for (optimizer, lr) in optimizers() {
        let title = format!("{optimizer:?}");
        assert_resumes(&title, |directory| {
            let training = run(directory).optimizer(optimizer.clone()).schedule(lr);
            training.group(without_decay()).strict(true)
        });
    }
}

#[test]
fn groups_of_several_optimizers_end_with_the_same_bits() {
    for (optimizer, lr) in optimizers() {
        let title = format!("{optimizer:?} and Adam");
        assert_resumes(&title, |directory| {
            let second = Group::new("second", Select::prefix("second")).optimizer(adam());
            let training = run(directory).optimizer(optimizer.clone()).schedule(lr);
            training.group(second)
        });
    }
}

#[test]
fn prodigys_step_size_is_a_metric_of_the_epoch() {
    let directory = TempDir::new().unwrap();
    let required = |training: Training<Net>| training.require_metrics([train("prodigy_d")]);
    let prodigy = run(directory.path()).optimizer(ProdigyConfig::new());
    let trained = required(prodigy.schedule(1.0)).fit(Net::new(1)).unwrap();
    let epochs = trained.history.epochs.iter();
    let sizes: Vec<f64> = epochs.map(|epoch| epoch.train("prodigy_d")).collect();
    assert!(sizes.is_sorted() && sizes[0] > 1e-6, "{sizes:?}");
    let directory = TempDir::new().unwrap();
    let adam = required(run(directory.path())).fit(Net::new(1));
    assert!(matches!(adam, Err(TrainingError::UnknownMetric { .. })));
}

/// On wgpu too, if that is compiled in.
#[test]
fn they_end_with_the_same_bits_on_every_backend() {
    for backend in Backend::compiled() {
        let device = backend.device().unwrap();
        for (optimizer, lr) in optimizers() {
            let (whole, parts) = (TempDir::new().unwrap(), TempDir::new().unwrap());
            let run = |directory: &TempDir, epochs| {
                let training = training(directory.path(), lr).optimizer(optimizer.clone());
                training.epochs(epochs).resume(true).on_notice(|_| {})
            };
            let undisturbed = run(&whole, 2).fit(model(&device)).unwrap();
            run(&parts, 1).fit(model(&device)).unwrap();
            let other = other_model(&MlpConfig::new(), &device);
            let resumed = run(&parts, 2).fit(other).unwrap();
            let same = parameters(&resumed.model) == parameters(&undisturbed.model);
            assert!(same, "{backend}, {optimizer:?}");
            let last = |of: &burn_lr::training::Trained<_>| of.history.epochs[1].valid("loss");
            assert_eq!(
                last(&resumed),
                last(&undisturbed),
                "{backend}, {optimizer:?}"
            );
        }
    }
}
