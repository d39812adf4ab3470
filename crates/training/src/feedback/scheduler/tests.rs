use burn_lr_scheduler::{GreedyLr, OneCycleLr, ReduceLrOnPlateau, Run};

use super::*;
use crate::optim::{Dial, Hyperparameter};

fn scheduler() -> Scheduler {
    let plateau = ReduceLrOnPlateau::new(1.0)
        .with_patience(0)
        .with_factor(0.5);
    Scheduler::new(plateau, Run::per_update()).unwrap()
}

#[test]
fn an_observation_counts_once_however_often_it_is_made() {
    let (mut inside, feedback) = FeedbackScheduler::new(scheduler());
    assert_eq!(inside.step(), 1.0);
    feedback.observe(1, 0.1).unwrap();
    assert_eq!(inside.step(), 1.0);
    let cut = LrCut::new(1.0, 0.5, 0.2, 0.1, 1);
    assert_eq!(feedback.observe(2, 0.2).unwrap(), [cut]);
    assert!(feedback.observe(2, 0.3).unwrap().is_empty());
    assert_eq!(
        feedback.lr(),
        LrState {
            lr: 1.0,
            next_lr: 0.5,
            momentum: None
        }
    );
    assert_eq!((inside.step(), inside.step()), (0.5, 0.5));
}

#[test]
fn every_clone_hears_every_observation() {
    let (inside, feedback) = FeedbackScheduler::new(scheduler());
    let mut workers = [inside.clone(), inside];
    for epoch in 1..=3 {
        for worker in &mut workers {
            worker.step();
        }
        feedback.observe(epoch, 1.0).unwrap();
    }
    assert_eq!(workers.each_mut().map(|worker| worker.step()), [0.25, 0.25]);
}

#[test]
fn a_rise_because_of_an_improvement_has_no_bad_epochs() {
    let greedy = GreedyLr::new(0.5).with_factor(0.5).with_patience(0);
    let greedy = Scheduler::new(greedy, Run::per_update()).unwrap();
    let (_, feedback) = FeedbackScheduler::new(greedy);
    let rise = LrCut::new(0.5, 1.0, 2.0, f64::INFINITY, 0);
    assert!(rise.is_rise());
    assert_eq!(feedback.observe(1, 2.0).unwrap(), [rise]);
    let cut = LrCut::new(1.0, 0.5, 3.0, 2.0, 1);
    assert_eq!(feedback.observe(2, 3.0).unwrap(), [cut]);
}

#[test]
fn of_a_loaded_record_the_last_momentum_is_known_with_the_last_rate() {
    let cycled = |is_set: bool| {
        let cycle = OneCycleLr::new(1.0).with_total_steps(9);
        let (scheduler, feedback) =
            FeedbackScheduler::new(Scheduler::new(cycle, Run::per_update()).unwrap());
        let knob = Dial::default().knob(Hyperparameter::Momentum);
        let knobs = if is_set { vec![knob] } else { Vec::new() };
        (scheduler.with_momentum_to(knobs), feedback)
    };
    for is_set in [true, false] {
        let (mut inside, feedback) = cycled(is_set);
        inside.step();
        inside.step();
        let before = feedback.lr();
        assert_eq!(before.momentum.is_some(), is_set);
        let (mut resumed, other_end) = cycled(is_set);
        resumed.load_record(inside.to_record());
        other_end.set_last_lr(before.lr);
        assert_eq!(other_end.lr(), before);
    }
}

#[test]
fn the_record_of_an_epoch_holds_its_verdict() {
    let (mut inside, feedback) = FeedbackScheduler::new(scheduler());
    for epoch in 1..=2 {
        inside.step();
        feedback.observe(epoch, 1.0).unwrap();
    }
    let (mut resumed, other_end) = FeedbackScheduler::new(scheduler());
    resumed.load_record(inside.to_record());
    assert_eq!(other_end.lr().next_lr, 0.5);
    assert_eq!(resumed.step(), 0.5);
    // The epoch is part of the record: its observation is not taken in twice.
    other_end.observe(3, 0.5).unwrap();
    assert_eq!((resumed.step(), inside.step()), (0.5, 0.5));
}

#[test]
fn a_plateau_that_the_parent_had_not_begins_anew_and_is_told() {
    let constant = || Scheduler::new(0.1, Run::per_update()).unwrap();
    let (mut parent, _) = FeedbackScheduler::new(constant());
    parent.step();
    let record = parent.to_record();
    for (added, kept) in [(scheduler(), false), (constant(), true)] {
        let (mut branch, _) = FeedbackScheduler::new(constant());
        branch.lead("weight_decay".to_owned(), added, Vec::new());
        assert_eq!(branch.branch_from(&record, true).unwrap(), kept);
    }
}
