use burn::data::dataloader::DataLoaderBuilder;
use burn::data::dataloader::batcher::Batcher;
use burn::data::dataloader::split::split_dataloader;
use burn::data::dataset::InMemDataset;
use burn::data::dataset::transform::SamplerDataset;
use burn::tensor::Device;
use serde_json::json;

use super::super::{DatasetSource, Sampler};
use super::*;

struct Items;

impl Batcher<u32, Vec<u32>> for Items {
    fn batch(&self, items: Vec<u32>, _: &Device) -> Vec<u32> {
        items
    }
}

fn data(len: u32) -> InMemDataset<u32> {
    InMemDataset::new((0..len).collect())
}

fn ours(len: u32, size: usize) -> EpochLoader<Vec<u32>> {
    EpochLoader::new(DatasetSource::new(data(len), Items), size)
}

fn burns(len: u32, size: usize) -> Arc<dyn DataLoader<Vec<u32>>> {
    DataLoaderBuilder::new(Items)
        .batch_size(size)
        .build(data(len))
}

/// How many batches the first and the last device are given by Burn.
fn counted(loader: &Loader<Vec<u32>>, devices: usize) -> (usize, usize) {
    let devices = vec![Device::default(); devices];
    let parts = split_dataloader(loader.inner(), &devices);
    let count = |part: Option<&Arc<dyn DataLoader<Vec<u32>>>>| part.unwrap().iter().count();
    (count(parts.first()), count(parts.last()))
}

#[test]
fn the_batches_of_each_device_are_those_that_burn_gives_it() {
    for (len, size) in [(0, 4), (3, 4), (16, 4), (17, 4), (31, 4), (33, 1), (9, 100)] {
        let burns = Loader::new(burns(len, size)).with_batch_size(size);
        let loaders = [ours(len, size), ours(len, size).drop_last()].map(Loader::from);
        for loader in loaders.iter().chain([&burns]) {
            for devices in 1..=5 {
                let expected = counted(loader, devices);
                assert_eq!(loader.batches_for_devices(devices), Some(expected));
            }
        }
    }
}

#[test]
fn what_is_not_known_is_not_guessed() {
    let loader = Loader::from(burns(30, 4));
    assert_eq!(loader.samples(), 30);
    assert_eq!(
        (loader.batches(), loader.batches_for_devices(2)),
        (None, None)
    );
    let loader = loader.with_batches(8);
    assert_eq!(loader.batches(), Some(8));
    assert_eq!(loader.batches_for_devices(0), Some((8, 8)));
    assert_eq!(loader.batches_for_devices(2), None);
    assert_eq!(
        serde_json::to_value(loader.description()).unwrap(),
        json!({"samples": 30, "batches": 8})
    );
}

#[test]
fn only_what_is_known_to_be_exact_is_called_so() {
    let exact = Exactness::Exact;
    assert_eq!(Loader::from(ours(9, 4)).exactness(), exact);
    assert_eq!(
        Loader::from(Arc::new(ours(9, 4).workers(3))).exactness(),
        exact
    );
    assert_eq!(Loader::replayable(burns(9, 4)).clone().exactness(), exact);
    let hidden = SamplerDataset::<_, u32>::with_replacement(data(9), 5);
    let hidden = EpochLoader::new(DatasetSource::new(hidden, Items), 4);
    for unknown in [Loader::from(burns(9, 4)), hidden.into()] {
        assert!(matches!(unknown.exactness(), Exactness::Unknown(_)));
    }
}

#[test]
fn the_description_has_what_decides_the_batches_and_no_more() {
    let sampler = Sampler::with_replacement(50, 7);
    let source = DatasetSource::new(data(9), Items).with_fingerprint("nine");
    let loader = Loader::from(
        EpochLoader::new(source, 4)
            .sampler(sampler)
            .unwrap()
            .sample_seed(3)
            .starting_at(5)
            .drop_last()
            .workers(2),
    );
    assert_eq!(
        serde_json::to_value(loader.description()).unwrap(),
        json!({
            "samples": 48, "batch_size": 4, "batches": 12, "drop_last": true, "available": 9,
            "sampler": {"kind": "with_replacement", "samples": 50, "seed": 7},
            "sample_seed": 3, "first_epoch": 5, "fingerprint": "nine",
        })
    );
    let plain = Loader::from(ours(9, 4).shuffled(7)).description();
    let same = ours(9, 4).shuffled(7).sample_seed(7).prefetch(3);
    assert_eq!(Loader::from(same).description(), plain);
    assert_ne!(Loader::from(ours(9, 4).shuffled(8)).description(), plain);
    let named = Loader::from(ours(9, 4).shuffled(7)).with_fingerprint("other");
    assert_eq!(named.description().fingerprint.as_deref(), Some("other"));
}
