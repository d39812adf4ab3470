//! How many trials run at a time.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use burn::data::dataloader::DataLoader;
use burn::data::dataset::DatasetError;
use burn::tensor::Device;
use burn::train::metric::{AccuracyMetric, LossMetric};
use burn_lr::experiment::results::Trial;
use burn_lr::experiment::{Experiment, Setup};
use burn_lr::model::ClassificationBatch;
use burn_lr::scheduler::Mode;
use burn_lr::training::Training;
use burn_lr::training::loader::{BatchSource, EpochLoader, Loader, Sample};
use burn_lr::training::metrics::{EarlyStopping, valid};
use tempfile::TempDir;

use super::{base, candidates, constant, mnist, model};

/// Writes down whose batches are asked for; waits for those of another one, if it is to.
struct Logged<S>(S, PathBuf, Arc<Mutex<Vec<PathBuf>>>, bool);

impl<S> Logged<S> {
    /// Until batches of another trial were asked for: as long as a busy machine may take to begin one.
    fn wait_for_another(&self) {
        let begin = Instant::now();
        let all_own = || self.2.lock().unwrap().iter().all(|trial| *trial == self.1);
        while all_own() && begin.elapsed() < Duration::from_secs(120) {
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

impl<S: BatchSource<ClassificationBatch>> BatchSource<ClassificationBatch> for Logged<S> {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn batch(
        &self,
        samples: &[Sample],
        device: &Device,
    ) -> Result<ClassificationBatch, DatasetError> {
        self.2.lock().unwrap().push(self.1.clone());
        std::thread::sleep(Duration::from_millis(2));
        if self.3 {
            self.wait_for_another();
        }
        self.0.batch(samples, device)
    }
}

/// How often the batches of one trial are followed by those of another.
fn changes_of_trial(seed: Option<u64>) -> usize {
    let log = Arc::new(Mutex::new(Vec::new()));
    let base = |setup: &Setup| {
        let mnist = mnist();
        let directory = setup.directory().to_owned();
        let train = mnist.train.first(100);
        let train = Logged(train, directory.clone(), log.clone(), seed.is_none());
        let valid = EpochLoader::new(mnist.test.first(10), 10);
        let train = EpochLoader::new(train, 10).shuffled(setup.seed());
        let training = Training::new(directory, train, valid)
            .metrics((LossMetric::new(), AccuracyMetric::new()));
        let training = match seed {
            Some(seed) => training.seed(seed),
            None => training,
        };
        Ok((training, model(setup.seed(), 16)))
    };
    let directory = TempDir::new().unwrap();
    let results = Experiment::new(directory.path(), base)
        .candidates(candidates())
        .seeds([1])
        .jobs(3)
        .run()
        .unwrap();
    assert_eq!(results.trials().len(), 3);
    let log = log.lock().unwrap();
    assert_eq!(log.len(), 10 * (3 + 3 + 4));
    log.windows(2).filter(|pair| pair[0] != pair[1]).count()
}

#[test]
fn trainings_that_draw_random_numbers_run_one_after_another() {
    assert_eq!(changes_of_trial(Some(1)), 2);
    assert!(changes_of_trial(None) > 2);
}

#[test]
fn the_hooks_of_the_base_are_called_too() {
    let directory = TempDir::new().unwrap();
    let (epochs, notices) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let base = |setup: &Setup| {
        let (training, model) = base(setup)?;
        let (epochs, notices) = (epochs.clone(), notices.clone());
        let training = training
            .on_epoch(move |_| _ = epochs.fetch_add(1, Ordering::Relaxed))
            .on_notice(move |_| _ = notices.fetch_add(1, Ordering::Relaxed))
            .early_stopping(EarlyStopping::new(1).on(valid("accuracy"), Mode::Min));
        Ok((training, model))
    };
    let results = Experiment::new(directory.path(), base)
        .candidates([constant("a", 0.01, 5)])
        .seeds([1, 2])
        .run()
        .unwrap();
    let histories = results.trials().iter().filter_map(Trial::history);
    let trained: usize = histories.map(|history| history.epochs.len()).sum();
    assert_eq!(epochs.load(Ordering::Relaxed), trained);
    // Each was stopped early.
    assert!(trained < 10 && notices.load(Ordering::Relaxed) == 2);
}

#[test]
fn what_cannot_be_repeated_is_told_once_for_all_trials() {
    let directory = TempDir::new().unwrap();
    let notices = Arc::new(Mutex::new(Vec::new()));
    let told = notices.clone();
    let base = |setup: &Setup| {
        let train = EpochLoader::new(mnist().train.first(100), 50);
        let valid = EpochLoader::new(mnist().test.first(10), 10);
        // Of which nothing is known.
        let train: Arc<dyn DataLoader<ClassificationBatch>> = Arc::new(train);
        let train = Loader::from(train).with_batches(2);
        let training = Training::new(setup.directory(), train, valid)
            .metrics((LossMetric::new(), AccuracyMetric::new()));
        Ok((training, model(setup.seed(), 16)))
    };
    let experiment = Experiment::new(directory.path(), base)
        .candidates([constant("a", 0.01, 1), constant("b", 0.02, 1)])
        .seeds([1, 2])
        .jobs(1)
        .on_notice(move |candidate, notice| {
            let notice = (candidate.name.clone(), notice.to_owned());
            told.lock().unwrap().push(notice);
        });
    experiment.run().unwrap();
    let told = std::mem::take(&mut *notices.lock().unwrap());
    let [(candidate, notice)] = &told[..] else {
        panic!("{told:?}");
    };
    assert_eq!(candidate, "a");
    assert!(notice.contains("may not be exact"), "{notice}");
}
