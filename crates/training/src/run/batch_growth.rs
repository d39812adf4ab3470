//! Updates of more and more batches.

use serde::{Deserialize, Serialize};

use crate::TrainingError;

/// How many batches an update takes, as the run goes on: a batch that grows instead of a learning rate that falls.
///
/// The gradient of an update is the mean over its batches, so that it has one scale throughout; of the batches of
/// [`grads_accumulation`](crate::Training::grads_accumulation) it is the sum.
///
/// ```
/// use burn_lr_training::run::BatchGrowth;
///
/// // 1 batch, from update 1000 on 2, from update 3000 on 4.
/// let growth = BatchGrowth::by_updates([(0, 1), (1000, 2), (3000, 4)]);
/// assert_eq!([0, 999, 1000, 4000].map(|update| growth.batches(update, 0)), [1, 1, 2, 4]);
/// // From 1 batch to 5 over 6000 samples, 1 more at a time.
/// let ramp = BatchGrowth::ramp(1, 1, 5, 6000);
/// assert_eq!([0, 1499, 1500, 6000].map(|samples| ramp.batches(0, samples)), [1, 1, 2, 5]);
/// ```
///
/// From: Smith et al. 2018, [Don't decay the learning rate, increase the batch size](https://arxiv.org/abs/1711.00489);
/// [`ramp`](Self::ramp) is Megatron-LM's `--rampup-batch-size`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct BatchGrowth {
    /// What the stages begin after.
    pub counted: Counted,
    /// Where each stage begins, and how many batches an update of it has.
    pub stages: Vec<(u64, usize)>,
}

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Counted {
    /// Optimizer updates.
    Updates,
    /// Training samples, as the loader's progress counts them.
    Samples,
}

impl BatchGrowth {
    /// Stages that begin at those updates, counted from 0.
    pub fn by_updates(stages: impl IntoIterator<Item = (u64, usize)>) -> Self {
        Self {
            counted: Counted::Updates,
            stages: stages.into_iter().collect(),
        }
    }

    /// Stages that begin with the first update before which so many samples were trained on.
    pub fn by_samples(stages: impl IntoIterator<Item = (u64, usize)>) -> Self {
        Self {
            counted: Counted::Samples,
            stages: stages.into_iter().collect(),
        }
    }

    /// From `first` batches to `last`, `increment` more at a time, in stages of equal length over `samples`.
    ///
    /// `last` is the end also where the increments do not lead there.
    pub fn ramp(first: usize, increment: usize, last: usize, samples: u64) -> Self {
        let increment = increment.max(1);
        let steps = last.saturating_sub(first).div_ceil(increment);
        let stage = |step: usize| {
            // In two parts, which cannot overflow.
            let (whole, rest) = (samples / steps.max(1) as u64, samples % steps.max(1) as u64);
            let begin = whole * step as u64 + rest * step as u64 / steps.max(1) as u64;
            (
                begin,
                first
                    .saturating_add(step.saturating_mul(increment))
                    .min(last.max(first)),
            )
        };
        Self::by_samples((0..=steps).map(stage))
    }

    /// How many batches the update has before which so many `updates` and `samples` were had.
    pub fn batches(&self, updates: u64, samples: u64) -> usize {
        let had = match self.counted {
            Counted::Updates => updates,
            Counted::Samples => samples,
        };
        let begun = self.stages.partition_point(|&(begin, _)| begin <= had);
        let stage = self.stages.get(begun.saturating_sub(1));
        stage.map_or(1, |&(_, batches)| batches)
    }

    /// Whether its stages can be.
    ///
    /// # Errors
    /// [`TrainingError::Invalid`] if there are none, the first does not begin at 0, they do not follow each other, or one
    /// has updates without batches.
    pub(super) fn check(&self) -> Result<(), TrainingError> {
        let invalid = |expected, found: String| {
            Err(TrainingError::Invalid {
                name: "batch growth",
                expected,
                found,
            })
        };
        match self.stages.first() {
            None => return invalid("at least one stage", "none".to_owned()),
            Some(&(begin, _)) if begin > 0 => {
                return invalid("a first stage that begins at 0", begin.to_string());
            }
            Some(_) => {}
        }
        if let Some(pair) = self.stages.windows(2).find(|pair| pair[0].0 >= pair[1].0) {
            let found = format!("{} and then {}", pair[0].0, pair[1].0);
            return invalid("stages each of which begins later", found);
        }
        match self.stages.iter().find(|(_, batches)| *batches == 0) {
            Some((begin, _)) => invalid("at least 1 batch", format!("0, from {begin} on")),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ramp_is_megatrons() {
        // `start + int(consumed / (samples / steps)) * increment`.
        let ramp = BatchGrowth::ramp(2, 3, 14, 1000);
        for consumed in 0..1200 {
            let steps = (consumed as f64 / 250.0).floor().min(4.0) as usize;
            assert_eq!(ramp.batches(7, consumed), 2 + 3 * steps, "{consumed}");
        }
        assert_eq!(BatchGrowth::ramp(4, 1, 4, 100).stages, [(0, 4)]);
        assert_eq!(
            BatchGrowth::ramp(1, 2, 4, 10).stages,
            [(0, 1), (5, 3), (10, 4)]
        );
        assert_eq!(BatchGrowth::ramp(5, 1, 2, 10).stages, [(0, 5)]);
        let longest = BatchGrowth::ramp(1, 1, 3, u64::MAX);
        assert!(longest.check().is_ok());
        assert_eq!(longest.batches(0, u64::MAX), 3);
    }

    #[test]
    fn stages_that_cannot_be_are_refused() {
        for stages in [
            vec![],
            vec![(1, 1)],
            vec![(0, 1), (5, 2), (5, 3)],
            vec![(0, 1), (5, 0)],
        ] {
            let growth = BatchGrowth::by_updates(stages);
            assert!(
                matches!(growth.check(), Err(TrainingError::Invalid { .. })),
                "{growth:?}"
            );
        }
        assert!(BatchGrowth::by_samples([(0, 3), (7, 1)]).check().is_ok());
    }
}
