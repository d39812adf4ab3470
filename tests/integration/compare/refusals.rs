//! What is wrong is said before anything is trained.

use burn::train::Interrupter;
use burn_lr::experiment::{Candidate, Experiment, ExperimentError, Objective, SettingError};
use burn_lr::scheduler::StepLr;
use burn_lr::training::TrainingError;
use burn_lr::training::metrics::valid;
use tempfile::TempDir;

use super::{base, candidates, constant, fitting, histories};

#[test]
fn candidates_and_seeds_are_checked_first() {
    let directory = TempDir::new().unwrap();
    let run = |candidates: Vec<Candidate>, seeds: Vec<u64>| {
        let results = Experiment::new(directory.path(), base)
            .candidates(candidates)
            .seeds(seeds)
            .run();
        assert!(
            std::fs::read_dir(directory.path())
                .unwrap()
                .next()
                .is_none()
        );
        results.unwrap_err()
    };
    let good = || constant("good", 0.01, 1);
    let bad = Candidate::new("bad").schedule(StepLr::new(0.01, 0).per_epoch());
    assert!(matches!(
        run(vec![good(), bad], vec![1]),
        ExperimentError::Candidate { name, source: TrainingError::Schedule(_) } if name == "bad"
    ));
    assert!(matches!(
        run(vec![good(), constant("none", 0.01, 0)], vec![1]),
        ExperimentError::Candidate { name, .. } if name == "none"
    ));
    let invalid = |error| match error {
        ExperimentError::Invalid { name, .. } => name,
        error => panic!("{error:?}"),
    };
    assert_eq!(
        invalid(run(vec![good(), good()], vec![1])),
        "candidates' names"
    );
    assert_eq!(invalid(run(vec![good()], vec![1, 1])), "seeds");
    assert_eq!(invalid(run(vec![], vec![1])), "candidates and seeds");
    assert_eq!(invalid(run(vec![good()], vec![])), "candidates and seeds");
    for name in ["a\nb", "?!"] {
        let found = run(vec![constant(name, 0.01, 1)], vec![1]);
        assert_eq!(invalid(found), "candidate's name");
    }
    assert!(matches!(
        run(vec![good().setting("hiden", 8)], vec![1]),
        ExperimentError::UnreadSetting { candidate, name, read }
            if candidate == "good" && name == "hiden" && read == ["hidden"]
    ));
    let ExperimentError::Base {
        source, seed: 1, ..
    } = run(vec![good().setting("hidden", "many")], vec![1])
    else {
        panic!("a setting of the wrong type was taken");
    };
    assert!(matches!(
        source.downcast_ref(),
        Some(SettingError::Type { .. })
    ));
}

#[test]
fn a_bound_that_is_no_number_is_refused() {
    let directory = TempDir::new().unwrap();
    for (least, most) in [(f64::NAN, 0.95), (0.9, f64::INFINITY)] {
        let refused = Experiment::new(directory.path(), base)
            .candidates(candidates())
            .objective(fitting(least, most))
            .run();
        assert!(matches!(refused, Err(ExperimentError::Invalid { .. })));
    }
}

#[test]
fn another_candidate_of_the_same_name_is_refused() {
    let directory = TempDir::new().unwrap();
    let run = |lr| {
        Experiment::new(directory.path(), base)
            .candidates([constant("constant", lr, 1)])
            .seeds([1])
            .run()
    };
    let first = histories(&run(0.01).unwrap());
    assert!(matches!(
        run(0.02),
        Err(ExperimentError::Candidate { name, source: TrainingError::ConfigChanged { field, .. } })
            if name == "constant" && field.ends_with("schedule.Constant.lr")
    ));
    assert_eq!(histories(&run(0.01).unwrap()), first);
}

#[test]
fn a_metric_of_a_bound_that_is_not_registered_is_refused_before_the_first_update() {
    let directory = TempDir::new().unwrap();
    let objective = Objective::min(valid("loss")).at_least(valid("recall"), 0.5);
    let refused = Experiment::new(directory.path(), base)
        .candidates(candidates())
        .objective(objective)
        .run();
    assert!(
        matches!(
            &refused,
            Err(ExperimentError::MissingMetric { metric, known, .. })
                if metric == "valid_recall" && *known == ["train_accuracy", "train_loss", "valid_accuracy", "valid_loss"]
        ),
        "{refused:?}"
    );
    for candidate in ["constant", "step", "plateau"] {
        let trial = directory
            .path()
            .join("trials")
            .join(candidate)
            .join("seed-1");
        assert!(!trial.join("history.json").exists());
    }
}

#[test]
fn settings_may_change_until_an_epoch_was_trained() {
    let directory = TempDir::new().unwrap();
    let run = |hidden: usize, stopped: bool| {
        let interrupter = Interrupter::new();
        if stopped {
            interrupter.stop(Some("a test"));
        }
        Experiment::new(directory.path(), base)
            .candidates([constant("a", 0.01, 1).setting("hidden", hidden)])
            .seeds([1])
            .interrupter(interrupter)
            .run()
    };
    assert!(matches!(
        run(4, true),
        Err(ExperimentError::Interrupted { finished: 0, .. })
    ));
    run(8, false).unwrap();
    assert!(matches!(
        run(4, false),
        Err(ExperimentError::SettingsChanged { .. })
    ));
}
