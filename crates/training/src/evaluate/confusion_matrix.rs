//! Predictions counted against the truth.

use serde::{Deserialize, Serialize};

use super::error::{EvaluationError, NotSquareError};

/// How often each class was predicted for the samples of each class.
///
/// It serializes as its rows, one a target.
///
/// ```
/// use burn_lr_training::evaluate::ConfusionMatrix;
///
/// let mut matrix = ConfusionMatrix::new(2);
/// for (target, predicted) in [(0, 0), (0, 0), (0, 1), (1, 1)] {
///     matrix.add(target, predicted)?;
/// }
/// assert_eq!(matrix.accuracy(), Some(0.75));
/// assert_eq!(matrix.recall(0), Some(2.0 / 3.0));
/// assert_eq!(matrix.precision(1), Some(0.5));
/// println!("{matrix}");
/// # Ok::<(), burn_lr_training::evaluate::EvaluationError>(())
/// ```
///
/// ```text
/// target \ predicted      0      1  accuracy
///                  0      2      1   66.67 %
///                  1      0      1  100.00 %
///     precision in %  100.0   50.0
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Vec<u64>>", into = "Vec<Vec<u64>>")]
pub struct ConfusionMatrix {
    classes: usize,
    /// Row by row, a row being a target.
    counts: Vec<u64>,
}

impl ConfusionMatrix {
    /// A matrix of zeros.
    pub fn new(classes: usize) -> Self {
        Self {
            classes,
            counts: vec![0; classes.saturating_mul(classes)],
        }
    }

    /// Counts a sample of class `target` for which `predicted` was predicted.
    ///
    /// # Errors
    /// [`EvaluationError::Class`] if there is no such class; nothing is counted then.
    pub fn add(&mut self, target: usize, predicted: usize) -> Result<(), EvaluationError> {
        for class in [target, predicted] {
            if class >= self.classes {
                return Err(EvaluationError::Class {
                    classes: self.classes,
                    found: i64::try_from(class).unwrap_or(i64::MAX),
                });
            }
        }
        self.counts[target * self.classes + predicted] += 1;
        Ok(())
    }

    /// How many classes there are.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// How many samples of class `target` were taken for `predicted`; 0 if there is no such class.
    pub fn count(&self, target: usize, predicted: usize) -> u64 {
        if target < self.classes && predicted < self.classes {
            self.counts[target * self.classes + predicted]
        } else {
            0
        }
    }

    /// All counts, row by row.
    pub(super) fn counts(&self) -> &[u64] {
        &self.counts
    }

    /// How many samples were counted.
    pub fn total(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// How many samples there are of `class`.
    pub fn samples(&self, class: usize) -> u64 {
        (0..self.classes)
            .map(|other| self.count(class, other))
            .sum()
    }

    /// How often `class` was predicted.
    pub fn predicted(&self, class: usize) -> u64 {
        (0..self.classes)
            .map(|other| self.count(other, class))
            .sum()
    }

    /// The fraction of all samples that were predicted right; nothing if there are none.
    pub fn accuracy(&self) -> Option<f64> {
        let right = (0..self.classes).map(|class| self.count(class, class));
        fraction(right.sum(), self.total())
    }

    /// The fraction of the samples of `class` that were predicted right, which is the accuracy of
    /// the class; nothing if it has no samples.
    pub fn recall(&self, class: usize) -> Option<f64> {
        fraction(self.count(class, class), self.samples(class))
    }

    /// The fraction of the predictions of `class` that were right; nothing if it was never
    /// predicted.
    pub fn precision(&self, class: usize) -> Option<f64> {
        fraction(self.count(class, class), self.predicted(class))
    }
}

fn fraction(part: u64, of: u64) -> Option<f64> {
    (of > 0).then(|| part as f64 / of as f64)
}

impl TryFrom<Vec<Vec<u64>>> for ConfusionMatrix {
    type Error = NotSquareError;

    fn try_from(rows: Vec<Vec<u64>>) -> Result<Self, Self::Error> {
        let classes = rows.len();
        match rows.iter().position(|row| row.len() != classes) {
            Some(row) => Err(NotSquareError {
                classes,
                row,
                found: rows[row].len(),
            }),
            None => Ok(Self {
                classes,
                counts: rows.concat(),
            }),
        }
    }
}

impl From<ConfusionMatrix> for Vec<Vec<u64>> {
    fn from(matrix: ConfusionMatrix) -> Self {
        let rows = matrix.counts.chunks_exact(matrix.classes.max(1));
        rows.map(<[u64]>::to_vec).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matrix(rows: &[&[u64]]) -> ConfusionMatrix {
        let rows: Vec<Vec<u64>> = rows.iter().map(|row| row.to_vec()).collect();
        rows.try_into().unwrap()
    }

    #[test]
    fn rates_of_a_known_matrix() {
        let matrix = matrix(&[&[8, 2, 0], &[1, 4, 0], &[0, 0, 0]]);
        assert_eq!((matrix.total(), matrix.classes()), (15, 3));
        assert_eq!(matrix.accuracy(), Some(12.0 / 15.0));
        assert_eq!(matrix.recall(0), Some(0.8));
        assert_eq!(matrix.precision(0), Some(8.0 / 9.0));
        assert_eq!(matrix.precision(1), Some(4.0 / 6.0));
        assert_eq!((matrix.recall(2), matrix.precision(2)), (None, None));
        assert_eq!((matrix.recall(3), matrix.count(0, 3)), (None, 0));
        assert_eq!(ConfusionMatrix::new(0).accuracy(), None);
    }

    #[test]
    fn a_class_that_there_is_not_is_refused() {
        let mut matrix = ConfusionMatrix::new(2);
        for (target, predicted) in [(2, 0), (0, 2)] {
            assert!(matches!(
                matrix.add(target, predicted),
                Err(EvaluationError::Class {
                    classes: 2,
                    found: 2
                })
            ));
        }
        assert_eq!(matrix, ConfusionMatrix::new(2));
    }

    #[test]
    fn it_serializes_as_its_rows() {
        let matrix = matrix(&[&[8, 2], &[1, 4]]);
        let json = serde_json::to_string(&matrix).unwrap();
        assert_eq!(json, "[[8,2],[1,4]]");
        assert_eq!(
            serde_json::from_str::<ConfusionMatrix>(&json).unwrap(),
            matrix
        );
        assert!(serde_json::from_str::<ConfusionMatrix>("[[1],[2,3]]").is_err());
    }
}
