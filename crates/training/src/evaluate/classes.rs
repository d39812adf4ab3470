//! A classifier's predictions for all samples of a loader.

use burn::data::dataloader::DataLoader;
use burn::module::Module;
use burn::train::{ClassificationOutput, InferenceStep};

use super::confusion_matrix::ConfusionMatrix;
use super::error::EvaluationError;
use super::prediction::classify;

/// Runs `model` over one epoch of `loader`, on the model's device and as in validation, and counts
/// what it predicts.
///
/// Any model works that the Learner can validate with a [`ClassificationOutput`], and any of Burn's
/// data loaders. For other models there is [`evaluate`](super::evaluate()).
///
/// ```no_run
/// use burn::data::dataloader::DataLoader;
/// use burn::module::Module;
/// use burn::train::{ClassificationOutput, InferenceStep};
/// use burn_lr_training::evaluate::{EvaluationError, confusion_matrix};
///
/// fn report<M>(model: &M, test: &dyn DataLoader<M::Input>) -> Result<(), EvaluationError>
/// where
///     M: Module + InferenceStep<Output = ClassificationOutput>,
/// {
///     println!("{}", confusion_matrix(model, test)?);
///     Ok(())
/// }
/// ```
///
/// # Errors
/// [`EvaluationError`] naming the batch, sample or class; [`EvaluationError::Empty`] if the loader
/// has no sample.
pub fn confusion_matrix<M>(
    model: &M,
    loader: &dyn DataLoader<M::Input>,
) -> Result<ConfusionMatrix, EvaluationError>
where
    M: Module + InferenceStep<Output = ClassificationOutput>,
{
    let model = model.valid();
    let device = model.devices().first().cloned().unwrap_or_default();
    let loader = loader.to_device(&device);
    let mut matrix: Option<ConfusionMatrix> = None;
    let mut samples = 0;
    for (batch, input) in loader.iter().enumerate() {
        let input = input.map_err(|source| EvaluationError::Data { batch, source })?;
        let ClassificationOutput {
            output, targets, ..
        } = model.step(input);
        let classes = output.dims()[1];
        let matrix = matrix.get_or_insert_with(|| ConfusionMatrix::new(classes));
        let predictions = classify(output).map_err(|error| after(error, batch, samples))?;
        let targets = targets.try_into_vec_as::<i64>();
        let targets = targets.map_err(|source| EvaluationError::Device { batch, source })?;
        samples += targets.len();
        for (target, prediction) in targets.into_iter().zip(predictions) {
            let class = usize::try_from(target).map_err(|_| EvaluationError::Class {
                classes,
                found: target,
            })?;
            matrix.add(class, prediction.class)?;
        }
    }
    matrix
        .filter(|matrix| matrix.total() > 0)
        .ok_or(EvaluationError::Empty)
}

/// The error of a batch, its place counted from the first.
fn after(error: EvaluationError, batch: usize, samples: usize) -> EvaluationError {
    match error {
        EvaluationError::NotFinite { sample, found } => EvaluationError::NotFinite {
            sample: samples + sample,
            found,
        },
        EvaluationError::Device { source, .. } => EvaluationError::Device { batch, source },
        other => other,
    }
}
