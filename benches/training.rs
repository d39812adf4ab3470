//! What there is to an epoch beside the network: the Learner around the loop, data, optimizer and
//! checkpoints, on flex.
//!
//! ```sh
//! cargo bench --bench training
//! # What an average of the weights costs: an update of it, and an epoch without and with it.
//! cargo bench --bench training -- average
//! cargo bench --bench training -- ahead
//! ```

use std::error::Error;
use std::sync::Arc;

use burn::data::dataloader::DataLoader;
use burn::module::Module;
use burn::optim::{GradientsParams, ModuleOptimizer, SgdConfig};
use burn::tensor::Device;
use burn::train::TrainStep;
use burn::train::metric::{AccuracyMetric, LossMetric};
use burn_lr::mnist::Mnist;
use burn_lr::model::{ClassificationBatch, Mlp, MlpConfig};
use burn_lr::scheduler::Constant;
use burn_lr::training::Training;
use burn_lr::training::average::{Average, Ema, ModelAverage, Rule, Statistics};
use burn_lr::training::checkpoint::{CheckpointStore, MODEL, OPTIM};
use burn_lr::training::loader::{BatchSource, EpochLoader, Sample};
use burn_lr::training::optim::{adam, adamw, fused_adam, fused_adamw, fused_sgd, momentum};
use burn_lr::training::storage::save_model;
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};

/// Images of an epoch: 938 batches of 64.
const IMAGES: usize = 60_000;

type Outcome = Result<(), Box<dyn Error>>;

fn loader() -> Result<EpochLoader<ClassificationBatch>, Box<dyn Error>> {
    let images = Mnist::bundled()?.train.first(IMAGES);
    Ok(EpochLoader::new(images, 64).shuffled(42))
}

fn device() -> Device {
    Device::flex().autodiff()
}

fn model() -> Mlp {
    MlpConfig::new().init(&device())
}

fn gradients(model: &Mlp, batch: ClassificationBatch) -> GradientsParams {
    TrainStep::step(model, batch).grads
}

/// The same epoch through the Learner, with metrics, history, checkpoints and a validation of a
/// single image, and as a bare loop.
fn epoch(criterion: &mut Criterion) -> Outcome {
    let mut group = criterion.benchmark_group("epoch");
    group.sample_size(10);
    group.throughput(Throughput::Elements(IMAGES as u64));
    let on_device = loader()?.to_device(&device());
    group.bench_function("bare loop", |bencher| {
        bencher.iter_batched(
            || (model(), fused_adam(&adam())),
            |(mut model, mut optimizer)| {
                for batch in on_device.iter().flatten() {
                    let grads = gradients(&model, batch);
                    model = optimizer.step(0.001, model, grads);
                }
                model
            },
            BatchSize::PerIteration,
        );
    });
    let ahead = || -> Result<_, Box<dyn Error>> { Ok(Arc::new(loader()?.prefetch(4))) };
    let trains = [
        ("Training", Arc::new(loader()?), None),
        ("Training, batches ahead", ahead()?, None),
        (
            "Training, batches ahead, EMA of every update",
            ahead()?,
            Some(Average::ema(0.999)),
        ),
    ];
    let valid = Arc::new(EpochLoader::new(Mnist::bundled()?.test.first(1), 1));
    let directory = tempfile::tempdir()?;
    let mut runs = 0;
    for (name, train, average) in trains {
        group.bench_function(name, |bencher| {
            bencher.iter_batched(
                || {
                    runs += 1;
                    let directory = directory.path().join(runs.to_string());
                    let training = Training::<Mlp>::new(directory, train.clone(), valid.clone())
                        .schedule(Constant::new(0.001).per_epoch())
                        .metrics((LossMetric::new(), AccuracyMetric::new()));
                    match &average {
                        Some(average) => training.average(average.clone()),
                        None => training,
                    }
                },
                |training| training.fit(model()).map(|trained| trained.history),
                BatchSize::PerIteration,
            );
        });
    }
    group.finish();
    Ok(())
}

