//! What a search may cost, and how wide it then is.

use std::time::Duration;

use crate::results::Trial;

/// A rung keeps one candidate in so many, and trains it under so many times the seeds.
pub(super) const ETA: usize = 3;
/// How many rungs there are: candidates end with up to 9 seeds.
pub(super) const RUNGS: u32 = 3;
/// So many trials are started at most within a time.
const MOST_TRIALS: usize = 1000;
/// No trial is taken to be faster.
const LEAST_SECONDS: f64 = 1e-3;

/// How much a search may cost, the confirmation not counted.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Budget {
    /// So many trials. What is found depends on the seed alone.
    Trials(usize),
    /// About so long: the first trials tell how many will fit, up to 1000. What is found depends on
    /// the machine too.
    ///
    /// A trial is taken to last as long as its epochs did when they were trained, also when they are
    /// there already, so a search that is run again is as wide as it was.
    Time(Duration),
}

/// How many trials like these fit into `time`, that many running at a time.
pub(super) fn trials_within<'a>(
    time: Duration,
    jobs: usize,
    probes: impl IntoIterator<Item = &'a Trial>,
) -> usize {
    let finished = probes.into_iter().filter(|trial| trial.history().is_some());
    let seconds: Vec<f64> = finished.map(Trial::seconds).collect();
    let mean = seconds.iter().sum::<f64>() / seconds.len().max(1) as f64;
    let each = mean.max(LEAST_SECONDS) / jobs.max(1) as f64;
    // Saturating, and 0 for NaN.
    ((time.as_secs_f64() / each) as usize).min(MOST_TRIALS)
}

/// How many candidates can start so that all rungs together take at most `trials`; at least one.
pub(super) fn width(trials: usize) -> usize {
    let cost = |width: usize| {
        let (mut cost, mut rung, mut seeds) = (width, width, 1);
        for _ in 1..RUNGS {
            if rung == 1 {
                break;
            }
            rung = rung.div_ceil(ETA);
            cost += rung * seeds * (ETA - 1);
            seeds *= ETA;
        }
        cost
    };
    (1..=trials)
        .take_while(|&width| cost(width) <= trials)
        .last()
        .unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use burn_lr_training::metrics::{EpochRecord, History};

    use super::*;
    use crate::results::Outcome;

    #[test]
    fn the_rungs_fit_the_budget() {
        // 27 under one seed, 9 under two more, 3 under six more.
        assert_eq!(width(27 + 18 + 18), 27);
        assert_eq!(width(27 + 18 + 17), 26);
        assert_eq!(width(1), 1);
        assert_eq!(width(0), 1);
    }

    #[test]
    fn the_seconds_that_trials_took_tell_how_many_fit() {
        let trial = |seconds: &[f64]| {
            let mut history = History::default();
            history.epochs = seconds
                .iter()
                .map(|&seconds| {
                    let mut epoch = EpochRecord::new(1);
                    epoch.seconds = seconds;
                    epoch
                })
                .collect();
            Trial {
                candidate: 0,
                seed: 1,
                directory: "".into(),
                outcome: Outcome::Finished(history),
            }
        };
        let failed = Trial {
            outcome: Outcome::Failed(String::new()),
            ..trial(&[])
        };
        let within = |seconds, jobs, trials: &[Trial]| {
            trials_within(Duration::from_secs(seconds), jobs, trials)
        };
        assert_eq!(within(60, 1, &[trial(&[1.0, 1.0]), trial(&[4.0])]), 20);
        assert_eq!(within(60, 2, &[trial(&[1.0, 1.0]), trial(&[4.0])]), 40);
        assert_eq!(within(60, 1, &[trial(&[6.0]), failed.clone()]), 10);
        // However fast they were, or if none was completed.
        assert_eq!(within(3600, 8, &[trial(&[0.0])]), MOST_TRIALS);
        assert_eq!(within(1, 1, &[failed]), MOST_TRIALS);
        assert_eq!(within(60, 1, &[trial(&[f64::NAN])]), MOST_TRIALS);
        assert_eq!(within(0, 1, &[]), 0);
    }
}
