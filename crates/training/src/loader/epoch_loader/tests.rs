use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use rand::Rng;

use super::super::sample::Sample;
use super::*;

/// A source whose batches are the indices themselves, each with a random number, and which counts
/// the batches that it has made.
#[derive(Clone)]
struct Indices(usize, Arc<AtomicUsize>);

type Batch = Vec<(usize, u64)>;

impl BatchSource<Batch> for Indices {
    fn len(&self) -> usize {
        self.0
    }

    fn batch(&self, samples: &[Sample], _: &Device) -> Result<Batch, DatasetError> {
        self.1.fetch_add(1, Ordering::SeqCst);
        let draw = |sample: &Sample| (sample.index, sample.rng().next_u64());
        Ok(samples.iter().map(draw).collect())
    }
}

fn source(len: usize) -> Indices {
    Indices(len, Arc::default())
}

fn loader(len: usize, size: usize) -> EpochLoader<Batch> {
    EpochLoader::new(source(len), size)
}

fn epoch(loader: &dyn DataLoader<Batch>) -> Vec<Batch> {
    loader.iter().map(Result::unwrap).collect()
}

fn indices(batches: &[Batch]) -> Vec<usize> {
    batches.iter().flatten().map(|(index, _)| *index).collect()
}

#[test]
fn every_sample_is_visited_once_and_the_last_batch_is_short() {
    let loader = loader(11, 4).shuffled(1);
    let batches = epoch(&loader);
    let sizes: Vec<usize> = batches.iter().map(Vec::len).collect();
    assert_eq!((sizes, loader.num_batches()), (vec![4, 4, 3], 3));
    let mut all = indices(&batches);
    all.sort_unstable();
    assert_eq!(all, (0..11).collect::<Vec<_>>());
}

#[test]
fn a_short_last_batch_can_be_left_out() {
    for (len, batches) in [(0, 0), (3, 0), (4, 1), (11, 2), (12, 3)] {
        let loader = loader(len, 4).shuffled(1).drop_last();
        assert_eq!(loader.num_batches(), batches);
        assert_eq!(loader.num_items(), 4 * batches);
        assert_eq!(loader.order(1).len(), 4 * batches);
        let mut iterator = loader.iter();
        assert_eq!(iterator.by_ref().count(), batches);
        assert!(iterator.progress().is_completed());
        assert!(iterator.next().is_none());
    }
}

#[test]
fn sizes_at_the_edges() {
    assert_eq!(epoch(&loader(0, 4)), Vec::<Batch>::new());
    assert_eq!(epoch(&loader(3, 0)).len(), 3);
    for size in [3, 4, usize::MAX] {
        assert_eq!(epoch(&loader(3, size).workers(2)).len(), 1);
    }
}

#[test]
fn the_order_depends_on_seed_and_epoch_alone() {
    let (one, other) = (loader(50, 8).shuffled(7), loader(50, 8).shuffled(8));
    let (first, second) = (epoch(&one), epoch(&one));
    assert_ne!(indices(&first), indices(&second));
    let resumed = loader(50, 8).shuffled(7).starting_at(2);
    assert_eq!(epoch(&*resumed.to_device(&Device::default())), second);
    assert_eq!(epoch(&one.after(1, 0)), second);
    assert_ne!(epoch(&other), first);
}

#[test]
fn the_order_is_stable_across_versions() {
    let loader = loader(10, 10).shuffled(42);
    assert_eq!(loader.order(1), [8, 9, 5, 3, 2, 1, 0, 7, 6, 4]);
}

#[test]
fn slices_partition_every_epoch() {
    let with_replacement = Sampler::with_replacement(10, 3);
    for loader in [
        loader(10, 2).shuffled(3),
        loader(4, 2).sampler(with_replacement).unwrap(),
    ] {
        let (left, right) = (loader.slice(0, 4), loader.slice(4, usize::MAX));
        let right = right.slice(0, usize::MAX);
        for _ in 0..2 {
            // Random numbers too.
            let parts = [epoch(&*left), epoch(&*right)].concat().concat();
            assert_eq!(parts, epoch(&loader).concat());
        }
    }
    let loader = loader(10, 2);
    assert_eq!(loader.slice(usize::MAX, usize::MAX).num_items(), 0);
    assert_eq!(loader.slice(7, 3).num_items(), 0);
    let part = loader.slice(3, 8);
    assert_eq!(indices(&epoch(&*part.slice(1, 3))), [4, 5]);
}

