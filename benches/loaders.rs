//! An epoch of batches by worker threads: `EpochLoader` beside Burn's loader.
//!
//! Each batch takes its time without a processor, as reading a file does. Even ones all take as long; of
//! uneven ones every eighth takes eight times as long. Burn's loader hands batches over as they are
//! finished, in an order that differs from run to run, and `EpochLoader` in order: a slow one holds up
//! those behind it, unless enough of them may be made ahead.

use std::thread::sleep;
use std::time::Duration;

use burn::data::dataloader::batcher::Batcher;
use burn::data::dataloader::{DataLoader, DataLoaderBuilder};
use burn::data::dataset::InMemDataset;
use burn::tensor::Device;
use burn_lr::training::loader::{DatasetSource, EpochLoader};
use criterion::{Criterion, criterion_group, criterion_main};

const ITEMS: usize = 512;
const SIZE: usize = 4;
const EVEN: Duration = Duration::from_millis(1);

/// Makes batches of the items, which are numbered.
struct Slow {
    uneven: bool,
}

impl Batcher<usize, Vec<usize>> for Slow {
    fn batch(&self, items: Vec<usize>, _: &Device) -> Vec<usize> {
        let number = items[0] / SIZE;
        sleep(if self.uneven && number.is_multiple_of(8) {
            EVEN * 8
        } else {
            EVEN
        });
        items
    }
}

fn data() -> InMemDataset<usize> {
    InMemDataset::new((0..ITEMS).collect())
}

fn epochs(criterion: &mut Criterion) {
    for (cost, uneven) in [("even", false), ("uneven", true)] {
        let mut group = criterion.benchmark_group(format!("an epoch of batches of {cost} cost"));
        group.sample_size(10);
        for workers in [2, 4] {
            let source = || DatasetSource::new(data(), Slow { uneven });
            let ours = || EpochLoader::new(source(), SIZE).workers(workers);
            let burns = DataLoaderBuilder::new(Slow { uneven })
                .batch_size(SIZE)
                .num_workers(workers)
                .build(data());
            let (default, short) = (ours(), ours().prefetch(2 * workers));
            let loaders: [(&str, &dyn DataLoader<Vec<usize>>); 3] = [
                ("EpochLoader", &default),
                ("EpochLoader, 2 ahead for each worker", &short),
                ("Burn's loader", &*burns),
            ];
            for (name, loader) in loaders {
                group.bench_function(format!("{name}, {workers} workers"), |bencher| {
                    bencher.iter(|| loader.iter().flatten().count());
                });
            }
        }
    }
}

criterion_group!(benches, epochs);
criterion_main!(benches);
