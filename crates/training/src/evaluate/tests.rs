use std::sync::Arc;

use burn::data::dataloader::DataLoader;
use burn::data::dataset::DatasetError;
use burn::module::{Module, Param};
use burn::nn::{Dropout, DropoutConfig};
use burn::tensor::{Device, ExecutionError, Int, Tensor, TensorReadError};
use burn::train::metric::state::{FormatOptions, NumericMetricState};
use burn::train::metric::{
    AccuracyMetric, Adaptor, LossInput, LossMetric, Metric, MetricMetadata, MetricName, Numeric,
    NumericEntry, SerializedEntry, TopKAccuracyMetric,
};
use burn::train::{ClassificationOutput, InferenceStep, ItemLazy};

use super::*;
use crate::loader::{BatchSource, EpochLoader, Sample};

/// Samples of which each has its logits and its class.
#[derive(Clone)]
struct Answers(Vec<([f32; 3], i64)>);

impl BatchSource<(Tensor<2>, Tensor<1, Int>)> for Answers {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn batch(
        &self,
        samples: &[Sample],
        device: &Device,
    ) -> Result<(Tensor<2>, Tensor<1, Int>), DatasetError> {
        let rows = samples.iter().map(|sample| self.0[sample.index]);
        let (logits, classes): (Vec<[f32; 3]>, Vec<i64>) = rows.unzip();
        if classes.contains(&99) {
            return Err(DatasetError::new(std::io::Error::other("unreadable")));
        }
        let logits = Tensor::<1>::from_data(logits.as_flattened(), device);
        let logits = logits.reshape([samples.len(), 3]);
        Ok((logits, Tensor::from_data(&classes[..], device)))
    }
}

/// Gives the logits that it is given; in training it would drop most of them.
#[derive(Module, Debug)]
struct Echo {
    one: Param<Tensor<1>>,
    dropout: Dropout,
}

impl Echo {
    fn new(device: &Device) -> Self {
        Self {
            one: Param::from_tensor(Tensor::ones([1], device)),
            dropout: DropoutConfig::new(0.9).init(),
        }
    }
}

impl InferenceStep for Echo {
    type Input = (Tensor<2>, Tensor<1, Int>);
    type Output = ClassificationOutput;

    fn step(&self, (logits, targets): Self::Input) -> ClassificationOutput {
        let output = self.dropout.forward(logits * self.one.val().unsqueeze());
        // The mean over the batch, as most losses are.
        let loss = output.clone().narrow(1, 0, 1).mean();
        ClassificationOutput::new(loss, output, targets)
    }
}

/// Logits of which the first is the sample's number and the greatest is `guess`'s.
fn sample(number: u8, guess: usize, class: i64) -> ([f32; 3], i64) {
    let number = f32::from(number);
    let mut logits = [number, 0.0, 0.0];
    logits[guess] += 2.0 * number + 1.0;
    (logits, class)
}

fn loader(samples: &[([f32; 3], i64)], size: usize) -> EpochLoader<(Tensor<2>, Tensor<1, Int>)> {
    EpochLoader::new(Answers(samples.to_vec()), size)
}

fn five() -> [([f32; 3], i64); 5] {
    [
        sample(0, 1, 1),
        sample(1, 1, 1),
        sample(2, 2, 0),
        sample(3, 1, 2),
        sample(14, 2, 2),
    ]
}

#[test]
fn every_sample_weighs_the_same_whatever_the_batches_are() {
    let model = Echo::new(&Device::default());
    for size in 1..=6 {
        for workers in [0, 2] {
            let loader = loader(&five(), size).workers(workers);
            let metrics = (
                LossMetric::new(),
                AccuracyMetric::new(),
                TopKAccuracyMetric::new(2),
            );
            let values = evaluate(&model, &loader, metrics).unwrap();
            let expected = [
                ("accuracy", 0.6),
                ("loss", 4.0),
                ("top-k_accuracy_@_topk(2)", 0.8),
            ];
            assert_eq!(values.len(), expected.len());
            for ((name, value), (expected, of)) in values.iter().zip(expected) {
                assert_eq!(name, expected);
                assert!(
                    (value - of).abs() < 1e-6,
                    "{name} {value}, batches of {size}"
                );
            }
        }
    }
}

#[test]
fn a_single_metric_needs_no_tuple() {
    let model = Echo::new(&Device::default());
    let values = evaluate(&model, &loader(&five(), 2), AccuracyMetric::new()).unwrap();
    assert_eq!(
        values.into_iter().collect::<Vec<_>>(),
        [("accuracy".to_owned(), 0.6)]
    );
}

#[test]
fn a_model_that_was_trained_is_evaluated_as_in_validation() {
    let model = Echo::new(&Device::default().autodiff()).train();
    let loss = evaluate(&model, &loader(&five(), 2), LossMetric::new()).unwrap()["loss"];
    assert_eq!(loss, 4.0);
    assert_eq!(
        confusion_matrix(&model, &loader(&five(), 2))
            .unwrap()
            .total(),
        5
    );
}

/// A model without classes, whose output is known to the loss alone.
#[derive(Module, Debug)]
struct Mean {
    one: Param<Tensor<1>>,
}

struct Loss(Tensor<1>);

impl ItemLazy for Loss {
    fn sync(self) -> Result<Self, ExecutionError> {
        Ok(self)
    }
}

impl Adaptor<LossInput> for Loss {
    fn adapt(&self) -> LossInput {
        LossInput::new(self.0.clone())
    }
}

impl InferenceStep for Mean {
    type Input = (Tensor<2>, Tensor<1, Int>);
    type Output = Loss;

