//! The examples cnn and language_model: an epoch of updates as a bare loop over batches that are ready, and
//! through `Training` with all that the example asks for.
//!
//! ```sh
//! cargo bench --bench workloads
//! cargo bench --bench workloads -- cnn 5
//! ```
//!
//! Epochs take seconds, and take turns; so this has no harness but prints medians, and of how many rounds. `layers`
//! has what is Burn's in them.

use std::error::Error;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use burn::data::dataloader::DataLoader;
use burn::module::Module;
use burn::optim::{AdamWConfig, GradientsAccumulator, GradientsParams, ModuleOptimizer};
use burn::tensor::Device;
use burn::train::metric::{AccuracyMetric, LossMetric, PerplexityMetric};
use burn::train::{LearnerModel, TrainStep};
use burn_lr::mnist::Mnist;
use burn_lr::scheduler::Constant;
use burn_lr::training::Training;
use burn_lr::training::checkpoint::{CheckpointStore, MODEL, OPTIM};
use burn_lr::training::loader::EpochLoader;
use burn_lr::training::optim::{GradientClip, Group, Select, fused_adamw, without_decay};

#[path = "../examples/cnn"]
#[allow(dead_code, unused_imports)]
mod cnn {
    pub mod data;
    pub mod model;
}
#[path = "../examples/language_model"]
#[allow(dead_code, unused_imports)]
mod language_model {
    pub mod data;
    pub mod model;
}

use cnn::data::Shifted;
use cnn::model::Cnn;
use language_model::data::{Alphabet, Stretches, read};
use language_model::model::{Transformer, TransformerConfig};

/// The same for both, as the time of an activation depends on what it is given.
const LR: f64 = 0.001;
const SEED: u64 = 42;

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

fn main() {
    // Cargo adds --bench.
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|a| a != "--bench")
        .collect();
    let only = |name: &str| arguments.first().is_none_or(|first| first == name);
    let rounds = arguments.get(1).and_then(|n| n.parse().ok()).unwrap_or(3);
    let cnn = only("cnn").then(|| cnn_epochs(rounds)).transpose();
    let outcome = cnn.and_then(|_| {
        only("language_model")
            .then(|| language_model_epochs(rounds))
            .transpose()
    });
    if let Err(error) = outcome {
        eprintln!("error: {error}");
        std::process::exit(1);
    }
}

/// Processor seconds of this process and its threads, where Linux tells them in hundredths, or NaN.
fn processor() -> f64 {
    let fields = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // After the name, which may contain blanks, the 12th and 13th: in user and in kernel mode.
    let after = fields.rsplit(')').next().unwrap_or_default();
    let ticks = after.split_whitespace().skip(11).take(2);
    let ticks: Vec<f64> = ticks.filter_map(|n| n.parse().ok()).collect();
    match ticks[..] {
        [user, kernel] => (user + kernel) / 100.0,
        _ => f64::NAN,
    }
}

fn median(mut seconds: Vec<f64>) -> f64 {
    seconds.sort_by(f64::total_cmp);
    seconds[seconds.len() / 2]
}

/// Rounds of a bare loop, `Training`, the loader alone and a checkpoint, in turn.
struct Epochs<'a, M: LearnerModel> {
    name: &'a str,
    rounds: usize,
    model: &'a dyn Fn() -> M,
    loader: Arc<EpochLoader<<M as TrainStep>::Input>>,
    /// The loader without threads of its own.
    plain: EpochLoader<<M as TrainStep>::Input>,
    optimizer: &'a AdamWConfig,
    accumulation: usize,
    training: &'a dyn Fn(Arc<EpochLoader<<M as TrainStep>::Input>>) -> Outcome<Training<M>>,
}

