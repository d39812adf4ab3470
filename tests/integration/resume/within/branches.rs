//! Branches that were stopped within an epoch, or a period.

use std::path::Path;

use burn_lr::training::Training;
use burn_lr::training::average::{Average, Validate};
use burn_lr::training::run::{Branch, Period};
use tempfile::TempDir;

use super::{NEVER, assert_stopped, ended, run};
use crate::engine::net::{Net, noted};

type Configure = fn(Training<Net>) -> Training<Net>;

/// Each with its parent's length, how many batches make an update, and its own length.
const CONFIGURATIONS: [(&str, usize, Configure, Configure); 4] = [
    (
        "updates off epochs",
        1,
        |training| training.epochs(1),
        |training| training.max_updates(13).every(4),
    ),
    (
        "shares of an epoch off epochs, accumulated",
        2,
        |training| training.epochs(1).grads_accumulation(2),
        |training| training.every(Period::Epochs(0.7)).grads_accumulation(2),
    ),
    (
        "epochs off updates",
        1,
        |training| training.max_updates(7).every(4),
        |training| training,
    ),
    (
        "epochs off samples, accumulated",
        2,
        |training| {
            let training = training.max_samples(50).every(Period::Samples(30));
            training.grads_accumulation(2)
        },
        |training| training.grads_accumulation(2),
    ),
];

#[test]
fn a_branch_that_stopped_after_any_batch_ends_with_the_same_bits_and_history() {
    for (name, accumulation, parents, branchs) in CONFIGURATIONS {
        let root = TempDir::new().unwrap();
        let average = || Average::ema(0.8).validate(Validate::Both);
        let at = |path: &Path, batches| run::<Net>(path, batches).average(average());
        let parent = root.path().join("parent");
        parents(at(&parent, NEVER)).fit(Net::new(1)).unwrap();
        let branch = |stop: &str, batches| {
            let training = branchs(at(&root.path().join(stop), batches));
            training.branch(Branch::newest(&parent))
        };
        let expected = ended(branch("whole", NEVER).fit(Net::new(2)).unwrap());
        let mut within = 0;
        let mut processes = 0;
        let resumed = loop {
            let (training, said) = noted(branch("each", accumulation));
            training.can_resume(&Net::new(2)).unwrap();
            let result = training.fit(Net::new(3 + 10 * processes));
            let mut said = said.iter();
            within += usize::from(said.any(|said| said.starts_with("resuming within")));
            processes += 1;
            assert!(processes < 30, "{name}");
            match result {
                Ok(trained) => break trained,
                stopped => assert_stopped(stopped),
            }
        };
        assert!(within >= 3, "{name}: {within} of {processes}");
        assert_eq!(ended(resumed), expected, "{name}, stopped after each");
        for stop in 1..8 {
            let directory = stop.to_string();
            assert_stopped(branch(&directory, stop).fit(Net::new(2)));
            let resumed = branch(&directory, NEVER).fit(Net::new(2)).unwrap();
            assert_eq!(ended(resumed), expected, "{name}, stopped after {stop}");
        }
    }
}
