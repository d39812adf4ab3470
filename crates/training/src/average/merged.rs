//! The weighted mean of models.

use burn::module::Module;

use super::error::AverageError;
use super::fold::folded;
use super::slots::{check, slots, values};
use super::statistics::Statistics;

/// The mean of `models` with `coefficients` that add up to 1, such as those of a
/// [`Decay`](super::Decay). Running statistics are averaged as weights are; integers and booleans are
/// those of the last model.
///
/// ```
/// use burn::module::{Module, Param};
/// use burn::tensor::{Device, Tensor};
/// use burn_lr_training::average::{Decay, merged};
///
/// let device = Device::flex();
/// let model = |value: f32| Param::from_tensor(Tensor::<1>::full([2], value, &device));
/// let mean = merged([model(1.0), model(2.0), model(4.0)], &[0.5, 0.25, 0.25])?;
/// assert_eq!(mean.val().into_data().try_into_vec::<f32>()?, [2.0, 2.0]);
/// let decayed = merged([model(0.0), model(1.0)], &Decay::Linear.coefficients(2))?;
/// assert_eq!(decayed.val().into_data().try_into_vec::<f32>()?, [0.5, 0.5]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`AverageError::Weights`] if there are not as many coefficients as models, or one is negative, or they
/// do not add up to 1; [`AverageError::OtherModel`] if a model is of another make than the first;
/// [`AverageError::Coarse`] as for [`ModelAverage::new`](super::ModelAverage::new).
pub fn merged<M: Module>(
    models: impl IntoIterator<Item = M>,
    coefficients: &[f64],
) -> Result<M, AverageError> {
    merged_with(models, coefficients, Statistics::Averaged)
}

/// The same, with running statistics that are averaged, or those of the last model.
pub(crate) fn merged_with<M: Module>(
    models: impl IntoIterator<Item = M>,
    coefficients: &[f64],
    statistics: Statistics,
) -> Result<M, AverageError> {
    let models: Vec<M> = models.into_iter().collect();
    let wrong = || AverageError::Weights {
        models: models.len(),
        found: coefficients.to_vec(),
    };
    let sum: f64 = coefficients.iter().sum();
    let sound = coefficients.iter().all(|&share| share >= 0.0) && (sum - 1.0).abs() < 1e-6;
    if !sound || coefficients.len() != models.len() {
        return Err(wrong());
    }
    let mut pairs = models.iter().zip(coefficients);
    let (first, &coefficient) = pairs.next().ok_or_else(wrong)?;
    let mut mean = first.valid();
    let slots = slots(first, &values(&mean), statistics)?;
    let mut total = coefficient;
    for (model, coefficient) in pairs {
        let values = values(&model.valid());
        check(&slots, &values)?;
        total += coefficient;
        let share = if total > 0.0 {
            coefficient / total
        } else {
            1.0
        };
        mean = folded(mean, values, &slots, share);
    }
    Ok(mean)
}
