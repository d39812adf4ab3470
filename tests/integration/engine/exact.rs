//! What cannot be resumed exactly is told before the first update, or refused.

use std::path::Path;
use std::sync::{Arc, Mutex};

use burn::data::dataloader::batcher::Batcher;
use burn::data::dataloader::{DataLoader, DataLoaderBuilder};
use burn::data::dataset::transform::SamplerDataset;
use burn::data::dataset::{Dataset, DatasetError, InMemDataset};
use burn::tensor::{Device, Tensor};
use burn::train::metric::LossMetric;
use burn_lr::training::loader::{
    BatchSource, DatasetSource, EpochLoader, Loader, LoaderError, Sample,
};
use burn_lr::training::{Training, TrainingError};
use tempfile::TempDir;

use super::net::{Net, noted, outcome, run, stopped};
use crate::common::line::{Points, Slope};

fn on(directory: &Path, train: Loader<Points>, valid: Loader<Points>) -> Training<Net> {
    Training::new(directory, train, valid)
        .metrics((LossMetric::new(),))
        .schedule(0.01)
        .epochs(2)
        .resume(true)
        .on_notice(|_| {})
}

fn known() -> Loader<Points> {
    EpochLoader::new(Slope, 8).shuffled(1).into()
}

fn unknown() -> Loader<Points> {
    let loader: Arc<dyn DataLoader<Points>> = Arc::new(EpochLoader::new(Slope, 8).shuffled(1));
    loader.into()
}

#[derive(Clone)]
struct Column;

impl Batcher<f32, Points> for Column {
    fn batch(&self, items: Vec<f32>, device: &Device) -> Points {
        let x = Tensor::<1>::from_floats(&items[..], device).unsqueeze_dim(1);
        let y = x.clone() * 3.0 - 2.0;
        Points { x, y }
    }
}

fn items() -> InMemDataset<f32> {
    InMemDataset::new((0..40).map(|index| index as f32 / 20.0 - 1.0).collect())
}

fn reasons(training: Training<Net>) -> Vec<String> {
    match training.strict(true).check(&Net::new(1)) {
        Ok(()) => Vec::new(),
        Err(TrainingError::Inexact { reasons }) => reasons,
        Err(other) => panic!("{other:?}"),
    }
}

#[test]
fn what_is_not_exact_is_named() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("run");
    let of = |train, valid| reasons(on(&path, train, valid));
    assert!(of(known(), known()).is_empty());
    let [reason] = &of(unknown(), known())[..] else {
        panic!()
    };
    assert!(reason.starts_with("the training loader: ") && reason.contains("Loader::replayable"));
    let [reason] = &of(known(), unknown())[..] else {
        panic!()
    };
    assert!(reason.starts_with("the validation loader: "), "{reason}");
    assert_eq!(of(unknown(), unknown()).len(), 2);

    let burns = |workers| {
        let builder = DataLoaderBuilder::new(Column).batch_size(8).shuffle(1);
        builder.num_workers(workers).build(items())
    };
    for workers in [0, 1, 2] {
        let [reason] = &of(burns(workers).into(), known())[..] else {
            panic!()
        };
        assert!(reason.contains("2 or more workers"), "{reason}");
    }
    assert!(of(Loader::replayable(burns(0)), known()).is_empty());
    let drawn = SamplerDataset::with_replacement(items(), 40);
    let hidden = EpochLoader::new(DatasetSource::new(drawn, Column), 8);
    let [reason] = &of(hidden.into(), known())[..] else {
        panic!()
    };
    assert!(reason.contains("SamplerDataset"), "{reason}");
    let any = || -> Arc<dyn Dataset<f32>> { Arc::new(items()) };
    let of_any = EpochLoader::new(DatasetSource::new(any(), Column), 8);
    let [reason] = &of(of_any.into(), known())[..] else {
        panic!()
    };
    assert!(reason.contains("DatasetSource::repeatable"), "{reason}");
    let vouched = DatasetSource::new(any(), Column).repeatable();
    assert!(of(EpochLoader::new(vouched, 8).into(), known()).is_empty());

    let devices = |count: usize| on(&path, known(), known()).devices(vec![Device::flex(); count]);
    assert!(reasons(devices(2)).is_empty());
    let [reason] = &reasons(devices(3))[..] else {
        panic!()
    };
    assert!(reason.starts_with("3 devices: "), "{reason}");
    let [reason] = &reasons(devices(2).grads_accumulation(2))[..] else {
        panic!()
    };
    assert!(
        reason.starts_with("accumulated gradients of 2 devices: "),
        "{reason}"
    );
}

