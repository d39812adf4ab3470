//! A model's metrics over all samples of a loader.

use burn::data::dataloader::DataLoader;
use burn::module::Module;
use burn::train::metric::MetricMetadata;
use burn::train::{InferenceStep, ItemLazy};

use super::error::EvaluationError;
use super::metric_set::MetricSet;
use crate::metrics::Metrics;

/// Runs `model` over one epoch of `loader`, on the model's device and as in validation, and gives
/// the value of each of `metrics` over all samples.
///
/// Any model works that the Learner can validate, with any of Burn's numeric metrics that its output
/// adapts to, one or a tuple of them, and any of Burn's data loaders. Metrics have the names and
/// units of the [history](crate::metrics::History): in lower case with underscores for blanks, and fractions
/// for what Burn gives in percent.
///
/// A metric that takes each batch for one value, as `LossMetric` does when the loss is a mean, is
/// weighed by the batches' samples, as the loader's progress counts them; by itself it would give a
/// short last batch the weight of a full one. A value that is not a number is given as it is: the
/// model's output was none, or the metric is not defined for these samples.
///
/// ```
/// use burn::data::dataloader::DataLoader;
/// use burn::module::Module;
/// use burn::tensor::Tensor;
/// use burn::train::metric::{Adaptor, LossInput, LossMetric};
/// use burn::train::{InferenceStep, ItemLazy};
/// use burn_lr_training::evaluate::{EvaluationError, evaluate};
///
/// fn test_loss<M>(model: &M, test: &dyn DataLoader<M::Input>) -> Result<f64, EvaluationError>
/// where
///     M: Module + InferenceStep,
///     M::Output: Adaptor<LossInput>,
/// {
///     let metrics = evaluate(model, test, LossMetric::new())?;
///     Ok(metrics["loss"])
/// }
/// ```
///
/// # Errors
/// [`EvaluationError`] naming the batch or metric; [`EvaluationError::Twice`] if two metrics have
/// the same name, [`EvaluationError::Empty`] if the loader has no sample.
pub fn evaluate<M, Kind>(
    model: &M,
    loader: &dyn DataLoader<M::Input>,
    metrics: impl MetricSet<M::Output, Kind>,
) -> Result<Metrics, EvaluationError>
where
    M: Module + InferenceStep,
{
    let mut measures = metrics.measures();
    let mut values = Metrics::new();
    for measure in &measures {
        let metric = measure.name();
        if values.insert(metric.clone(), f64::NAN).is_some() {
            return Err(EvaluationError::Twice { metric });
        }
    }

    let model = model.valid();
    let device = model.devices().first().cloned().unwrap_or_default();
    let loader = loader.to_device(&device);
    let mut batches = loader.iter();
    let (mut batch, mut visited) = (0, 0);
    while let Some(input) = batches.next() {
        let input = input.map_err(|source| EvaluationError::Data { batch, source })?;
        let progress = batches.progress();
        let samples = progress.items_processed.saturating_sub(visited).max(1);
        visited = progress.items_processed;
        let output = model.step(input).sync();
        let output = output.map_err(|error| EvaluationError::Device {
            batch,
            source: error.into(),
        })?;
        let metadata = MetricMetadata {
            progress,
            iteration: Some(batch + 1),
            lr: None,
        };
        for measure in &mut measures {
            let updated = measure.update(&output, &metadata, samples);
            updated.map_err(|source| EvaluationError::Metric {
                batch,
                metric: measure.name(),
                source,
            })?;
        }
        batch += 1;
    }
    let Some(last) = batch.checked_sub(1) else {
        return Err(EvaluationError::Empty);
    };
    for mut measure in measures {
        let metric = measure.name();
        let value = measure.value().map_err(|source| EvaluationError::Metric {
            batch: last,
            metric: metric.clone(),
            source,
        })?;
        values.insert(metric, value);
    }
    Ok(values)
}
