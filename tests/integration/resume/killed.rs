//! Runs that are killed.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use burn_lr::training::device::Backend;
use burn_lr::training::storage::load_model;
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use tempfile::TempDir;

use super::{EPOCHS, killed_after, other_model, run, saved_history, undisturbed};
use crate::common::{model, parameters};

const CHILD_DIRECTORY: &str = "BURN_LR_TEST_RUN";

/// Not a test: what the next test starts as a process of its own, to kill it.
#[test]
#[ignore = "run by a_killed_run_ends_with_the_same_weights"]
fn child() {
    let directory = PathBuf::from(std::env::var_os(CHILD_DIRECTORY).unwrap());
    let device = Backend::Flex.device().unwrap();
    run(&directory).fit(model(&device)).unwrap();
}

fn start_child(directory: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "resume::killed::child", "--ignored"])
        .env(CHILD_DIRECTORY, directory)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

#[test]
fn a_killed_run_ends_with_the_same_weights() {
    let device = Backend::Flex.device().unwrap();
    let (weights, history) = undisturbed(&device);
    let whole = TempDir::new().unwrap();
    let begin = Instant::now();
    assert!(start_child(whole.path()).wait().unwrap().success());
    let mut duration = begin.elapsed();
    let best = |directory: &Path| {
        let best = load_model(&directory.join("best.bpk"), other_model(&device));
        parameters(&best.unwrap())
    };
    let best_weights = best(whole.path());

    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let (mut kills, mut runs) = (0, 0);
    while kills < 50 {
        let directory = TempDir::new().unwrap();
        runs += 1;
        // A run takes several lives; from the eighth on it may live to its end.
        for life in 0.. {
            let begin = Instant::now();
            let mut child = start_child(directory.path());
            let status = if life < 8 {
                killed_after(child, duration.mul_f64(rng.random_range(0.1..1.0)))
            } else {
                child.wait().unwrap()
            };
            if status.success() {
                // The first one may have been slow: kills that come after a run's end would be none.
                if life == 0 {
                    duration = duration.min(begin.elapsed());
                }
                break;
            }
            assert!(status.code().is_none(), "not killed, but {status}");
            kills += 1;
        }
        let last = load_model(&directory.path().join("final.bpk"), other_model(&device)).unwrap();
        assert!(
            parameters(&last) == weights,
            "other weights after {kills} kills"
        );
        assert!(best(directory.path()) == best_weights);
        assert_eq!(saved_history(directory.path()), history);
        let rows = std::fs::read_to_string(directory.path().join("history.csv")).unwrap();
        assert_eq!(rows.lines().count(), EPOCHS + 1);
    }
    assert!(runs > 1, "one run survived {kills} kills");
}
