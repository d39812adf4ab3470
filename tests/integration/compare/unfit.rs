//! Searches with candidates that cannot be trained.

use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use burn::optim::MuonConfig;
use burn_lr::experiment::results::Trial;
use burn_lr::experiment::search::{Budget, Draw, Search};
use burn_lr::experiment::{Candidate, Experiment, ExperimentError, Setup};
use burn_lr::scheduler::{ScheduleError, StepLr};
use burn_lr::training::TrainingError;
use burn_lr::training::optim::OptimError;
use burn_lr::training::optim::adam;
use tempfile::TempDir;

use super::{base, constant};

/// Numbered candidates of one epoch, the fifth of which is `unfit`.
fn space(unfit: impl Fn(Candidate) -> Candidate) -> impl Fn(&mut Draw) -> Candidate {
    let drawn = Cell::new(0);
    move |_| {
        let number = drawn.replace(drawn.get() + 1);
        let candidate = constant("a", 0.01, 1).setting("hidden", number + 2);
        if number == 4 {
            unfit(candidate)
        } else {
            candidate
        }
    }
}

#[test]
fn what_no_base_is_needed_to_see_is_refused_before_the_first_trial() {
    let made = AtomicUsize::new(0);
    let base = |setup: &Setup| {
        made.fetch_add(1, Ordering::Relaxed);
        base(setup)
    };
    let refused = |unfit: fn(Candidate) -> Candidate, budget| {
        let directory = TempDir::new().unwrap();
        let search = Search::new(Experiment::new(directory.path(), base), space(unfit));
        let refused = search.budget(budget).run();
        assert_eq!(made.load(Ordering::Relaxed), 0);
        assert!(!directory.path().join("trials").exists());
        match refused {
            Err(ExperimentError::Candidate { name, source }) => {
                assert_eq!(name, "005 a");
                source
            }
            other => panic!("{other:?}"),
        }
    };
    for budget in [Budget::Trials(30), Budget::Time(Duration::from_millis(1))] {
        let zero = |candidate: Candidate| candidate.schedule(StepLr::new(0.01, 0).per_epoch());
        let source = refused(zero, budget);
        assert!(
            matches!(
                &source,
                TrainingError::Schedule(ScheduleError::Invalid { path, found, .. })
                    if path == "StepLr.step_size" && found == "0"
            ),
            "{source}"
        );
        let none = |candidate: Candidate| candidate.epochs(0);
        let source = refused(none, budget);
        assert!(matches!(
            source,
            TrainingError::Invalid { name: "epochs", .. }
        ));
        let beta = |candidate: Candidate| candidate.optimizer(adam().with_beta_1(1.5));
        assert!(matches!(
            refused(beta, budget),
            TrainingError::Optim(OptimError::Hyperparameter { .. })
        ));
    }
}

#[test]
fn a_candidate_that_the_model_refuses_is_one_that_fails() {
    let directory = TempDir::new().unwrap();
    // The biases are no matrices.
    let muon = |candidate: Candidate| candidate.optimizer(MuonConfig::new());
    let search = || {
        Search::new(Experiment::new(directory.path(), base), space(muon))
            .budget(Budget::Trials(21))
            .confirmations(1)
            .run()
    };
    let found = search().unwrap();
    let failed: Vec<&(Candidate, Trial)> = found
        .trials
        .iter()
        .filter(|(_, trial)| trial.error().is_some())
        .collect();
    let [(candidate, trial)] = failed[..] else {
        panic!("{failed:?}");
    };
    assert_eq!(candidate.name, "005 a");
    assert!(trial.error().unwrap().contains("Muon"), "{trial:?}");
    assert_eq!(search().unwrap().candidate, found.candidate);
}

#[test]
fn a_search_may_draw_an_unfit_candidate_first() {
    let space = |draw: &mut Draw| {
        let candidate = constant("a", 0.01, 1);
        match draw.integer(0..=1) {
            0 => candidate.setting("hidden", 4),
            _ => candidate.setting("hidden", "many"),
        }
    };
    for seed in 1..=4 {
        let directory = TempDir::new().unwrap();
        let search = |space: &dyn Fn(&mut Draw) -> Candidate| {
            Search::new(Experiment::new(directory.path(), base), space)
                .seed(seed)
                .budget(Budget::Trials(4))
                .confirmations(1)
                .run()
        };
        let found = search(&space).unwrap();
        assert_eq!(found.candidate.settings["hidden"], 4);
        // If none can be made, something else is wrong.
        let refused = search(&|_| constant("b", 0.01, 1).setting("hiden", 4));
        assert!(matches!(
            refused,
            Err(ExperimentError::UnreadSetting { .. })
        ));
    }
}

#[test]
fn the_candidates_beside_the_winner_are_checked_first() {
    let made = AtomicUsize::new(0);
    let base = |setup: &Setup| {
        made.fetch_add(1, Ordering::Relaxed);
        base(setup)
    };
    for (baseline, bases) in [
        (
            constant("unfit", 0.01, 1).schedule(StepLr::new(0.01, 0).per_epoch()),
            0,
        ),
        (constant("unfit", 0.01, 1).optimizer(MuonConfig::new()), 1),
    ] {
        let directory = TempDir::new().unwrap();
        let experiment = Experiment::new(directory.path(), base).candidates([baseline]);
        let refused = Search::new(experiment, space(|fit| fit))
            .budget(Budget::Trials(6))
            .run();
        assert!(
            matches!(&refused, Err(ExperimentError::Candidate { name, .. }) if name == "unfit"),
            "{refused:?}"
        );
        assert_eq!(made.swap(0, Ordering::Relaxed), bases);
    }
}

#[test]
fn an_experiment_makes_no_base_for_a_schedule_that_is_unfit() {
    let made = AtomicUsize::new(0);
    let base = |setup: &Setup| {
        made.fetch_add(1, Ordering::Relaxed);
        base(setup)
    };
    let directory = TempDir::new().unwrap();
    let unfit = constant("unfit", 0.01, 1).schedule(StepLr::new(0.01, 0).per_epoch());
    let refused = Experiment::new(directory.path(), base)
        .candidates([constant("fit", 0.01, 1), unfit])
        .run();
    assert!(matches!(refused, Err(ExperimentError::Candidate { name, .. }) if name == "unfit"));
    assert_eq!(made.load(Ordering::Relaxed), 0);
}
