//! What a search may cost, and how wide it then is.

use std::time::Duration;

use crate::results::Trial;

/// A rung keeps one candidate in so many, and trains it under so many times the seeds.
pub(super) const ETA: usize = 3;
/// How many rungs there are: candidates end with up to 9 seeds.
pub(super) const RUNGS: u32 = 3;
/// So many trials are started at most within a time.
pub(super) const MOST_TRIALS: usize = 1000;
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
    /// It is counted by what each trial took, the making of model and data included, when it was
    /// trained: a search that is run again finds the same. A rung of which less than half would fit
    /// is not begun. The first rung is never cut short: where the first trials were quicker than the
    /// others, as those that fail are, a search may take far longer.
    Time(Duration),
}

/// What trials have taken.
pub(super) struct Spent {
    jobs: f64,
    seconds: f64,
    trials: usize,
}

impl Spent {
    /// Of these trials, `jobs` of which ran at a time.
    pub(super) fn new<'a>(jobs: usize, trials: impl IntoIterator<Item = &'a Trial>) -> Self {
        let seconds = trials.into_iter().map(|trial| trial.whole_seconds);
        let seconds: Vec<f64> = seconds.collect();
        Self {
            jobs: jobs.max(1) as f64,
            seconds: seconds.iter().sum(),
            trials: seconds.len(),
        }
    }

    /// The seconds that a trial adds to all.
    fn each(&self) -> f64 {
        let mean = self.seconds / self.trials.max(1) as f64;
        mean.max(LEAST_SECONDS) / self.jobs
    }

    /// How many trials like these fit into `time`.
    pub(super) fn trials_within(&self, time: Duration) -> usize {
        // Saturating, and 0 for NaN.
        ((time.as_secs_f64() / self.each()) as usize).min(MOST_TRIALS)
    }

    /// Whether at least half of `more` trials fit into what is left of `time`.
    pub(super) fn leaves_room(&self, time: Duration, more: usize) -> bool {
        let half = self.each() * more as f64 / 2.0;
        self.seconds / self.jobs + half <= time.as_secs_f64()
    }
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
        let trial = |seconds: f64| Trial {
            candidate: 0,
            seed: 1,
            directory: "".into(),
            whole_seconds: seconds,
            outcome: Outcome::Failed(String::new()),
        };
        let spent = |jobs, seconds: &[f64]| {
            let trials: Vec<Trial> = seconds.iter().copied().map(trial).collect();
            Spent::new(jobs, &trials)
        };
        let within = |time, jobs, seconds: &[f64]| {
            spent(jobs, seconds).trials_within(Duration::from_secs(time))
        };
        assert_eq!(within(60, 1, &[2.0, 4.0]), 20);
        assert_eq!(within(60, 2, &[2.0, 4.0]), 40);
        // However fast they were, or if there was none.
        assert_eq!(within(3600, 8, &[0.0]), MOST_TRIALS);
        assert_eq!(within(1, 1, &[]), MOST_TRIALS);
        assert_eq!(within(60, 1, &[f64::NAN]), MOST_TRIALS);
        assert_eq!(within(0, 1, &[]), 0);
        let room = |time, more| spent(2, &[2.0, 4.0]).leaves_room(Duration::from_secs(time), more);
        // 3 seconds are gone, and another trial takes 1.5.
        assert!(room(6, 4) && !room(6, 5) && room(3, 0) && !room(2, 0));
    }
}
