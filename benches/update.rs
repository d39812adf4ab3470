//! Where the time of an update of the experiment goes, on flex: its matrix products alone, on one thread
//! and on two, and the update up to each of its parts.
//!
//! ```sh
//! cargo bench --bench update
//! ```
//!
//! A product is put on two threads by two halves of it in a batch, which flex computes side by side. What
//! that gains depends on whether the second thread is awake: `from outside` gives the work to a pool whose
//! threads have gone to sleep, `from within` is called on one of them, and `one awake` keeps the other one
//! looking for work.

use std::sync::atomic::{AtomicBool, Ordering};

use burn::module::Module;
use burn::nn::loss::CrossEntropyLossConfig;
use burn::optim::GradientsParams;
use burn::tensor::{Device, Distribution, Tensor};
use burn_lr::mnist::Mnist;
use burn_lr::model::{ClassificationBatch, Mlp, MlpConfig};
use burn_lr::training::loader::{BatchSource, Sample};
use burn_lr::training::optim::{adam, fused_adam};
use criterion::{Criterion, criterion_group, criterion_main};

const BATCH: usize = 64;
const INPUTS: usize = 784;
const HIDDEN: usize = 128;
const CLASSES: usize = 10;

fn random<const D: usize>(shape: [usize; D]) -> Tensor<D> {
    Tensor::random(shape, Distribution::Default, &Device::flex())
}

fn products(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("products, one thread");
    let (images, weights) = (random([BATCH, INPUTS]), random([INPUTS, HIDDEN]));
    let hidden = random([BATCH, HIDDEN]);
    group.bench_function("fc1, forward", |bencher| {
        bencher.iter(|| images.clone().matmul(weights.clone()));
    });
    group.bench_function("fc1, gradient of the weights", |bencher| {
        bencher.iter(|| images.clone().transpose().matmul(hidden.clone()));
    });
    let (last, logits) = (random([HIDDEN, CLASSES]), random([BATCH, CLASSES]));
    group.bench_function("fc2, all three", |bencher| {
        bencher.iter(|| {
            let forward = hidden.clone().matmul(last.clone());
            let of_weights = hidden.clone().transpose().matmul(logits.clone());
            let of_inputs = logits.clone().matmul(last.clone().transpose());
            (forward, of_weights, of_inputs)
        });
    });
    group.finish();
}

/// A benchmark's state stays on its thread, so that each has one of its own.
fn own() -> Criterion {
    Criterion::default().configure_from_args()
}

fn in_halves(_: &mut Criterion) {
    halves(&mut own(), "from outside");
    let Ok(pool) = rayon::ThreadPoolBuilder::new().num_threads(2).build() else {
        eprintln!("error: no threads");
        std::process::exit(1);
    };
    pool.install(|| halves(&mut own(), "from within"));
    let done = AtomicBool::new(false);
    let look = || {
        while !done.load(Ordering::Relaxed) {
            if rayon::yield_now() != Some(rayon::Yield::Executed) {
                std::hint::spin_loop();
            }
        }
    };
    pool.install(|| {
        rayon::scope(|scope| {
            scope.spawn(|_| look());
            halves(&mut own(), "one awake");
            done.store(true, Ordering::Relaxed);
        });
    });
}

fn halves(criterion: &mut Criterion, title: &str) {
    let mut group = criterion.benchmark_group(format!("products, two threads, {title}"));
    let images = random([BATCH, 2, INPUTS / 2]);
    let (weights, hidden) = (random([2, INPUTS / 2, HIDDEN]), random([1, BATCH, HIDDEN]));
    group.bench_function("fc1, forward", |bencher| {
        bencher.iter(|| images.clone().swap_dims(0, 1).matmul(weights.clone()));
    });
    group.bench_function("fc1, gradient of the weights", |bencher| {
        bencher.iter(|| images.clone().permute([1, 2, 0]).matmul(hidden.clone()));
    });
    group.finish();
}

fn batch_on(device: &Device) -> ClassificationBatch {
    let images: Vec<Sample> = (0..BATCH).map(Sample::new).collect();
    let batch = Mnist::bundled().map(|mnist| mnist.train.batch(&images, device));
    let Ok(Ok(batch)) = batch else {
        eprintln!("error: no images");
        std::process::exit(1);
    };
    batch
}

fn update(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("update, up to");
    let device = Device::flex().autodiff();
    let model: Mlp = MlpConfig::new().init(&device);
    let batch = batch_on(&device);
    let loss = |model: &Mlp, batch: ClassificationBatch| {
        let logits = model.forward(batch.inputs);
        let loss = CrossEntropyLossConfig::new().init(&logits.device());
        loss.forward(logits, batch.targets)
    };
    // Without gradients: a graph of which no gradients are taken is kept, and slows the next one down.
    let (plain, of_plain) = (model.valid(), batch_on(&Device::flex()));
    group.bench_function("logits, without gradients", |bencher| {
        bencher.iter(|| plain.forward(of_plain.inputs.clone()));
    });
    group.bench_function("loss, without gradients", |bencher| {
        bencher.iter(|| loss(&plain, of_plain.clone()));
    });
    group.bench_function("gradients", |bencher| {
        bencher
            .iter(|| GradientsParams::from_grads(loss(&model, batch.clone()).backward(), &model));
    });
    group.bench_function("weights", |bencher| {
        let mut optimizer = fused_adam(&adam());
        let mut current = Some(model.clone());
        bencher.iter(|| {
            if let Some(model) = current.take() {
                let grads = loss(&model, batch.clone()).backward();
                let grads = GradientsParams::from_grads(grads, &model);
                current = Some(optimizer.step(1e-5, model, grads));
            }
        });
    });
    group.finish();
}

criterion_group!(benches, products, in_halves, update);
criterion_main!(benches);
