//! Loaders that do not know how much they have.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use burn::data::dataloader::{DataLoader, DataLoaderIterator, Progress};
use burn::data::dataset::DatasetError;
use burn::tensor::Device;
use burn::train::metric::LossMetric;
use burn_lr::scheduler::StepLr;
use burn_lr::training::loader::{EpochLoader, Loader};
use burn_lr::training::{Training, TrainingError};
use tempfile::TempDir;

use super::net::{Net, run, values};
use crate::common::line::{Points, Slope};

/// The points in batches of 8, for as many epochs as it lasts.
#[derive(Clone)]
struct Stream {
    items: usize,
    lasts: usize,
    epochs: Arc<AtomicUsize>,
    inner: Arc<dyn DataLoader<Points>>,
}

impl Stream {
    fn loader(items: usize, lasts: usize) -> Loader<Points> {
        Loader::new(Arc::new(Self {
            items,
            lasts,
            epochs: Arc::default(),
            inner: Arc::new(EpochLoader::new(Slope, 8).shuffled(1)),
        }))
    }
}

/// The batches of an epoch, if there are any left.
struct Batches<'a>(Option<Box<dyn DataLoaderIterator<Points> + 'a>>);

impl Iterator for Batches<'_> {
    type Item = Result<Points, DatasetError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.as_mut()?.next()
    }
}

impl DataLoaderIterator<Points> for Batches<'_> {
    fn progress(&self) -> Progress {
        Progress::new(0, 0, None)
    }
}

impl DataLoader<Points> for Stream {
    fn iter<'a>(&'a self) -> Box<dyn DataLoaderIterator<Points> + 'a> {
        let epoch = self.epochs.fetch_add(1, Ordering::Relaxed);
        Box::new(Batches((epoch < self.lasts).then(|| self.inner.iter())))
    }

    fn num_items(&self) -> usize {
        self.items
    }

    fn to_device(&self, device: &Device) -> Arc<dyn DataLoader<Points>> {
        let inner = self.inner.to_device(device);
        Arc::new(Self {
            inner,
            ..self.clone()
        })
    }

    fn slice(&self, _: usize, _: usize) -> Arc<dyn DataLoader<Points>> {
        Arc::new(self.clone())
    }
}

fn on(directory: &Path, train: Loader<Points>, valid: impl Into<Loader<Points>>) -> Training<Net> {
    Training::new(directory, train, valid)
        .metrics((LossMetric::new(),))
        .epochs(3)
        .on_notice(|_| {})
}

#[test]
fn an_epoch_without_batches_ends_the_run() {
    for lasts in 0..3 {
        let directory = TempDir::new().unwrap();
        let valid = EpochLoader::new(Slope, 20);
        let ended = on(directory.path(), Stream::loader(40, lasts), valid).fit(Net::new(1));
        assert!(
            matches!(ended, Err(TrainingError::NoBatch { epoch }) if epoch == lasts + 1),
            "{ended:?}"
        );
        let last = directory
            .path()
            .join(format!("checkpoint/epoch-{lasts:04}"));
        assert!(lasts == 0 || last.exists());
        let next = directory
            .path()
            .join(format!("checkpoint/epoch-{:04}", lasts + 1));
        assert!(!next.exists());
    }
}

#[test]
fn samples_that_cannot_be_counted_need_a_number_of_batches() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("run");
    let endless = || Stream::loader(0, usize::MAX);
    let valid = || EpochLoader::new(Slope, 20);
    let both = [
        ("training samples", on(&path, endless(), valid())),
        (
            "validation samples",
            on(&path, Stream::loader(40, usize::MAX), endless()),
        ),
        // Several devices get shares of the samples.
        (
            "training samples",
            on(&path, endless().with_batches(5), valid()).devices(vec![Device::flex(); 2]),
        ),
        // What has none has no batches, whatever is said.
        (
            "training samples",
            on(
                &path,
                Loader::from(EpochLoader::new(Slope, 64).drop_last()).with_batches(5),
                valid(),
            ),
        ),
    ];
    for (expected, training) in both {
        let refused = training.fit(Net::new(1));
        let Err(TrainingError::Invalid { name, found, .. }) = &refused else {
            panic!("{refused:?}");
        };
        assert_eq!(*name, expected);
        assert!(
            found.contains("drop_last") || found.contains("Loader::with_batches"),
            "{found}"
        );
    }
    assert!(!path.exists());

    let step = || StepLr::new(0.01, 1).per_epoch();
    let counted = run(&directory.path().join("counted"))
        .epochs(3)
        .schedule(step())
        .fit(Net::new(1))
        .unwrap();
    let valid = Stream::loader(0, usize::MAX).with_batches(5);
    let trained = on(&path, endless().with_batches(5), valid)
        .schedule(step())
        .fit(Net::new(1))
        .unwrap();
    let updates: Vec<u64> = trained.history.epochs.iter().map(|e| e.updates).collect();
    assert_eq!(updates, [5, 10, 15]);
    assert_eq!(values(&trained.model), values(&counted.model));
}