#[test]
fn any_number_of_workers_makes_the_same_batches() {
    let loader = || {
        let weights: Vec<f64> = (0..103).map(f64::from).collect();
        let sampler = Sampler::weighted(weights, 150, 7);
        loader(103, 4).sampler(sampler).unwrap()
    };
    let plain = loader();
    let others = [
        loader().prefetch(3),
        loader().workers(1),
        loader().workers(3),
        loader().workers(2).prefetch(0),
        loader().workers(8).prefetch(100),
    ]
    .map(|loader| loader.to_device(&Device::default()));
    for _ in 0..3 {
        let expected = epoch(&plain);
        for other in &others {
            assert_eq!(epoch(&**other), expected);
        }
    }
    // An epoch that is given up leaves the next one as it is.
    plain.iter().next();
    let expected = epoch(&plain);
    for other in &others {
        other.iter().next();
        assert_eq!(epoch(&**other), expected);
    }
}

#[test]
fn random_numbers_depend_neither_on_the_order_nor_on_the_batch_size() {
    let sorted = |loader: &EpochLoader<Batch>| {
        let mut draws = epoch(loader).concat();
        draws.sort_unstable();
        draws
    };
    let shuffled = sorted(&loader(20, 3).shuffled(7));
    assert_eq!(sorted(&loader(20, 7).sample_seed(7)), shuffled);
    assert_ne!(sorted(&loader(20, 3).shuffled(7).sample_seed(8)), shuffled);
    assert_ne!(sorted(&loader(20, 3).shuffled(7).starting_at(2)), shuffled);
}

#[test]
fn samples_that_come_again_have_other_random_numbers() {
    let sampler = Sampler::with_replacement(100, 7);
    let mut draws = epoch(&loader(5, 10).sampler(sampler).unwrap()).concat();
    draws.sort_unstable();
    draws.dedup();
    assert_eq!(draws.len(), 100);
}

#[test]
fn a_sampler_that_does_not_fit_is_refused() {
    let refused = loader(3, 1).sampler(Sampler::weighted([1.0], 5, 1));
    assert!(matches!(
        refused.map(|_| ()),
        Err(LoaderError::NumWeights {
            expected: 3,
            found: 1
        })
    ));
}

#[test]
fn an_epoch_that_is_skipped_makes_nothing() {
    let source = source(100);
    let loader = EpochLoader::new(source.clone(), 4).workers(3);
    for _ in 0..1000 {
        drop(loader.iter());
    }
    std::thread::sleep(Duration::from_millis(20));
    assert_eq!(source.1.load(Ordering::SeqCst), 0);
    assert!(loader.threads.get().is_none());
    assert_eq!(loader.epoch.load(Ordering::SeqCst), 1001);
}

/// A source that fails at the third batch and panics at the fifth.
struct Spoilt;

impl BatchSource<usize> for Spoilt {
    fn len(&self) -> usize {
        12
    }

    fn batch(&self, samples: &[Sample], _: &Device) -> Result<usize, DatasetError> {
        match samples[0].index {
            4 => Err(DatasetError::new(std::io::Error::other("spoilt"))),
            8 => panic!("spoilt"),
            index => Ok(index),
        }
    }
}

#[test]
fn errors_and_panics_of_a_source_come_where_their_batch_would_have() {
    for workers in [0, 1, 3] {
        let loader = EpochLoader::new(Spoilt, 2).workers(workers);
        let mut batches = loader.iter();
        let mut good = || batches.next().unwrap().ok();
        assert_eq!(
            [good(), good(), good(), good()],
            [Some(0), Some(2), None, Some(6)]
        );
        let next = std::panic::AssertUnwindSafe(|| batches.next());
        assert!(std::panic::catch_unwind(next).is_err());
        assert_eq!(loader.iter().next().unwrap().unwrap(), 0);
    }
}

#[test]
fn progress_is_complete_with_the_last_batch() {
    let loader = loader(5, 4);
    let mut batches = loader.iter();
    batches.next();
    assert!(!batches.progress().is_completed());
    batches.next();
    assert!(batches.progress().is_completed());
}
