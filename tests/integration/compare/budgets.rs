//! Searches by time.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use burn::data::dataset::DatasetError;
use burn::tensor::Device;
use burn::train::metric::LossMetric;
use burn_lr::experiment::results::Trial;
use burn_lr::experiment::search::{Budget, Draw, Found, Search};
use burn_lr::experiment::{Candidate, Experiment, Setup};
use burn_lr::model::ClassificationBatch;
use burn_lr::training::Training;
use burn_lr::training::loader::{BatchSource, EpochLoader, Sample};
use burn_lr::training::run::RunDirectory;
use serde_json::json;
use tempfile::TempDir;

use super::{Base, mnist, model};

/// Takes at least so long for a batch, or fails at once.
struct Paced<S>(S, Option<Duration>);

impl<S: BatchSource<ClassificationBatch>> BatchSource<ClassificationBatch> for Paced<S> {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn batch(
        &self,
        samples: &[Sample],
        device: &Device,
    ) -> Result<ClassificationBatch, DatasetError> {
        let Some(pause) = self.1 else {
            return Err(DatasetError::new(std::io::Error::other("a test")));
        };
        std::thread::sleep(pause);
        self.0.batch(samples, device)
    }
}

/// An epoch of two batches that take so long each, and fails at once for candidates that are to fail.
fn paced(setup: &Setup, pause: Duration) -> Base {
    let mnist = mnist();
    let fails: bool = setup.setting_or("fails", false)?;
    let train = EpochLoader::new(Paced(mnist.train.first(20), (!fails).then_some(pause)), 10);
    let valid = EpochLoader::new(mnist.test.first(10), 10);
    let training = Training::new(setup.directory(), train, valid).metrics((LossMetric::new(),));
    Ok((training, model(setup.seed(), setup.setting("hidden")?)))
}

/// What a trial takes, as its record says: how long this machine takes for it is up to what else it does.
const TRIAL: u64 = 1000;
const FAILURE: u64 = 10;

/// An epoch that takes no time to speak of, in the directory of a trial that has taken `TRIAL` or `FAILURE`.
fn recorded(setup: &Setup) -> Base {
    let fails: bool = setup.setting_or("fails", false)?;
    let seconds = if fails { FAILURE } else { TRIAL };
    let record = json!({ "microseconds": seconds * 1_000_000, "ended": true });
    std::fs::create_dir_all(setup.directory())?;
    std::fs::write(
        RunDirectory::new(setup.directory()).trial(),
        record.to_string(),
    )?;
    paced(setup, Duration::ZERO)
}

/// A search on `base`, over candidates the first of which fail, and how many trials reached the Learner.
fn search(
    directory: &Path,
    base: impl Fn(&Setup) -> Base + Sync,
    budget: Budget,
    failing: usize,
) -> (Found, usize) {
    let trained = Arc::new(AtomicUsize::new(0));
    let base = |setup: &Setup| -> Base {
        let (training, model) = base(setup)?;
        let trained = trained.clone();
        let count = move |burns| {
            trained.fetch_add(1, Ordering::Relaxed);
            burns
        };
        Ok((training.configure(count), model))
    };
    let drawn = Cell::new(0);
    let space = |_: &mut Draw| {
        let number = drawn.replace(drawn.get() + 1);
        Candidate::new("a")
            .setting("hidden", number + 2)
            .setting("fails", number < failing)
    };
    let found = Search::new(Experiment::new(directory, base).jobs(2), space)
        .budget(budget)
        .confirmations(1)
        .run()
        .unwrap();
    (found, trained.load(Ordering::Relaxed))
}

#[test]
fn the_clock_is_looked_at_within_the_first_rung() {
    // As long as 60 trials take, two at a time.
    let seconds = 30 * TRIAL;
    let directory = TempDir::new().unwrap();
    let search = || {
        let budget = Budget::Time(Duration::from_secs(seconds));
        search(directory.path(), recorded, budget, 8)
    };
    let (found, _) = search();
    let taken = found.trials.iter().map(|(_, trial)| trial.whole_seconds);
    let spent = taken.sum::<f64>() / 2.0;
    assert!(
        (0.8..=1.0).contains(&(spent / seconds as f64)),
        "{spent} s for {} trials",
        found.trials.len()
    );
    let failed = |(_, trial): &&(Candidate, Trial)| trial.error().is_some();
    let failed = found.trials.iter().filter(failed).count();
    assert!(failed >= 8 && found.trials.len() > 50, "{failed}");
    // Nothing is there of candidates that were drawn and not trained.
    let names = found.trials.iter().map(|(candidate, _)| &candidate.name);
    let names: BTreeSet<&String> = names.collect();
    let directories = std::fs::read_dir(directory.path().join("trials")).unwrap();
    assert_eq!(directories.count(), names.len());
    // What has failed is tried again, and nothing else.
    let (again, trained) = search();
    assert_eq!(again.candidate, found.candidate);
    assert_eq!(again.trials.len(), found.trials.len());
    assert_eq!(trained, failed);
}

#[test]
fn trials_without_a_record_have_taken_what_their_epochs_have() {
    let directory = TempDir::new().unwrap();
    let base = |setup: &Setup| paced(setup, Duration::from_millis(50));
    let (found, _) = search(directory.path(), base, Budget::Trials(12), 0);
    for (_, trial) in &found.trials {
        for file in ["trial.json", "burn-lr-trial.json"] {
            let _ = std::fs::remove_file(trial.directory.join(file));
        }
    }
    // Less than the epochs of the four trials that tell how long one takes: no other is begun, although to read
    // those takes next to nothing.
    let budget = Budget::Time(Duration::from_millis(150));
    let (again, _) = search(directory.path(), base, budget, 0);
    for (_, trial) in &again.trials {
        assert!(trial.whole_seconds >= trial.seconds() && trial.seconds() > 0.1);
    }
    assert_eq!(again.trials.len(), 4);
}
