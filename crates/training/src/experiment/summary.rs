//! What the trials of a candidate have in common.

use serde::Serialize;

use super::candidate::Candidate;
use super::target::{Target, Verdict};
use super::trial::Trial;
use crate::checkpoint::Best;
use crate::history::EpochRecord;

/// A mean with its spread over seeds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Stat {
    /// The mean; NaN if there is no value.
    pub mean: f64,
    /// The sample standard deviation, with n - 1; NaN if there are fewer than two values.
    pub sd: f64,
    /// How many values there are.
    pub n: usize,
}

impl Stat {
    /// The mean and spread of `values`.
    pub fn of(values: impl IntoIterator<Item = f64>) -> Self {
        let values: Vec<f64> = values.into_iter().collect();
        let n = values.len();
        let mean = values.iter().sum::<f64>() / n as f64;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        let sd = match n {
            0 | 1 => f64::NAN,
            n => (squares / (n - 1) as f64).sqrt(),
        };
        Self { mean, sd, n }
    }

    /// The mean and, if there is one, the spread, both times `scale`, as in `0.97 ± 0.02`; `-` if
    /// there is no mean.
    pub fn text(&self, scale: f64, digits: usize) -> String {
        let (mean, sd) = (scale * self.mean, scale * self.sd);
        match (mean.is_nan(), sd > 0.0) {
            (true, _) => "-".to_owned(),
            (false, false) => format!("{mean:.digits$}"),
            (false, true) => format!("{mean:.digits$} ± {sd:.digits$}"),
        }
    }

    /// As [`text`](Self::text), for numbers of any magnitude, as in `2.5e-3`.
    pub fn scientific(&self) -> String {
        match (self.mean.is_nan(), self.sd > 1e-9 * self.mean.abs()) {
            (true, _) => "-".to_owned(),
            (false, false) => format!("{:.2e}", self.mean),
            (false, true) => format!("{:.2e} ± {:.0e}", self.mean, self.sd),
        }
    }
}

/// The epoch of a trial that is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum At {
    /// The last one.
    Last,
    /// The best one by the experiment's measure, the validation loss by default. It was chosen by
    /// its validation metrics, which are better than those on unseen data for that.
    Best,
}

/// The figures of a candidate at one epoch of each trial, over the seeds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Figures {
    /// Training accuracy as the epoch's running mean, 0 to 1.
    pub train_accuracy: Stat,
    /// Validation accuracy, 0 to 1.
    pub valid_accuracy: Stat,
    /// Training loss as the epoch's running mean.
    pub train_loss: Stat,
    /// Validation loss.
    pub valid_loss: Stat,
    /// Training minus validation accuracy.
    pub accuracy_gap: Stat,
    /// Validation minus training loss.
    pub loss_gap: Stat,
    /// How far each seed is from the target: 0 if it is met.
    pub distance: Stat,
    /// Whether the target is met.
    pub verdict: Verdict,
}

/// What the trials of a candidate led to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    /// The candidate.
    pub candidate: Candidate,
    /// The seeds whose trials were completed.
    pub seeds: Vec<u64>,
    /// The seeds whose trials failed, with the errors.
    pub failed: Vec<(u64, String)>,
    /// The figures of the last epoch.
    pub last: Figures,
    /// The figures of the best epoch.
    pub best: Figures,
    /// The best epoch.
    pub best_epoch: Stat,
    /// The epochs in which every seed's trial met the target.
    pub epochs_met: Vec<usize>,
    /// The learning rate of the last update.
    pub final_lr: Stat,
    /// How often a plateau cut the learning rate.
    pub cuts: Stat,
    /// Seconds that the epochs of a trial took, beside whatever else was running.
    pub seconds: Stat,
}

impl Summary {
    /// The figures of the last or the best epoch.
    pub fn at(&self, at: At) -> &Figures {
        match at {
            At::Last => &self.last,
            At::Best => &self.best,
        }
    }