fn data(criterion: &mut Criterion) -> Outcome {
    let mut group = criterion.benchmark_group("data");
    group.throughput(Throughput::Elements(IMAGES as u64));
    let loader = loader()?.to_device(&device());
    group.bench_function("an epoch of batches", |bencher| {
        bencher.iter(|| loader.iter().flatten().count());
    });
    group.finish();
    Ok(())
}

fn optimizer(criterion: &mut Criterion) -> Outcome {
    let mut group = criterion.benchmark_group("optimizer");
    let batch = Mnist::bundled()?
        .train
        .batch(&(0..64).map(Sample::new).collect::<Vec<_>>(), &device())?;
    let cautious = adamw().with_cautious_weight_decay(true);
    let nesterov = momentum(0.9).with_nesterov(true);
    let sgd = SgdConfig::new().with_momentum(Some(nesterov));
    let kinds: [(&str, ModuleOptimizer); 8] = [
        ("Burn's Adam", adam().init()),
        ("fused Adam", fused_adam(&adam())),
        ("Burn's AdamW", adamw().init()),
        ("fused AdamW", fused_adamw(&adamw())),
        ("Burn's cautious AdamW", cautious.init()),
        ("fused cautious AdamW", fused_adamw(&cautious)),
        ("Burn's SGD", sgd.init()),
        ("fused SGD", fused_sgd(&sgd)),
    ];
    for (name, mut optimizer) in kinds {
        // Nobody but the optimizer holds the weights, as in a training loop.
        let mut model = Some(model());
        group.bench_function(name, |bencher| {
            bencher.iter_custom(|iterations| {
                let mut time = std::time::Duration::ZERO;
                for _ in 0..iterations {
                    if let Some(current) = model.take() {
                        let grads = gradients(&current, batch.clone());
                        let begin = std::time::Instant::now();
                        model = Some(optimizer.step(0.001, current, grads));
                        time += begin.elapsed();
                    }
                }
                time
            });
        });
    }
    group.finish();
    Ok(())
}

/// An update of an average of the weights, in place of which there is nothing in a run without one.
fn average(criterion: &mut Criterion) -> Outcome {
    let mut group = criterion.benchmark_group("average");
    // Weights of two updates, as each update of the optimizer makes new ones.
    let models = [model(), model()];
    for (name, rule) in [("EMA", Rule::Ema(Ema::new(0.999))), ("SWA", Rule::Equal)] {
        let mut average = ModelAverage::new(rule, Statistics::Averaged, &models[0])?;
        let mut updates = 0;
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                updates += 1;
                average.update(&models[updates % 2])
            });
        });
    }
    group.finish();
    Ok(())
}

fn checkpoint(criterion: &mut Criterion) -> Outcome {
    let mut group = criterion.benchmark_group("checkpoint");
    let directory = tempfile::tempdir()?;
    let (model, mut optimizer) = (model(), fused_adam(&adam()));
    let batch = Mnist::bundled()?
        .train
        .batch(&[0, 1].map(Sample::new), &device())?;
    let grads = gradients(&model, batch);
    let model = optimizer.step(0.001, model, grads);
    let file = directory.path().join("model.bpk");
    group.bench_function("a model's file", |bencher| {
        bencher.iter(|| save_model(&file, &model));
    });
    let store = CheckpointStore::open(directory.path().join("checkpoint"), &[MODEL, OPTIM])?;
    let mut epoch = 0;
    group.bench_function("model and optimizer in the store", |bencher| {
        bencher.iter(|| -> Outcome {
            epoch += 1;
            let model = model.clone().into_record().into_bytes()?;
            store.save_part(epoch, MODEL, &model)?;
            let optimizer = optimizer.clone().into_bytes()?;
            Ok(store.save_part(epoch, OPTIM, &optimizer)?)
        });
    });
    group.finish();
    Ok(())
}

fn training(criterion: &mut Criterion) {
    for bench in [epoch, data, optimizer, average, checkpoint] {
        if let Err(error) = bench(criterion) {
            eprintln!("error: {error}");
            std::process::exit(1);
        }
    }
}

criterion_group!(benches, training);
criterion_main!(benches);
