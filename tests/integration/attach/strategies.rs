//! Strategies and parameter groups of the user.

use std::path::Path;

use burn::module::ParamGroup;
use burn::optim::lr_scheduler::module_lr_scheduler::ModuleLrScheduler;
use burn::train::checkpoint::{
    ComposedCheckpointingStrategy, KeepLastNCheckpoints, MetricCheckpointingStrategy,
};
use burn::train::metric::LossMetric;
use burn::train::metric::store::{Aggregate, Direction, Split};
use burn::train::{MetricEarlyStoppingStrategy, StoppingCondition, SupervisedTraining};
use burn_lr::training::feedback::PlateauObserver;
use tempfile::TempDir;

use super::{LR, checkpoints, launch, plateau, training};
use crate::common::line::{Line, script, slope};

fn best() -> MetricCheckpointingStrategy {
    let loss = &LossMetric::new();
    MetricCheckpointingStrategy::new(loss, Aggregate::Mean, Direction::Lowest, Split::Valid)
}

fn no_better_for(n_epochs: usize) -> MetricEarlyStoppingStrategy {
    MetricEarlyStoppingStrategy::new(
        &LossMetric::new(),
        Aggregate::Mean,
        Direction::Lowest,
        Split::Valid,
        StoppingCondition::NoImprovementSince { n_epochs },
    )
}

#[test]
fn strategies_of_the_user_are_kept() {
    let directory = TempDir::new().unwrap();
    let (scheduler, feedback) = plateau(LR);
    let observer = PlateauObserver::new(feedback.clone());
    let keep = ComposedCheckpointingStrategy::builder()
        .add(KeepLastNCheckpoints::new(1))
        .add(best())
        .build();
    let training = training(directory.path(), &[3.0, 2.0, 1.0, 2.0, 2.5, 2.0, 0.5]);
    let training = observer.attach_with(training, keep, no_better_for(3));
    launch(training, scheduler);
    observer.result().unwrap();

    // Stopped 3 epochs after the third, before the seventh, which would have been the best.
    assert_eq!(checkpoints(directory.path()), [3, 6]);
    assert!(!directory.path().join("valid/epoch-7").exists());
    // Cut after each of those 3, and the last cut made no update any more.
    let lr = feedback.lr();
    assert_eq!((lr.lr, lr.next_lr), (LR / 4.0, LR / 8.0));

    // The checkpoint of epoch 6 holds the verdict on epoch 6.
    let (scheduler, feedback) = plateau(LR);
    let observer = PlateauObserver::new(feedback.clone());
    let training = training_after(directory.path(), 6, &[1.5]);
    launch(observer.attach(training), scheduler);
    let lr = feedback.lr();
    assert_eq!((lr.lr, lr.next_lr), (LR / 8.0, LR / 16.0));
}

/// The rest of a training that was stopped after `epoch`.
fn training_after(directory: &Path, epoch: usize, ys: &[f32]) -> SupervisedTraining<Line> {
    training(directory, ys)
        .checkpoint(epoch)
        .num_epochs(epoch + ys.len())
}

#[test]
fn one_strategy_of_the_user_goes_beside_burns_default() {
    let directory = TempDir::new().unwrap();
    let (scheduler, feedback) = plateau(LR);
    let observer = PlateauObserver::new(feedback.clone());
    let training = training(directory.path(), &[1.0, 2.0, 2.0, 2.0, 2.0, 2.0]);
    let training = observer
        .attach(training)
        .early_stopping(observer.early_stopping(no_better_for(4)));
    launch(training, scheduler);
    observer.result().unwrap();
    assert_eq!(checkpoints(directory.path()), [1, 4, 5]);
    assert_eq!(feedback.lr().next_lr, LR / 16.0);
}

#[test]
fn the_best_checkpoint_is_remembered_over_a_stop() {
    let directory = TempDir::new().unwrap();
    let (scheduler, feedback) = plateau(LR);
    let observer = PlateauObserver::new(feedback);
    launch(
        observer.attach(training(directory.path(), &[3.0])),
        scheduler,
    );
    assert_eq!(checkpoints(directory.path()), [1]);

    let (scheduler, feedback) = plateau(LR);
    let observer = PlateauObserver::new(feedback);
    let training = training_after(directory.path(), 1, &[1.0, 2.0, 2.0, 2.0, 2.0]);
    launch(observer.attach(training), scheduler);
    observer.result().unwrap();
    let kept = checkpoints(directory.path());
    // Burn never deletes the checkpoint that a training was resumed from.
    assert_eq!(kept, [1, 2, 5, 6]);
}

#[test]
fn parameter_groups_have_plateaus_of_their_own() {
    let directory = TempDir::new().unwrap();
    let ((base, base_end), (group, group_end)) = (plateau(LR), plateau(2.0 * LR));
    let scheduler =
        ModuleLrScheduler::new(base).with_group(ParamGroup::from_predicate("bias"), group);
    let observer = PlateauObserver::new(base_end.clone()).and(group_end.clone());
    // Without checkpointers, so that only one of the two hooks fires.
    let training = SupervisedTraining::new(directory.path(), slope(), script(&[1.0; 4]))
        .with_application_logger(None)
        .metrics((LossMetric::new(),))
        .num_epochs(4);
    launch(observer.attach(training), scheduler);
    observer.result().unwrap();
    assert_eq!(base_end.lr().next_lr, LR / 8.0);
    assert_eq!(group_end.lr().next_lr, LR / 4.0);
}
