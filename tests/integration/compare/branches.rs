//! Candidates that branch off another one.

use std::path::Path;
use std::time::SystemTime;

use burn_lr::experiment::results::{At, Results, Trial};
use burn_lr::experiment::{BranchPoint, Candidate, Experiment, ExperimentError, Report};
use burn_lr::scheduler::Cooldown;
use tempfile::TempDir;

use super::{base, constant};

fn cooled(epoch: usize, kind: &str) -> Candidate {
    let cooldown = Cooldown::new(0.01, epoch as u32, 2);
    Candidate::new(format!("cooled {kind} from {epoch}"))
        .schedule(cooldown.per_epoch())
        .epochs(epoch + 2)
        .branch("stable", BranchPoint::Epoch(epoch))
}

fn run(directory: &Path, candidates: Vec<Candidate>) -> Result<Results, ExperimentError> {
    let experiment = Experiment::new(directory, base).candidates(candidates);
    experiment.seeds([1, 2]).jobs(2).on_notice(|_, _| {}).run()
}

/// That of a candidate under seed 2.
fn trial(results: &Results, candidate: usize) -> &Trial {
    let mut trials = results.trials().iter();
    let found = trials.find(|trial| trial.candidate == candidate && trial.seed == 2);
    found.unwrap()
}

#[test]
fn the_trunk_is_trained_once_for_all_that_branch_off_it() {
    let directory = TempDir::new().unwrap();
    // The second one is a branch of a branch.
    let again = Candidate::new("again")
        .schedule(Cooldown::new(0.01, 1, 3).per_epoch())
        .epochs(4)
        .branch("cooled early from 1", BranchPoint::Update(12));
    let all = || {
        vec![
            constant("stable", 0.01, 3),
            cooled(1, "early"),
            cooled(3, "late"),
            again.clone(),
        ]
    };
    let results = run(directory.path(), all()).unwrap();
    let history = |candidate| trial(&results, candidate).history().unwrap().clone();
    let stable = history(0);
    for (candidate, epochs) in [(1, 1), (2, 3)] {
        let branched = history(candidate);
        assert_eq!(branched.epochs[..epochs], stable.epochs[..epochs]);
        assert_eq!(branched.branches.len(), 1);
        assert_eq!(branched.branches[0].epoch, epochs);
        assert_eq!(branched.epochs.last().unwrap().next_lr, 0.0);
    }
    assert_eq!(history(3).branches.len(), 2);
    assert_eq!(results.trials().len(), 8);
    assert!(results.choose(At::Last).candidate < 4);
    let table = results.table();
    assert!(table.contains("stable, epoch 3"), "{table}");
    assert!(table.contains("cooled early from 1, update 12"), "{table}");
    let page = Report::new(&results).to_html();
    assert!(page.contains("stable, epoch 3"), "{page}");
    let lineage = &history(3).branches[1];
    assert!(page.contains(&lineage.sha256) && page.contains(&lineage.changes[0].field));

    // Once more, nothing is trained.
    let written = |name: &str| -> SystemTime {
        let file = directory
            .path()
            .join("trials")
            .join(name)
            .join("seed-1/final.bpk");
        std::fs::metadata(file).unwrap().modified().unwrap()
    };
    let before = ["stable", "again"].map(written);
    assert_eq!(
        run(directory.path(), all()).unwrap().table(),
        results.table()
    );
    assert_eq!(["stable", "again"].map(written), before);

    // Nor where the experiment has been moved with all its runs.
    let moved = directory.path().join("moved");
    std::fs::create_dir(&moved).unwrap();
    std::fs::rename(directory.path().join("trials"), moved.join("trials")).unwrap();
    assert_eq!(run(&moved, all()).unwrap().table(), results.table());
    // A candidate that no longer branches off is another one.
    let mut others = all();
    others[1].branch = None;
    others[3].branch = None;
    assert!(
        run(&moved, others)
            .unwrap_err()
            .to_string()
            .contains("branch was")
    );
}

#[test]
fn a_trunk_must_come_before_and_have_got_there() {
    let directory = TempDir::new().unwrap();
    for candidates in [
        vec![cooled(1, "early"), constant("stable", 0.01, 3)],
        vec![constant("other", 0.01, 3), cooled(1, "early")],
    ] {
        let error = run(directory.path(), candidates).unwrap_err();
        assert!(
            matches!(
                &error,
                ExperimentError::Invalid {
                    name: "candidate's branch",
                    ..
                }
            ),
            "{error:?}"
        );
        assert!(error.to_string().contains("\"stable\""), "{error}");
    }
    let results = run(
        directory.path(),
        vec![constant("stable", 0.01, 2), cooled(3, "late")],
    );
    let results = results.unwrap();
    let failed = trial(&results, 1).error().unwrap();
    assert!(failed.contains("expected that of epoch 3"), "{failed}");
}

#[test]
fn documents_say_where_a_candidate_branches_off() {
    let document = r#"
        [[candidate]]
        name = "cooled"
        schedule.Constant = { lr = 0.1 }
        branch = { of = "stable", at = { update = 12 } }
    "#;
    let expected = Candidate::new("cooled")
        .schedule(burn_lr::scheduler::Constant::new(0.1).per_epoch())
        .branch("stable", BranchPoint::Update(12));
    assert_eq!(
        Candidate::from_toml(document).unwrap(),
        std::slice::from_ref(&expected)
    );
    let other = expected.clone().branch("stable", BranchPoint::Epoch(12));
    assert_ne!(expected, other);
}
