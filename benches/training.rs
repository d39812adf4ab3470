//! A training update of the experiment's network, on every backend that is compiled in.
//!
//! ```sh
//! cargo bench --bench training
//! cargo bench --bench training --features ndarray
//! ```

use burn::optim::GradientsParams;
use burn::train::TrainStep;
use burn_lr::model::MlpConfig;
use burn_lr::training::{Backend, BatchSource, Mnist, adam};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};

fn update(criterion: &mut Criterion) {
    let mnist = match Mnist::bundled() {
        Ok(mnist) => mnist,
        Err(error) => return eprintln!("{error}"),
    };
    let mut group = criterion.benchmark_group("forward, backward and Adam");
    for backend in Backend::compiled() {
        let Ok(device) = backend.device() else {
            continue;
        };
        let device = device.autodiff();
        for size in [64, 256, 1024] {
            let indices: Vec<usize> = (0..size).collect();
            let Ok(batch) = mnist.train.batch(&indices, &device) else {
                continue;
            };
            let mut optimizer = adam().init();
            let mut model = MlpConfig::new().init(&device);
            group.throughput(Throughput::Elements(size as u64));
            group.bench_function(format!("{backend}, batch {size}"), |bencher| {
                bencher.iter_batched(
                    || batch.clone(),
                    |batch| {
                        let grads: GradientsParams = TrainStep::step(&model, batch).grads;
                        model = optimizer.step(0.001, model.clone(), grads);
                    },
                    BatchSize::SmallInput,
                );
            });
        }
    }
    group.finish();
}

criterion_group!(benches, update);
criterion_main!(benches);
