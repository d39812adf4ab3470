//! A model of the user's own, which is no classifier and has no accuracy, through `Training`.

use std::path::Path;

use crate::common::line::{Line, script, slope};
use burn::tensor::Device;
use burn::train::metric::LossMetric;
use burn_lr::scheduler::ReduceLrOnPlateau;
use burn_lr::training::storage::load_model;
use burn_lr::training::{Trained, Training};
use tempfile::TempDir;

fn training(directory: &Path) -> Training<Line> {
    Training::new(directory, slope(), slope())
        .schedule(ReduceLrOnPlateau::new(0.1).with_patience(4).per_epoch())
        .metrics((LossMetric::new(),))
        .resume(true)
        .on_notice(|_| {})
}

fn parameters(line: &Line) -> [f32; 2] {
    let bias = line.linear.bias.as_ref().unwrap();
    [
        line.linear.weight.val().into_scalar(),
        bias.val().into_scalar(),
    ]
}

fn fit(training: Training<Line>) -> Trained<Line> {
    training.fit(Line::new(&Device::flex())).unwrap()
}

#[test]
fn it_learns_and_resumes_exactly() {
    let (whole, parts) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let expected = fit(training(whole.path()).epochs(30));
    let [weight, bias] = parameters(&expected.model);
    assert!((weight - 3.0).abs() < 0.05, "{weight}");
    assert!((bias + 2.0).abs() < 0.05, "{bias}");
    assert!(
        expected
            .history
            .to_csv()
            .starts_with("epoch,updates,train_loss,valid_loss,lr,")
    );

    fit(training(parts.path()).epochs(11));
    let resumed = fit(training(parts.path()).epochs(30));
    assert_eq!(parameters(&resumed.model), [weight, bias]);

    let last = load_model(&parts.path().join("final.bpk"), Line::new(&Device::flex()));
    assert_eq!(parameters(&last.unwrap()), [weight, bias]);
}

#[test]
fn its_loss_is_what_a_plateau_hears() {
    let directory = TempDir::new().unwrap();
    let losses = script(&[2.0, 1.0, 1.5, 1.5, 1.5, 0.5]);
    let schedule = ReduceLrOnPlateau::new(1e-4)
        .with_patience(1)
        .with_factor(0.5);
    let history = Training::<Line>::new(directory.path(), slope(), losses)
        .schedule(schedule.per_epoch())
        .metrics((LossMetric::new(),))
        .epochs(6)
        .fit(Line::new(&Device::flex()))
        .unwrap()
        .history;
    let next: Vec<f64> = history.epochs.iter().map(|epoch| epoch.next_lr).collect();
    assert_eq!(next, [1e-4, 1e-4, 1e-4, 5e-5, 5e-5, 5e-5]);
}
