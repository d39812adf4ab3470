//! Running statistics of averages in runs.

use std::path::Path;

use burn::module::Module;
use burn::nn::{BatchNorm, BatchNormConfig, Linear};
use burn::tensor::Tensor;
use burn::train::metric::LossMetric;
use burn::train::{InferenceStep, Interrupter, RegressionOutput, TrainOutput, TrainStep};
use burn_lr::training::average::{Average, Decay, Statistics};
use burn_lr::training::loader::EpochLoader;
use burn_lr::training::storage::load_model;
use burn_lr::training::{Training, TrainingError};
use tempfile::TempDir;

use crate::common::line::{Points, Slope};
use crate::common::stopping::stopping_after;
use crate::engine::net::{EPOCHS, Net, on_points, values};

/// `second(norm(first(x)))`. Nothing in it draws random numbers, which other tests draw too.
#[derive(Module, Debug)]
pub struct Normed {
    pub first: Linear,
    norm: BatchNorm,
    second: Linear,
}

impl Normed {
    pub fn new(number: usize) -> Self {
        let Net { first, second, .. } = Net::new(number);
        Self {
            first,
            norm: BatchNormConfig::new(4).init(&Default::default()),
            second,
        }
    }

    fn regress(&self, points: Points) -> RegressionOutput {
        let hidden: Tensor<2> = self.norm.forward(self.first.forward(points.x));
        let output = self.second.forward(hidden);
        let loss = (output.clone() - points.y.clone()).square().mean();
        RegressionOutput::new(loss, output, points.y)
    }

    pub fn statistics(&self) -> Vec<f32> {
        let [mean, var] = [&self.norm.running_mean, &self.norm.running_var].map(|s| s.value());
        let values = [mean, var].map(|value| value.into_data().try_into_vec::<f32>().unwrap());
        values.concat()
    }
}

impl TrainStep for Normed {
    type Input = Points;
    type Output = RegressionOutput;

    fn step(&self, points: Points) -> TrainOutput<RegressionOutput> {
        let output = self.regress(points);
        TrainOutput::new(self, output.loss.backward(), output)
    }
}

impl InferenceStep for Normed {
    type Input = Points;
    type Output = RegressionOutput;

    fn step(&self, points: Points) -> RegressionOutput {
        self.regress(points)
    }
}

fn averaging(directory: &Path, statistics: Statistics) -> Training<Normed> {
    let average = Average::swa().after_epochs(1).statistics(statistics);
    on_points(directory).average(average).strict(true)
}

const ALL: [Statistics; 3] = [
    Statistics::Averaged,
    Statistics::Copied,
    Statistics::Recomputed,
];

#[test]
fn they_are_averaged_copied_or_computed_anew() {
    let directories = ALL.map(|_| TempDir::new().unwrap());
    let mut trained = Vec::new();
    for (directory, statistics) in directories.iter().zip(ALL) {
        let run = averaging(directory.path(), statistics).fit(Normed::new(1));
        trained.push(run.unwrap());
    }
    // The run itself is the same, whatever becomes of the average.
    let weights: Vec<_> = trained.iter().map(|run| values(&run.model)).collect();
    assert_eq!(weights[0], weights[1]);
    assert_eq!(weights[0], weights[2]);
    let average = |number: usize| trained[number].average.as_ref().unwrap();
    let weights = |number: usize| values(&average(number).first);
    assert_eq!(weights(0), weights(1));
    assert_eq!(weights(0), weights(2));

    let [averaged, copied, recomputed] = [0, 1, 2].map(|number| average(number).statistics());
    assert_eq!(copied, trained[0].model.statistics());
    assert_ne!(averaged, copied);
    // The points are those of -1 to 1: what the averaged layer makes of them can be said. The batches
    // are of equal size, so that the mean over them is that over all.
    let layer = &average(2).first;
    let weight = layer
        .weight
        .val()
        .into_data()
        .try_into_vec::<f32>()
        .unwrap();
    let bias = layer.bias.as_ref().unwrap().val().into_data();
    let bias = bias.try_into_vec::<f32>().unwrap();
    let mean_x = (0..40).map(|i| i as f32 / 20.0 - 1.0).sum::<f32>() / 40.0;
    for (feature, mean) in recomputed[..4].iter().enumerate() {
        let expected = weight[feature] * mean_x + bias[feature];
        assert!((mean - expected).abs() < 1e-5, "{mean} for {expected}");
    }
}

#[test]
fn those_of_a_mean_of_checkpoints_are_copied_too() {
    let directory = TempDir::new().unwrap();
    let average = Average::checkpoints(2, Decay::Linear).statistics(Statistics::Copied);
    let training = on_points::<Normed>(directory.path()).average(average);
    let trained = training.fit(Normed::new(1)).unwrap();
    let average = trained.average.unwrap();
    assert_eq!(average.statistics(), trained.model.statistics());
    assert_ne!(values(&average.first), values(&trained.model.first));
}

#[test]
fn the_models_own_are_of_all_updates_where_only_the_average_is_validated() {
    let statistics = [2, 3, 1].map(|every| {
        let directory = TempDir::new().unwrap();
        let average = Average::ema(0.9).every_updates(every);
        let training = on_points::<Normed>(directory.path()).average(average);
        let trained = training.fit(Normed::new(1)).unwrap();
        let last = load_model(&directory.path().join("final.bpk"), Normed::new(2)).unwrap();
        assert_eq!(last.statistics(), trained.model.statistics());
        trained.model.statistics()
    });
    assert_eq!(statistics[0], statistics[2]);
    assert_eq!(statistics[1], statistics[2]);
}

#[test]
fn a_stop_while_they_are_computed_is_a_stop() {
    // An epoch has five batches, of which the next one is computed on.
    for batches in [5, 6, 7, 9] {
        let directory = TempDir::new().unwrap();
        let (train, interrupter) = stopping_after(batches);
        let average = Average::ema(0.9).statistics(Statistics::Recomputed);
        let stopped = Training::new(directory.path(), train, EpochLoader::new(Slope, 20))
            .metrics((LossMetric::new(),))
            .interrupter(interrupter)
            .average(average)
            .fit(Normed::new(1));
        assert!(
            matches!(stopped, Err(TrainingError::Interrupted { .. })),
            "{stopped:?}"
        );
    }
}

#[test]
fn a_stop_changes_no_bit_of_them() {
    for statistics in ALL {
        let whole = TempDir::new().unwrap();
        let run = averaging(whole.path(), statistics).fit(Normed::new(1));
        let expected = values(&run.unwrap().average.unwrap());
        for stop in 1..EPOCHS {
            let parts = TempDir::new().unwrap();
            let (interrupter, handle) = (Interrupter::new(), Interrupter::new());
            let stopping = averaging(parts.path(), statistics)
                .interrupter(interrupter.clone())
                .on_epoch(move |epoch| {
                    if epoch.epoch == stop {
                        interrupter.stop(Some("a test"));
                    }
                });
            let stopped = stopping.fit(Normed::new(1));
            assert!(matches!(stopped, Err(TrainingError::Interrupted { .. })));
            let resumed = averaging(parts.path(), statistics).interrupter(handle);
            let average = resumed.fit(Normed::new(2)).unwrap().average.unwrap();
            assert_eq!(values(&average), expected, "{statistics:?} after {stop}");
        }
    }
}
