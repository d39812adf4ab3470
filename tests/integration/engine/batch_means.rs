//! What a loss of the history is the mean of.

use burn::data::dataloader::DataLoader;
use burn::module::Module;
use burn::train::metric::LossMetric;
use burn::train::{InferenceStep, LearnerModel, RegressionOutput, TrainOutput, TrainStep};
use burn_lr::training::Training;
use burn_lr::training::evaluate::evaluate;
use burn_lr::training::loader::EpochLoader;
use tempfile::TempDir;

use super::net::Net;
use crate::common::line::{Points, Slope};

/// Reports the loss of a batch once for each of its samples.
#[derive(Module, Debug)]
struct PerSample {
    net: Net,
}

fn expanded(output: RegressionOutput) -> RegressionOutput {
    let [samples, _] = output.output.dims();
    let loss = output.loss.detach().expand([samples]);
    RegressionOutput::new(loss, output.output, output.targets)
}

impl TrainStep for PerSample {
    type Input = Points;
    type Output = RegressionOutput;

    fn step(&self, points: Points) -> TrainOutput<RegressionOutput> {
        let step = TrainStep::step(&self.net, points);
        TrainOutput {
            grads: step.grads,
            item: expanded(step.item),
        }
    }
}

impl InferenceStep for PerSample {
    type Input = Points;
    type Output = RegressionOutput;

    fn step(&self, points: Points) -> RegressionOutput {
        expanded(InferenceStep::step(&self.net, points))
    }
}

fn history_and_evaluation<M>(model: M) -> (f64, f64, M)
where
    M: LearnerModel
        + TrainStep<Input = Points, Output = RegressionOutput>
        + InferenceStep<Input = Points, Output = RegressionOutput>,
{
    let directory = TempDir::new().unwrap();
    // 40 points: the last batch is half as long as the others.
    let valid = || EpochLoader::new(Slope, 16);
    let trained = Training::new(directory.path(), EpochLoader::new(Slope, 8), valid())
        .metrics((LossMetric::new(),))
        .fit(model)
        .unwrap();
    let loss = evaluate(&trained.model, &valid(), LossMetric::new()).unwrap()["loss"];
    (trained.history.epochs[0].valid("loss"), loss, trained.model)
}

#[test]
fn a_scalar_loss_weighs_batches_alike_and_one_per_sample_weighs_samples_alike() {
    let (history, evaluated, net) = history_and_evaluation(Net::new(1));
    let batches = EpochLoader::new(Slope, 16);
    let loss = |batch| InferenceStep::step(&net, batch).loss.into_scalar::<f64>();
    let losses: Vec<f64> = batches.iter().map(|batch| loss(batch.unwrap())).collect();
    assert_eq!(losses.len(), 3);
    assert!((history - losses.iter().sum::<f64>() / 3.0).abs() < 1e-6);
    assert!((history - evaluated).abs() > 1e-3, "{history} {evaluated}");

    let (history, again, _) = history_and_evaluation(PerSample { net: Net::new(1) });
    assert!((history - again).abs() < 1e-6, "{history} {again}");
    assert!((again - evaluated).abs() < 1e-6, "{again} {evaluated}");
}
