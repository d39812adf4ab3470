//! A mean of the last checkpoints, one of which is damaged.

use std::fs;
use std::path::Path;
use std::time::Duration;

use burn::train::metric::LossMetric;
use burn_lr::training::average::{Average, Decay};
use burn_lr::training::checkpoint::KeepPolicy;
use burn_lr::training::loader::EpochLoader;
use burn_lr::training::run::{Branch, RunDirectory};
use burn_lr::training::{Trained, Training, TrainingError};
use tempfile::TempDir;

use crate::common::line::Slope;
use crate::common::stopping::stopping_after;
use crate::engine::net::{Net, noted, outcome, run, stopped, values};
use crate::engine::tree::tree;

/// The mean of the last three, for which the two before are needed.
fn averaging(directory: &Path) -> Training<Net> {
    run(directory)
        .schedule(0.05)
        .epochs(6)
        .average(Average::checkpoints(3, Decay::Linear))
        .keep(KeepPolicy::all())
}

fn damage(directory: &Path, epoch: usize) {
    let model = directory.join(format!("checkpoint/epoch-{epoch:04}/model.bpk"));
    let mut bytes = fs::read(&model).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&model, bytes).unwrap();
}

fn all(trained: Trained<Net>) -> impl PartialEq + std::fmt::Debug {
    (trained.average.as_ref().map(values), outcome(trained))
}

#[test]
fn an_earlier_model_that_is_damaged_has_the_run_fall_back_as_far_as_need_be() {
    let root = TempDir::new().unwrap();
    let at = |name: &str| averaging(&root.path().join(name));
    let whole = all(at("whole").fit(Net::new(1)).unwrap());
    // After epoch 5, of which 4 is needed.
    for (damaged, from) in [(&[4][..], 3), (&[5], 4), (&[5, 4, 2], 1), (&[3], 5)] {
        let name = format!("{damaged:?}");
        stopped(at(&name), 5, Net::new(1));
        damaged
            .iter()
            .for_each(|&epoch| damage(&root.path().join(&name), epoch));
        at(&name).can_resume(&Net::new(2)).unwrap();
        let verified = RunDirectory::new(root.path().join(&name)).verify().unwrap();
        assert_eq!(
            (verified.resumes_after, verified.is_sound()),
            (Some(from), false)
        );
        let (training, said) = noted(at(&name));
        assert_eq!(all(training.fit(Net::new(2)).unwrap()), whole, "{name}");
        let said: Vec<String> = said.iter().collect();
        assert!(
            said.contains(&format!("resuming after epoch {from}")),
            "{said:?}"
        );
        if damaged == [4] {
            for epoch in [4, 5] {
                let skipped = format!("skipped the checkpoint of epoch {epoch}: ");
                let said = said.iter().find(|said| said.starts_with(&skipped)).unwrap();
                assert!(said.contains("epoch-0004/model.bpk"), "{said}");
            }
            assert!(
                root.path()
                    .join(&name)
                    .join("checkpoint/epoch-0006")
                    .exists()
            );
        }
    }
}

#[test]
fn without_one_to_fall_back_on_it_is_said_what_is_damaged_and_nothing_is_lost() {
    let root = TempDir::new().unwrap();
    let path = root.path().join("run");
    let kept = || averaging(&path).keep(KeepPolicy::last(3));
    stopped(kept(), 5, Net::new(1));
    damage(&path, 4);
    let before = tree(&path.join("checkpoint"));
    for refused in [
        kept().can_resume(&Net::new(2)),
        kept().fit(Net::new(2)).map(drop),
    ] {
        assert!(
            matches!(&refused, Err(TrainingError::Damaged(damage)) if damage.to_string().contains("epoch-0004")),
            "{refused:?}"
        );
    }
    assert!(tree(&path.join("checkpoint")) == before);
    let verified = RunDirectory::new(&path).verify().unwrap();
    assert!(verified.resumes_after.is_none() && verified.refused.is_some());
    // The newest is still good for a mean of others.
    let branch = averaging(&root.path().join("branch")).branch(Branch::newest(&path));
    let branch = branch.average(Average::checkpoints(1, Decay::Linear));
    let trained = branch.fit(Net::new(2)).unwrap();
    assert_eq!(trained.history.epochs.len(), 6);
}

#[test]
fn one_within_an_epoch_is_passed_over_too() {
    let root = TempDir::new().unwrap();
    let of = |name: &str, batches| {
        let (train, interrupter) = stopping_after(batches);
        Training::new(root.path().join(name), train, EpochLoader::new(Slope, 20))
            .metrics((LossMetric::new(),))
            .schedule(0.05)
            .epochs(6)
            .average(Average::checkpoints(3, Decay::Linear))
            .keep(KeepPolicy::all())
            .resume(true)
            .checkpoint_every(Duration::ZERO)
            .interrupter(interrupter)
            .on_notice(|_| {})
    };
    let whole = all(of("whole", usize::MAX).fit(Net::new(1)).unwrap());
    // Within epoch 6, for which the models of 4 and 5 are needed; the one of 3 is not.
    for (damaged, from) in [
        (4, "resuming after epoch 3"),
        (5, "resuming after epoch 4"),
        (3, "resuming within epoch 6, after update 27"),
    ] {
        let name = damaged.to_string();
        let stopped = of(&name, 27).fit(Net::new(1));
        assert!(matches!(stopped, Err(TrainingError::Interrupted { .. })));
        damage(&root.path().join(&name), damaged);
        let (training, said) = noted(of(&name, usize::MAX));
        assert_eq!(all(training.fit(Net::new(2)).unwrap()), whole, "{damaged}");
        let said: Vec<String> = said.iter().collect();
        assert!(said.iter().any(|said| said == from), "{said:?}");
        let skipped = "skipped the checkpoint within an epoch, after update 27: ";
        let passed_over = said.iter().any(|said| said.starts_with(skipped));
        assert_eq!(passed_over, damaged != 3, "{said:?}");
    }
}
