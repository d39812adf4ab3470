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
use tempfile::TempDir;

use super::{Base, mnist, model};

/// Takes so long for a batch, or fails at once.
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

/// An epoch of two batches that take 50 ms each, and fails at once for candidates that are to fail.
fn paced(setup: &Setup) -> Base {
    let mnist = mnist();
    let fails: bool = setup.setting_or("fails", false)?;
    let pause = (!fails).then_some(Duration::from_millis(50));
    let train = EpochLoader::new(Paced(mnist.train.first(20), pause), 10);
    let valid = EpochLoader::new(mnist.test.first(10), 10);
    let training = Training::new(setup.directory(), train, valid).metrics((LossMetric::new(),));
    Ok((training, model(setup.seed(), setup.setting("hidden")?)))
}

/// A search of so many seconds, over candidates the first of which fail, and how many trials reached
/// the Learner.
fn search(directory: &Path, seconds: f64, failing: usize) -> (Found, usize) {
    let trained = Arc::new(AtomicUsize::new(0));
    let base = |setup: &Setup| {
        let (training, model) = paced(setup)?;
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
        .budget(Budget::Time(Duration::from_secs_f64(seconds)))
        .confirmations(1)
        .run()
        .unwrap();
    (found, trained.load(Ordering::Relaxed))
}

#[test]
fn the_clock_is_looked_at_within_the_first_rung() {
    const SECONDS: f64 = 3.0;
    let directory = TempDir::new().unwrap();
    let (found, _) = search(directory.path(), SECONDS, 8);
    let seconds = found.trials.iter().map(|(_, trial)| trial.whole_seconds);
    let spent = seconds.sum::<f64>() / 2.0;
    assert!(
        spent < 2.0 * SECONDS,
        "{spent} s for {} trials",
        found.trials.len()
    );
    let failed = |(_, trial): &&(Candidate, Trial)| trial.error().is_some();
    let failed = found.trials.iter().filter(failed).count();
    assert!(failed >= 8 && found.trials.len() > 10, "{failed}");
    // Nothing is there of candidates that were drawn and not trained.
    let names = found.trials.iter().map(|(candidate, _)| &candidate.name);
    let names: BTreeSet<&String> = names.collect();
    let directories = std::fs::read_dir(directory.path().join("trials")).unwrap();
    assert_eq!(directories.count(), names.len());
    // What has failed is tried again, and nothing else.
    let (again, trained) = search(directory.path(), SECONDS, 8);
    assert_eq!(again.candidate, found.candidate);
    assert_eq!(again.trials.len(), found.trials.len());
    assert_eq!(trained, failed);
}

#[test]
fn trials_without_a_record_have_taken_what_their_epochs_have() {
    const SECONDS: f64 = 1.5;
    let directory = TempDir::new().unwrap();
    let (found, _) = search(directory.path(), SECONDS, 0);
    for (_, trial) in &found.trials {
        for file in ["trial.json", "burn-lr-trial.json"] {
            let _ = std::fs::remove_file(trial.directory.join(file));
        }
    }
    let (again, _) = search(directory.path(), SECONDS, 0);
    for (_, trial) in &again.trials {
        assert!(trial.whole_seconds >= trial.seconds() && trial.seconds() > 0.1);
    }
    // Epochs are most of what trials take here.
    let (before, after) = (found.trials.len(), again.trials.len());
    assert!(after <= 2 * before, "{before} {after}");
}