impl<M> Epochs<'_, M>
where
    M: LearnerModel + TrainStep + Module + Clone + 'static,
    <M as TrainStep>::Input: Clone + Send + Sync + 'static,
{
    fn run(&self) -> Outcome {
        let device = Device::flex().autodiff();
        let plain = self.plain.to_device(&device);
        let batches: Vec<_> = plain.iter().flatten().collect();
        let directory = tempfile::tempdir()?;
        let store = CheckpointStore::open(directory.path(), &[MODEL, OPTIM])?;
        let mut times = [const { Vec::new() }; 7];
        for round in 1..=self.rounds {
            Device::flex().seed(SEED);
            let before = processor();
            let (model, optimizer, elapsed, updating) = self.bare(&batches);
            times[5].push(processor() - before);
            times[0].push(elapsed);
            times[1].push(updating);

            let begin = Instant::now();
            store.save_part(round, MODEL, &model.into_record().into_bytes()?)?;
            store.save_part(round, OPTIM, &optimizer.into_bytes()?)?;
            times[2].push(begin.elapsed().as_secs_f64());

            let begin = Instant::now();
            black_box(plain.iter().flatten().count());
            times[3].push(begin.elapsed().as_secs_f64());

            Device::flex().seed(SEED);
            let training = (self.training)(self.loader.clone())?;
            let before = processor();
            let trained = training.fit((self.model)())?;
            times[6].push(processor() - before);
            times[4].extend(trained.history.epochs.iter().map(|epoch| epoch.seconds));
        }
        println!(
            "{}, medians of {} with least and most, in seconds",
            self.name, self.rounds
        );
        let names = [
            "bare loop",
            "of it the optimizer",
            "a checkpoint",
            "all batches, made by one thread",
            "Training",
            "bare loop, processor",
            "Training, processor",
        ];
        for (name, seconds) in names.into_iter().zip(times) {
            let least = seconds.iter().copied().fold(f64::INFINITY, f64::min);
            let most = seconds.iter().copied().fold(0.0, f64::max);
            println!("  {name:<32} {:.4} {least:.4} {most:.4}", median(seconds));
        }
        Ok(())
    }

    /// The model and its optimizer after an epoch, its seconds, and those of them in the optimizer.
    fn bare(&self, batches: &[<M as TrainStep>::Input]) -> (M, ModuleOptimizer, f64, f64) {
        let mut model = (self.model)();
        let mut optimizer = fused_adamw(self.optimizer);
        let mut accumulator = GradientsAccumulator::new();
        let mut updating = 0.0;
        let begin = Instant::now();
        for (number, batch) in batches.iter().enumerate() {
            let mut grads: GradientsParams = TrainStep::step(&model, batch.clone()).grads;
            if self.accumulation > 1 {
                accumulator.accumulate(&model, grads);
                if !(number + 1).is_multiple_of(self.accumulation) && number + 1 < batches.len() {
                    continue;
                }
                grads = accumulator.grads();
            }
            let begin = Instant::now();
            model = optimizer.step(LR, model, grads);
            updating += begin.elapsed().as_secs_f64();
        }
        (model, optimizer, begin.elapsed().as_secs_f64(), updating)
    }
}

fn cnn_epochs(rounds: usize) -> Outcome {
    let mnist = Mnist::bundled()?;
    let loader = || EpochLoader::new(Shifted(mnist.train.clone()), 64).shuffled(SEED);
    let optimizer = AdamWConfig::new()
        .with_epsilon(1e-8)
        .with_weight_decay(0.01)
        .with_cautious_weight_decay(true);
    let directory = tempfile::tempdir()?;
    let runs = std::cell::Cell::new(0);
    Epochs::<Cnn> {
        name: "cnn",
        rounds,
        model: &|| Cnn::new(&Device::flex().autodiff()),
        loader: Arc::new(loader().workers(2)),
        plain: loader(),
        optimizer: &optimizer,
        accumulation: 1,
        training: &|loader| {
            runs.set(runs.get() + 1);
            let valid = EpochLoader::new(mnist.test.first(1), 1);
            Ok(
                Training::new(directory.path().join(runs.get().to_string()), loader, valid)
                    .optimizer(optimizer.clone())
                    .schedule(Constant::new(LR).per_update())
                    .epochs(1)
                    .metrics((LossMetric::new(), AccuracyMetric::new())),
            )
        },
    }
    .run()
}

fn language_model_epochs(rounds: usize) -> Outcome {
    let text = read(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../data/shakespeare/plays.txt.gz"
    ))?;
    let alphabet = Alphabet::of(&text);
    let mut text = alphabet.encode(&text);
    text.truncate(text.len() / 10 * 9);
    let config = TransformerConfig::new(alphabet.len());
    let stretches = Stretches::new(text, config.context);
    let one = Stretches::new((0..=64).collect(), config.context);
    let loader = || EpochLoader::new(stretches.clone(), 16).shuffled(SEED);
    let optimizer = AdamWConfig::new()
        .with_epsilon(1e-8)
        .with_beta_2(0.99)
        .with_weight_decay(0.1);
    let directory = tempfile::tempdir()?;
    let runs = std::cell::Cell::new(0);
    Epochs::<Transformer> {
        name: "language_model",
        rounds,
        model: &|| config.init(&Device::flex().autodiff()),
        loader: Arc::new(loader()),
        plain: loader(),
        optimizer: &optimizer,
        accumulation: 2,
        training: &|loader| {
            runs.set(runs.get() + 1);
            let valid = EpochLoader::new(one.clone(), 1);
            let embeddings = Select::regex("^(characters|positions)");
            Ok(
                Training::new(directory.path().join(runs.get().to_string()), loader, valid)
                    .optimizer(optimizer.clone())
                    .groups([
                        without_decay(),
                        Group::new("embeddings", embeddings).without_decay(),
                    ])
                    .schedule(Constant::new(LR).per_update())
                    .grads_accumulation(2)
                    .clip_gradients(GradientClip::norm(1.0))
                    .epochs(1)
                    .metrics((LossMetric::new(), PerplexityMetric::new())),
            )
        },
    }
    .run()
}
