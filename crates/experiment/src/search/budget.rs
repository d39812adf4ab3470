//! What a search may cost, and how wide it then is.

use std::time::Duration;

use crate::results::Trial;

/// A rung keeps one candidate in so many, and trains it under so many times the seeds.
pub(crate) const ETA: usize = 3;
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
    /// At most so many trials. What is found depends on the seed alone.
    Trials(usize),
    /// About so long: the first trials tell how many will fit, up to 1000. What is found depends on
    /// the machine too.
    ///
    /// It is counted by what each trial took, the making of model and data included, when it was
    /// trained: a search that is run again finds the same. Trials that failed have taken time too, but
    /// do not tell how long others will take.
    ///
    /// The clock is looked at between steps: the first rung grows by two trials a job or by a quarter, as
    /// long as all rungs would fit; a later one is begun if at least half of it would. The confirmation
    /// comes after that.
    Time(Duration),
}

/// What trials have taken.
pub(super) struct Spent {
    jobs: f64,
    /// Until the last one had ended, in seconds.
    seconds: f64,
    trials: usize,
    /// The mean seconds of those that did not fail, if there are any.
    mean: Option<f64>,
}

impl Spent {
    /// Of these trials, `jobs` of which ran at a time, for so many `seconds`.
    pub(super) fn new<'a>(
        jobs: usize,
        seconds: f64,
        trials: impl IntoIterator<Item = &'a Trial>,
    ) -> Self {
        let (mut count, mut completed) = (0, Vec::new());
        for trial in trials {
            count += 1;
            // One that fails may do so at once.
            completed.extend(trial.history().map(|_| trial.whole_seconds));
        }
        let mean = completed.iter().sum::<f64>() / completed.len() as f64;
        Self {
            jobs: jobs.max(1) as f64,
            seconds,
            trials: count,
            mean: (!completed.is_empty()).then_some(mean),
        }
    }

    /// The seconds that another trial adds.
    fn each(&self) -> f64 {
        self.mean.unwrap_or(0.0).max(LEAST_SECONDS) / self.jobs
    }

    /// How many trials fit into `time`, with those that there are.
    pub(super) fn trials_within(&self, time: Duration) -> usize {
        // Saturating, and 0 for NaN.
        let more = ((time.as_secs_f64() - self.seconds) / self.each()) as usize;
        self.trials.saturating_add(more).min(MOST_TRIALS)
    }

    /// Whether at least half of `more` trials fit into what is left of `time`.
    pub(super) fn leaves_room(&self, time: Duration, more: usize) -> bool {
        self.seconds + self.each() * more as f64 / 2.0 <= time.as_secs_f64()
    }
}

/// The seconds until `jobs` workers have done what takes so many, each beginning the next when it is
/// free.
pub(super) fn side_by_side(jobs: usize, seconds: impl IntoIterator<Item = f64>) -> f64 {
    let mut workers = vec![0.0_f64; jobs.max(1)];
    for seconds in seconds {
        if let Some(free) = workers.iter_mut().min_by(|a, b| a.total_cmp(b)) {
            *free += seconds;
        }
    }
    workers.into_iter().fold(0.0, f64::max)
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
    use burn_lr_training::metrics::History;

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

    fn spent(jobs: usize, completed: &[f64], failed: &[f64]) -> Spent {
        let trial = |seconds: f64, outcome| Trial {
            candidate: 0,
            seed: 1,
            directory: "".into(),
            whole_seconds: seconds,
            outcome,
        };
        let history = || Outcome::Finished(History::default());
        let failure = || Outcome::Failed(String::new());
        let completed = completed.iter().map(|&seconds| trial(seconds, history()));
        let failed = failed.iter().map(|&seconds| trial(seconds, failure()));
        let trials: Vec<Trial> = completed.chain(failed).collect();
        let seconds = trials.iter().map(|trial| trial.whole_seconds);
        Spent::new(jobs, side_by_side(jobs, seconds), &trials)
    }

    #[test]
    fn the_seconds_that_trials_took_tell_how_many_fit() {
        let within = |time, jobs, seconds: &[f64]| {
            spent(jobs, seconds, &[]).trials_within(Duration::from_secs(time))
        };
        assert_eq!(within(60, 1, &[2.0, 4.0]), 20);
        // The second worker waited for 2 seconds.
        assert_eq!(within(60, 2, &[2.0, 4.0]), 2 + 37);
        assert_eq!(within(5, 1, &[2.0, 4.0]), 2);
        // However fast they were, or if there was none.
        assert_eq!(within(3600, 8, &[0.0]), MOST_TRIALS);
        assert_eq!(within(1, 1, &[]), MOST_TRIALS);
        assert_eq!(within(0, 1, &[]), 0);
        let spent = spent(2, &[2.0, 4.0], &[]);
        let room = |time, more| spent.leaves_room(Duration::from_secs(time), more);
        // 4 seconds are gone, and another trial takes 1.5.
        assert!(room(7, 4) && !room(7, 5) && room(4, 0) && !room(3, 0));
    }

    #[test]
    fn what_failed_is_spent_but_tells_nothing_of_what_is_to_come() {
        let within = |completed: &[f64], failed: &[f64]| {
            spent(1, completed, failed).trials_within(Duration::from_secs(60))
        };
        assert_eq!(within(&[4.0], &[0.01; 100]), 101 + 13);
        assert_eq!(within(&[4.0], &[52.0]), 2 + 1);
        // Nothing is known but how much time is left.
        assert_eq!(within(&[], &[0.01; 100]), MOST_TRIALS);
        assert_eq!(within(&[], &[61.0]), 1);
    }

    #[test]
    fn workers_take_the_next_when_they_are_free() {
        assert_eq!(side_by_side(1, [1.0, 2.0, 3.0]), 6.0);
        assert_eq!(side_by_side(2, [3.0, 1.0, 1.0, 2.0]), 4.0);
        assert_eq!(side_by_side(9, [1.0, 2.0]), 2.0);
        assert_eq!(side_by_side(0, []), 0.0);
    }
}