#[test]
fn strict_refuses_before_anything_is_written() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("run");
    let strict = || on(&path, unknown(), known()).strict(true);
    for refused in [
        strict().can_resume(&Net::new(1)),
        strict().fit(Net::new(1)).map(drop),
    ] {
        let Err(TrainingError::Inexact { reasons }) = refused else {
            panic!("{refused:?}");
        };
        assert_eq!(reasons.len(), 1);
    }
    assert!(!path.exists());
    run(&path).strict(true).fit(Net::new(1)).unwrap();
}

/// Notes when a batch is made.
struct Watched(Arc<Mutex<Vec<String>>>);

impl BatchSource<Points> for Watched {
    fn len(&self) -> usize {
        40
    }

    fn batch(&self, samples: &[Sample], device: &Device) -> Result<Points, DatasetError> {
        self.0.lock().unwrap().push("a batch".to_owned());
        Slope.batch(samples, device)
    }
}

#[test]
fn it_is_told_before_the_first_update_and_again_on_resume() {
    let directory = TempDir::new().unwrap();
    let seen = |epochs: usize| {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let watched: Arc<dyn DataLoader<Points>> =
            Arc::new(EpochLoader::new(Watched(seen.clone()), 8));
        let noted = seen.clone();
        on(directory.path(), watched.into(), known())
            .epochs(epochs)
            .on_notice(move |notice| noted.lock().unwrap().push(notice.to_owned()))
            .fit(Net::new(1))
            .unwrap();
        let seen = seen.lock().unwrap();
        seen.iter()
            .map(|seen| seen.split(':').next().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let notice = "a resumed run may not be exact";
    let first = seen(1);
    assert_eq!(&first[..2], [notice, "a batch"]);
    assert_eq!(first.len(), 6);
    let again = seen(2);
    assert_eq!(&again[..3], [notice, "resuming after epoch 1", "a batch"]);
    assert_eq!(again.len(), 7);
    // Also when nothing is left to do, in which case it is of no use, but true.
    assert_eq!(seen(2).len(), 2);
}

#[test]
fn nothing_is_told_of_a_run_that_is_exact() {
    let directory = TempDir::new().unwrap();
    let (training, said) = noted(run(directory.path()));
    training.fit(Net::new(1)).unwrap();
    assert!(said.iter().next().is_none());
}

fn shuffled() -> Arc<dyn DataLoader<Points>> {
    let builder = DataLoaderBuilder::new(Column).batch_size(8).shuffle(1);
    builder.build(items())
}

#[test]
fn a_loader_that_has_moved_on_is_refused_and_one_that_is_made_anew_is_not() {
    let strict = |directory: &Path, train: &Loader<Points>| {
        on(directory, train.clone(), known()).epochs(3).strict(true)
    };
    let (whole, parts, again) = (
        TempDir::new().unwrap(),
        TempDir::new().unwrap(),
        TempDir::new().unwrap(),
    );
    let made = Loader::replayable_by(shuffled).with_batch_size(8);
    let expected = outcome(strict(whole.path(), &made).fit(Net::new(1)).unwrap());
    stopped(strict(parts.path(), &made), 1, Net::new(1));
    assert!(outcome(strict(parts.path(), &made).fit(Net::new(2)).unwrap()) == expected);

    let once = Loader::replayable(shuffled()).with_batch_size(8);
    stopped(strict(again.path(), &once), 1, Net::new(1));
    for refused in [
        strict(again.path(), &once).can_resume(&Net::new(1)),
        strict(again.path(), &once).fit(Net::new(1)).map(drop),
    ] {
        assert!(
            matches!(refused, Err(TrainingError::Loader(LoaderError::Spent))),
            "{refused:?}"
        );
    }
    let other = Loader::replayable(shuffled()).with_batch_size(8);
    assert!(outcome(strict(again.path(), &other).fit(Net::new(2)).unwrap()) == expected);
}

#[test]
fn a_loader_that_is_vouched_for_is_taken_at_its_word() {
    let burns = || Loader::replayable(shuffled()).with_batch_size(8);
    let strict = |directory: &Path| on(directory, burns(), known()).epochs(3).strict(true);
    let (whole, parts) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let expected = outcome(strict(whole.path()).fit(Net::new(1)).unwrap());
    for stop in 1..3 {
        stopped(strict(parts.path()), stop, Net::new(1));
    }
    assert!(outcome(strict(parts.path()).fit(Net::new(2)).unwrap()) == expected);
}