    pub(super) fn new(
        candidate: &Candidate,
        trials: &[&Trial],
        target: &Target,
        best: &Best,
    ) -> Self {
        let finished: Vec<&&Trial> = trials.iter().filter(|t| t.last().is_some()).collect();
        let epochs = |at| {
            finished
                .iter()
                .filter_map(move |t| Some((t.seed, epoch(t, at, best)?)))
        };
        let over = |value: fn(&Trial) -> f64| Stat::of(finished.iter().map(|trial| value(trial)));
        let [mut last, mut best_figures] =
            [At::Last, At::Best].map(|at| Figures::new(epochs(at), target));
        // A seed whose trial failed did not meet the target.
        if finished.len() < trials.len() {
            last.verdict.every_seed = false;
            best_figures.verdict.every_seed = false;
        }
        Self {
            candidate: candidate.clone(),
            seeds: finished.iter().map(|trial| trial.seed).collect(),
            failed: trials
                .iter()
                .filter_map(|trial| Some((trial.seed, trial.error()?.to_owned())))
                .collect(),
            last,
            best: best_figures,
            best_epoch: Stat::of(epochs(At::Best).map(|(_, epoch)| epoch.epoch as f64)),
            epochs_met: (1..=candidate.epochs)
                .filter(|&number| {
                    let met = |trial: &&&Trial| {
                        let epochs = trial.history().map_or(&[][..], |h| &h.epochs);
                        epochs.get(number - 1).is_some_and(|e| target.is_met_by(e))
                    };
                    !finished.is_empty()
                        && finished.len() == trials.len()
                        && finished.iter().all(met)
                })
                .collect(),
            final_lr: over(|trial| trial.last().map_or(f64::NAN, |epoch| epoch.lr)),
            cuts: over(|trial| sum(trial, |epoch| epoch.cuts.len() as f64)),
            seconds: over(|trial| sum(trial, |epoch| epoch.seconds)),
        }
    }
}

fn sum(trial: &Trial, value: fn(&EpochRecord) -> f64) -> f64 {
    let history = trial.history();
    history.map_or(f64::NAN, |history| history.epochs.iter().map(value).sum())
}

/// The epoch of a completed trial that is looked at.
pub(super) fn epoch<'a>(trial: &'a Trial, at: At, best: &Best) -> Option<&'a EpochRecord> {
    match at {
        At::Last => trial.last(),
        At::Best => best.of_history(trial.history()?),
    }
}

impl Figures {
    fn new<'a>(
        epochs: impl Iterator<Item = (u64, &'a EpochRecord)> + Clone,
        target: &Target,
    ) -> Self {
        let over = |value: fn(&EpochRecord) -> f64| Stat::of(epochs.clone().map(|(_, e)| value(e)));
        let train_accuracy = over(|epoch| epoch.train("accuracy"));
        let valid_accuracy = over(|epoch| epoch.valid("accuracy"));
        let per_seed: Vec<(u64, bool)> = epochs
            .clone()
            .map(|(seed, epoch)| (seed, target.is_met_by(epoch)))
            .collect();
        Self {
            train_accuracy,
            valid_accuracy,
            train_loss: over(|epoch| epoch.train("loss")),
            valid_loss: over(|epoch| epoch.valid("loss")),
            accuracy_gap: over(|epoch| epoch.train("accuracy") - epoch.valid("accuracy")),
            distance: Stat::of(epochs.clone().map(|(_, epoch)| {
                target.distance(epoch.train("accuracy"), epoch.valid("accuracy"))
            })),
            loss_gap: over(|epoch| epoch.valid("loss") - epoch.train("loss")),
            verdict: Verdict {
                every_seed: !per_seed.is_empty() && per_seed.iter().all(|&(_, met)| met),
                per_seed,
                mean: target.is_met(train_accuracy.mean, valid_accuracy.mean),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_needs_two_values() {
        let stat = Stat::of([1.0, 2.0, 4.0]);
        assert!((stat.mean - 7.0 / 3.0).abs() < 1e-12);
        // Python: statistics.stdev([1, 2, 4])
        assert!((stat.sd - 1.527_525_231_651_946_7).abs() < 1e-12);
        assert_eq!(stat.n, 3);
        assert!(Stat::of([1.0]).sd.is_nan());
        assert!(Stat::of([]).mean.is_nan());
    }
}