    fn step(&self, (logits, _): Self::Input) -> Loss {
        // One loss for each sample, which the metric weighs by itself.
        let rows = logits.dims()[0];
        Loss(logits.narrow(1, 0, 1).reshape([rows]) * self.one.val())
    }
}

#[test]
fn a_model_need_not_be_a_classifier() {
    let one = Param::from_tensor(Tensor::ones([1], &Device::default()));
    let loss = evaluate(&Mean { one }, &loader(&five(), 3), (LossMetric::new(),)).unwrap()["loss"];
    assert!((loss - 4.0).abs() < 1e-6);
}

#[test]
fn a_metric_that_is_no_number_is_given_as_it_is() {
    let model = Echo::new(&Device::default());
    let mut samples = five();
    samples[2].0[0] = f32::NAN;
    let metrics = (LossMetric::new(), AccuracyMetric::new());
    let values = evaluate(&model, &loader(&samples, 2), metrics).unwrap();
    assert!(values["loss"].is_nan());
    let refused = confusion_matrix(&model, &loader(&samples, 2));
    assert!(matches!(
        refused,
        Err(EvaluationError::NotFinite { sample: 2, .. })
    ));
}

#[test]
fn what_cannot_be_evaluated_is_refused() {
    let model = Echo::new(&Device::default());
    let none = loader(&[], 2);
    let refused = evaluate(&model, &none, LossMetric::new());
    assert!(matches!(refused, Err(EvaluationError::Empty)));
    assert!(matches!(
        confusion_matrix(&model, &none),
        Err(EvaluationError::Empty)
    ));

    let mut samples = five();
    samples[3].1 = 99;
    let unreadable = loader(&samples, 2);
    let refused = evaluate(&model, &unreadable, LossMetric::new());
    assert!(matches!(
        refused,
        Err(EvaluationError::Data { batch: 1, .. })
    ));
    let refused = confusion_matrix(&model, &unreadable);
    assert!(matches!(
        refused,
        Err(EvaluationError::Data { batch: 1, .. })
    ));

    for class in [-1, 3] {
        samples[3].1 = class;
        let refused = confusion_matrix(&model, &loader(&samples, 2));
        assert!(matches!(
            refused,
            Err(EvaluationError::Class { classes: 3, found }) if found == class
        ));
    }

    let twice = (LossMetric::new(), AccuracyMetric::new(), LossMetric::new());
    let refused = evaluate(&model, &loader(&five(), 2), twice);
    assert!(matches!(refused, Err(EvaluationError::Twice { metric }) if metric == "loss"));
}

/// Fails at an update, or at the end.
#[derive(Clone)]
struct Failing(Option<usize>, NumericMetricState);

impl Metric for Failing {
    type Input = ();

    fn name(&self) -> MetricName {
        Arc::new("Not There".to_owned())
    }

    fn update(
        &mut self,
        _: &(),
        metadata: &MetricMetadata,
    ) -> Result<SerializedEntry, TensorReadError> {
        if metadata.iteration == self.0 {
            return Err(ExecutionError::with_context("failed".to_owned()).into());
        }
        self.1.update(1.0, 1);
        Ok(self.1.compute_update(FormatOptions::new(self.name())))
    }

    fn compute(&mut self) -> Result<SerializedEntry, TensorReadError> {
        Err(ExecutionError::with_context("failed".to_owned()).into())
    }

    fn clear(&mut self) {
        self.1.reset();
    }
}

impl Numeric for Failing {
    fn value(&self) -> Option<NumericEntry> {
        Some(self.1.current_value())
    }

    fn running_value(&self) -> Option<NumericEntry> {
        Some(self.1.running_value())
    }

    fn final_value(&self) -> NumericEntry {
        self.1.final_value()
    }
}

#[test]
fn a_metric_that_fails_is_named_with_its_batch() {
    let model = Echo::new(&Device::default());
    for (at, expected) in [(Some(2), 1), (None, 2)] {
        let metric = Failing(at, NumericMetricState::new());
        match evaluate(&model, &loader(&five(), 2), metric) {
            Err(EvaluationError::Metric { batch, metric, .. }) => {
                assert_eq!((batch, &metric[..]), (expected, "not_there"));
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn every_sample_is_counted_for_its_class() {
    let model = Echo::new(&Device::default());
    for size in [1, 2, 5, 9] {
        let matrix = confusion_matrix(&model, &loader(&five(), size)).unwrap();
        assert_eq!(
            Vec::<Vec<u64>>::from(matrix),
            [[0, 0, 1], [0, 2, 0], [0, 1, 1]]
        );
    }
}

#[test]
fn a_loader_of_burns_own_does_too() {
    use burn::data::dataloader::DataLoaderBuilder;
    use burn::data::dataloader::batcher::Batcher;
    use burn::data::dataset::InMemDataset;

    struct Rows;

    impl Batcher<([f32; 3], i64), (Tensor<2>, Tensor<1, Int>)> for Rows {
        fn batch(
            &self,
            items: Vec<([f32; 3], i64)>,
            device: &Device,
        ) -> (Tensor<2>, Tensor<1, Int>) {
            let samples: Vec<Sample> = (0..items.len()).map(Sample::new).collect();
            Answers(items).batch(&samples, device).unwrap()
        }
    }

    let model = Echo::new(&Device::default());
    for workers in [0, 2] {
        let loader: Arc<dyn DataLoader<_>> = DataLoaderBuilder::new(Rows)
            .batch_size(2)
            .num_workers(workers)
            .build(InMemDataset::new(five().to_vec()));
        let loss = evaluate(&model, &*loader, LossMetric::new()).unwrap()["loss"];
        assert!((loss - 4.0).abs() < 1e-6, "{workers} workers: {loss}");
    }
}
