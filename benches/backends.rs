//! The experiment's network on every backend that is compiled in, in images per second: an update, a
//! validation pass and a whole epoch, for several sizes of batch and of hidden layer.
//!
//! ```sh
//! cargo bench --bench backends
//! cargo bench --bench backends --features ndarray,wgpu -- 'update/wgpu'
//! ```

use std::error::Error;
use std::fmt::Display;

use burn::data::dataloader::DataLoader;
use burn::module::Module;
use burn::optim::ModuleOptimizer;
use burn::tensor::Device;
use burn::train::{InferenceStep, TrainStep};
use burn_lr::mnist::{ImageDataset, Mnist};
use burn_lr::model::{ClassificationBatch, Mlp, MlpConfig};
use burn_lr::training::device::Backend;
use burn_lr::training::loader::{BatchSource, EpochLoader, Sample};
use burn_lr::training::optim::{adam, fused_adam};
use criterion::{Bencher, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

const BATCHES: [usize; 3] = [64, 256, 1024];
const HIDDEN: [usize; 2] = [128, 1024];
/// Images of an epoch, and of a validation pass.
const IMAGES: usize = 4096;

type Bench = fn(&mut Bencher, &Case);

/// Ends the benchmark with an error.
fn fail(error: impl Display) -> ! {
    eprintln!("error: {error}");
    std::process::exit(1);
}

/// A network on a device, and what it is fed.
struct Case {
    name: String,
    device: Device,
    hidden: usize,
    batch_size: usize,
    images: ImageDataset,
}

impl Case {
    fn all() -> Result<Vec<Self>, Box<dyn Error>> {
        let images = Mnist::bundled()?.train.first(IMAGES);
        let mut cases = Vec::new();
        for backend in Backend::compiled() {
            for (hidden, batch_size) in HIDDEN.into_iter().flat_map(|h| BATCHES.map(|b| (h, b))) {
                cases.push(Self {
                    name: format!("{backend}/hidden {hidden}, batch {batch_size}"),
                    device: backend.device()?.autodiff(),
                    hidden,
                    batch_size,
                    images: images.clone(),
                });
            }
        }
        Ok(cases)
    }

    fn model(&self) -> Mlp {
        MlpConfig::new().with_hidden(self.hidden).init(&self.device)
    }

    /// The first batch.
    fn batch(&self) -> Result<ClassificationBatch, Box<dyn Error>> {
        let samples: Vec<Sample> = (0..self.batch_size).map(Sample::new).collect();
        Ok(self.images.batch(&samples, &self.device)?)
    }

    /// Waits until the device has done all it was told to do.
    fn finish(&self) {
        if let Err(error) = self.device.sync() {
            fail(format!("{}: {error:?}", self.name));
        }
    }
}

/// A network in training; nobody but the optimizer shares its weights, so that they are not copied.
struct Training {
    model: Option<Mlp>,
    optimizer: ModuleOptimizer,
}

impl Training {
    fn of(case: &Case) -> Self {
        Self {
            model: Some(case.model()),
            optimizer: fused_adam(&adam()),
        }
    }

    fn update(&mut self, batch: ClassificationBatch) {
        self.model = self.model.take().map(|model| {
            let grads = TrainStep::step(&model, batch).grads;
            self.optimizer.step(0.001, model, grads)
        });
    }
}

fn updates(bencher: &mut Bencher, case: &Case) {
    let batch = case.batch().unwrap_or_else(|error| fail(error));
    let mut training = Training::of(case);
    bencher.iter(|| {
        training.update(batch.clone());
        case.finish();
    });
}

fn epochs(bencher: &mut Bencher, case: &Case) {
    let loader = EpochLoader::new(case.images.clone(), case.batch_size).shuffled(42);
    let loader = loader.to_device(&case.device);
    let mut training = Training::of(case);
    bencher.iter(|| {
        for batch in loader.iter().flatten() {
            training.update(batch);
        }
        case.finish();
    });
}

fn validation(bencher: &mut Bencher, case: &Case) {
    let loader = EpochLoader::new(case.images.clone(), case.batch_size);
    let loader = loader.to_device(&case.device.clone().inner());
    let model = case.model().valid();
    bencher.iter(|| {
        for batch in loader.iter().flatten() {
            InferenceStep::step(&model, batch);
        }
        case.finish();
    });
}

fn backends(criterion: &mut Criterion) {
    let cases = match Case::all() {
        Ok(cases) => cases,
        Err(error) => fail(error),
    };
    for (name, bench) in [
        ("update", updates as Bench),
        ("validation", validation),
        ("epoch", epochs),
    ] {
        let mut group = criterion.benchmark_group(name);
        group.sample_size(10);
        for case in &cases {
            let images = match name {
                "update" => case.batch_size,
                _ => IMAGES,
            };
            group.throughput(Throughput::Elements(images as u64));
            group.bench_with_input(BenchmarkId::from_parameter(&case.name), case, bench);
        }
        group.finish();
    }
}

criterion_group!(benches, backends);
criterion_main!(benches);
