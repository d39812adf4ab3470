//! Branches between runs in epochs and in updates that are killed, from their first moment on.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use burn_lr::training::Training;
use burn_lr::training::average::{Average, Validate};
use burn_lr::training::metrics::History;
use burn_lr::training::run::{Branch, Period};
use burn_lr::training::storage::load_model;
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use tempfile::TempDir;

use super::{killed_after, saved_history};
use crate::engine::net::{Net, run, values};

const CHILD_DIRECTORY: &str = "BURN_LR_TEST_BRANCH";

fn of(directory: &Path) -> Training<Net> {
    let average = Average::ema(0.9).validate(Validate::Both);
    run(directory)
        .schedule(0.05)
        .grads_accumulation(2)
        .average(average)
        .checkpoint_every(Duration::ZERO)
}

fn in_epochs(directory: &Path) -> Training<Net> {
    of(directory).epochs(6)
}

fn in_updates(directory: &Path) -> Training<Net> {
    of(directory).max_updates(18).every(Period::Samples(90))
}

/// The branch in `directory`, whose name says which way it goes.
fn branch(directory: &Path) -> Training<Net> {
    let above = directory.parent().and_then(Path::parent);
    let parent = above.unwrap().join("parent");
    let training = if directory.ends_with("updates") {
        in_updates(directory)
    } else {
        in_epochs(directory)
    };
    training.branch(Branch::newest(parent))
}

/// Not a test: what the next test starts as a process of its own, to kill it.
#[test]
#[ignore = "run by a_killed_branch_ends_with_the_same_weights"]
fn child() {
    let directory = PathBuf::from(std::env::var_os(CHILD_DIRECTORY).unwrap());
    branch(&directory).fit(Net::new(2)).unwrap();
}

fn start_child(directory: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "resume::killed_branch::child", "--ignored"])
        .env(CHILD_DIRECTORY, directory)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// What a branch has left: its models and history.
fn left(directory: &Path) -> (Vec<Vec<Vec<f32>>>, History) {
    let models = ["final.bpk", "average.bpk", "best.bpk"].map(|file| {
        let model = load_model(&directory.join(file), Net::new(3));
        values(&model.unwrap())
    });
    (models.to_vec(), saved_history(directory))
}

#[test]
fn a_killed_branch_ends_with_the_same_weights() {
    for way in ["updates", "epochs"] {
        let root = TempDir::new().unwrap();
        let parent = root.path().join("parent");
        if way == "updates" {
            in_epochs(&parent).epochs(2).fit(Net::new(1)).unwrap();
        } else {
            in_updates(&parent).max_updates(8).fit(Net::new(1)).unwrap();
        }
        let place = |number: usize| root.path().join(number.to_string()).join(way);
        let whole = place(0);
        let begin = Instant::now();
        assert!(start_child(&whole).wait().unwrap().success());
        let mut duration = begin.elapsed();
        let expected = left(&whole);

        let mut rng = ChaCha8Rng::seed_from_u64(2);
        let (mut kills, mut runs) = (0, 0);
        while kills < 12 {
            runs += 1;
            let directory = place(runs);
            for life in 0.. {
                let begin = Instant::now();
                let mut child = start_child(&directory);
                let status = if life < 6 {
                    killed_after(child, duration.mul_f64(rng.random_range(0.05..0.8)))
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
            assert!(left(&directory) == expected, "{way}, after {kills} kills");
        }
    }
}
