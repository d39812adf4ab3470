//! What a classifier says of a sample.

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use super::error::EvaluationError;

/// The class that a model gives a sample.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Prediction {
    /// The most probable class; the first of several.
    pub class: usize,
    /// Its probability, 0 to 1.
    pub probability: f64,
    /// The probabilities of all classes, which sum to 1.
    pub probabilities: Vec<f64>,
}

impl Prediction {
    /// The prediction of one sample's logits, by a softmax that no finite logits overflow.
    fn new(logits: &[f32], sample: usize) -> Result<Self, EvaluationError> {
        // Minus infinity is a class ruled out, unless all are.
        let wrong = |logit: &&f32| logit.is_nan() || **logit == f32::INFINITY;
        let best = |best: (usize, f32), (class, logit): (usize, f32)| {
            if logit > best.1 { (class, logit) } else { best }
        };
        let logit = logits.iter().copied().enumerate();
        let (class, max) = logit.fold((0, f32::NEG_INFINITY), best);
        if let Some(&found) = logits.iter().find(wrong) {
            return Err(EvaluationError::NotFinite { sample, found });
        }
        if max == f32::NEG_INFINITY {
            return Err(EvaluationError::NotFinite { sample, found: max });
        }
        let exps: Vec<f64> = logits
            .iter()
            .map(|&logit| (f64::from(logit) - f64::from(max)).exp())
            .collect();
        let sum: f64 = exps.iter().sum();
        let probabilities: Vec<f64> = exps.into_iter().map(|exp| exp / sum).collect();
        Ok(Self {
            class,
            probability: probabilities[class],
            probabilities,
        })
    }

    /// The second most probable class and its probability, if there are two classes.
    pub fn runner_up(&self) -> Option<(usize, f64)> {
        let others = (0..).zip(self.probabilities.iter().copied());
        others
            .filter(|&(class, _)| class != self.class)
            .reduce(|best, other| if other.1 > best.1 { other } else { best })
    }
}

/// The predictions for logits `[batch, classes]`, a softmax each.
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use burn_lr_training::evaluate::classify;
///
/// let logits = Tensor::<2>::from_data([[0.0, 3.0f32.ln()]], &Device::default());
/// let predictions = classify(logits)?;
/// assert_eq!(predictions[0].class, 1);
/// assert!((predictions[0].probability - 0.75).abs() < 1e-6);
/// # Ok::<(), burn_lr_training::evaluate::EvaluationError>(())
/// ```
///
/// # Errors
/// [`EvaluationError::NotFinite`] if a logit is NaN or positive infinity, or all of a sample are
/// negative infinity; [`EvaluationError::Device`] if the device failed.
pub fn classify(logits: Tensor<2>) -> Result<Vec<Prediction>, EvaluationError> {
    let classes = logits.dims()[1];
    let read = logits.try_into_vec_as::<f32>();
    let logits = read.map_err(|source| EvaluationError::Device { batch: 0, source })?;
    (0..)
        .zip(logits.chunks_exact(classes.max(1)))
        .map(|(sample, logits)| Prediction::new(logits, sample))
        .collect()
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;

    fn predict(logits: &[f32]) -> Result<Prediction, EvaluationError> {
        let device = Device::default();
        let logits = Tensor::<1>::from_data(logits, &device).unsqueeze::<2>();
        classify(logits).map(|mut predictions| predictions.remove(0))
    }

    #[test]
    fn the_softmax_has_its_known_values() {
        // exp(1..=3) over their sum.
        let known = [
            0.090_030_573_170_380_46,
            0.244_728_471_054_797_65,
            0.665_240_955_774_821_9,
        ];
        for offset in [0.0, 1e4, -1e4] {
            let logits = [1.0 + offset, 2.0 + offset, 3.0 + offset];
            let prediction = predict(&logits).unwrap();
            for (probability, known) in prediction.probabilities.iter().zip(known) {
                assert!((probability - known).abs() < 1e-15, "{prediction:?}");
            }
            assert_eq!(prediction.class, 2);
            assert_eq!(prediction.probability, prediction.probabilities[2]);
            assert_eq!(prediction.runner_up().unwrap().0, 1);
        }
    }

    #[test]
    fn extreme_logits_stay_probabilities() {
        let extreme = predict(&[f32::MAX, f32::MIN, f32::NEG_INFINITY]).unwrap();
        assert_eq!(extreme.probabilities, [1.0, 0.0, 0.0]);
        let tie = predict(&[5.0, 5.0]).unwrap();
        assert_eq!((tie.class, tie.probability), (0, 0.5));
        assert_eq!(tie.runner_up(), Some((1, 0.5)));
        assert_eq!(predict(&[7.0]).unwrap().runner_up(), None);
    }

    #[test]
    fn logits_without_a_largest_are_refused() {
        let none = f32::NEG_INFINITY;
        for logits in [[0.0, f32::NAN], [f32::INFINITY, 0.0], [none, none]] {
            let refused = predict(&logits);
            assert!(matches!(
                refused,
                Err(EvaluationError::NotFinite { sample: 0, .. })
            ));
        }
    }
}
