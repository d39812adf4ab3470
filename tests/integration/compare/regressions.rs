//! A task without accuracy.

use burn::data::dataset::DatasetError;
use burn::module::{Module, Param};
use burn::nn::Linear;
use burn::nn::loss::{MseLoss, Reduction};
use burn::tensor::{Device, Tensor};
use burn::train::metric::LossMetric;
use burn::train::{InferenceStep, RegressionOutput, TrainOutput, TrainStep};
use burn_lr::experiment::results::At;
use burn_lr::experiment::{Experiment, ExperimentError, Objective, Report, Setup};
use burn_lr::training::Training;
use burn_lr::training::device::Backend;
use burn_lr::training::loader::{BatchSource, EpochLoader, Sample};
use burn_lr::training::metrics::valid;
use tempfile::TempDir;

use super::constant;

#[derive(Module, Debug)]
struct Slope {
    linear: Linear,
}

impl InferenceStep for Slope {
    type Input = Tensor<2>;
    type Output = RegressionOutput;

    /// The second column is to be told from the first.
    fn step(&self, batch: Tensor<2>) -> RegressionOutput {
        let [inputs, targets] =
            [0..1, 1..2].map(|column| batch.clone().slice([0..batch.dims()[0], column]));
        let output = self.linear.forward(inputs);
        let loss = MseLoss::new().forward(output.clone(), targets.clone(), Reduction::Mean);
        RegressionOutput::new(loss, output, targets)
    }
}

impl TrainStep for Slope {
    type Input = Tensor<2>;
    type Output = RegressionOutput;

    fn step(&self, batch: Tensor<2>) -> TrainOutput<RegressionOutput> {
        let output = InferenceStep::step(self, batch);
        TrainOutput::new(self, output.loss.backward(), output)
    }
}

/// Points on a straight line.
struct Points;

impl BatchSource<Tensor<2>> for Points {
    fn len(&self) -> usize {
        40
    }

    fn batch(&self, samples: &[Sample], device: &Device) -> Result<Tensor<2>, DatasetError> {
        let rows = samples.iter().map(|sample| {
            let x = sample.index as f32 / 40.0;
            [x, 3.0 * x - 1.0]
        });
        let rows: Vec<f32> = rows.flatten().collect();
        Ok(Tensor::<1>::from_floats(rows.as_slice(), device).reshape([samples.len(), 2]))
    }
}

#[test]
fn the_best_of_three_regressions_is_chosen_and_shown() {
    let base = |setup: &Setup| {
        let train = EpochLoader::new(Points, 8).shuffled(setup.seed());
        let valid = EpochLoader::new(Points, 40);
        let training = Training::new(setup.directory(), train, valid).metrics((LossMetric::new(),));
        let device = Backend::Flex.device()?;
        // Not drawn: the device's generator serves the tests beside this one too.
        let seed = setup.seed() as f32;
        let weight = Tensor::<2>::from_floats([[0.1 * seed]], &device);
        let bias = Tensor::<1>::from_floats([-0.1 * seed], &device);
        let linear = Linear {
            weight: Param::from_tensor(weight),
            bias: Some(Param::from_tensor(bias)),
        };
        Ok((training, Slope { linear }))
    };
    let directory = TempDir::new().unwrap();
    let experiment = |objective| {
        Experiment::new(directory.path(), base)
            .candidates([
                constant("slow", 1e-4, 4),
                constant("right", 0.1, 4),
                constant("slower", 1e-5, 4),
            ])
            .seeds([1, 2])
            .objective(objective)
            .run()
    };
    let results = experiment(Objective::min(valid("loss"))).unwrap();
    assert_eq!(results.choose(At::Last).candidate, 1);
    assert_eq!(results.ranked(At::Last), [1, 0, 2]);
    let table = results.table();
    assert!(
        !table.contains("accuracy") && !table.contains(" - "),
        "{table}"
    );
    assert!(table.contains("Constant.lr"), "{table}");
    let page = Report::new(&results).to_html();
    assert!(page.contains("is <b>right</b>, with valid_loss "), "{page}");
    assert!(!page.contains('%') || !page.contains("- %"));
    assert!(matches!(
        experiment(Objective::max(valid("accuracy"))),
        Err(ExperimentError::MissingMetric { metric, .. }) if metric == "valid_accuracy"
    ));
}
