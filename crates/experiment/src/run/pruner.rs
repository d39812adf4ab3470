//! Trials that are ended before their time, because others were better by then.

use std::sync::{Arc, Mutex, PoisonError};

use burn::train::Interrupter;
use burn_lr_training::TrainingError;
use burn_lr_training::metrics::{EpochRecord, History};
use burn_lr_training::track::{RunStart, Tracker, TrackerError};

use crate::error::BaseError;
use crate::objective::Objective;

/// So many trials must have got as far before one is behind.
const LEAST: usize = 4;
/// Before this share of a run nothing is said of it.
const EARLIEST: f64 = 0.1;

/// A trial ends when it would not be among the best of complete ones at the same share of its epochs: the rule of
/// Golovin et al. 2017 (Google Vizier), which takes the median. At the same epoch would be unjust: a longer schedule
/// has a higher rate there.
#[derive(Debug, Clone)]
pub(crate) struct Pruner {
    objective: Objective,
    /// The share of trials that is good enough.
    kept: f64,
    /// Of each trial the shares of its epochs, and what was reached.
    curves: Arc<Vec<Vec<(f64, Reached)>>>,
}

/// By how much bounds are missed, and the objective; less is better.
type Reached = (f64, f64);

/// A trial that was ended.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("ended after epoch {epoch} of {epochs}, behind the best {percent:.0} % of {others} trials")]
struct Pruned {
    epoch: usize,
    epochs: usize,
    percent: f64,
    others: usize,
}

impl Pruner {
    /// Compares with the best, which are such a share, of those histories of complete trials.
    pub(crate) fn new<'a>(
        objective: &Objective,
        kept: f64,
        histories: impl IntoIterator<Item = &'a History>,
    ) -> Self {
        let curve = |history: &History| {
            let all = history.epochs.len() as f64;
            let epochs = history.epochs.iter();
            epochs
                .map(|epoch| (epoch.epoch as f64 / all, reached(objective, epoch)))
                .collect()
        };
        Self {
            objective: objective.clone(),
            kept,
            curves: Arc::new(histories.into_iter().map(curve).collect()),
        }
    }

    /// Whether a complete trial is behind after its last epoch.
    pub(crate) fn is_behind(&self, history: &History) -> bool {
        let last = history.epochs.last();
        last.is_some_and(|last| self.behind(last, history.epochs.len()).is_some())
    }

    /// Of how many trials the epoch, of so many, is behind the best, if it is.
    fn behind(&self, epoch: &EpochRecord, epochs: usize) -> Option<usize> {
        let share = epoch.epoch as f64 / epochs as f64;
        if share < EARLIEST {
            return None;
        }
        let by_then = |curve: &Vec<(f64, Reached)>| {
            let then = curve.iter().rfind(|(at, _)| *at <= share + 1e-9)?;
            Some(then.1)
        };
        let mut others: Vec<Reached> = self.curves.iter().filter_map(by_then).collect();
        if others.len() < LEAST {
            return None;
        }
        let order = |a: &Reached, b: &Reached| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1));
        others.sort_by(order);
        let last = ((others.len() - 1) as f64 * self.kept).round() as usize;
        let is_behind = order(&reached(&self.objective, epoch), others.get(last)?).is_gt();
        is_behind.then_some(others.len())
    }
}

fn reached(objective: &Objective, epoch: &EpochRecord) -> Reached {
    let value = epoch.get(&objective.best().metric);
    let cost = objective.cost(value.unwrap_or(f64::NAN));
    (objective.distance(epoch), cost)
}

/// Ends a trial when it is behind.
#[derive(Clone)]
pub(crate) struct Watcher {
    pruner: Pruner,
    interrupter: Interrupter,
    epochs: usize,
    pruned: Arc<Mutex<Option<Pruned>>>,
}

impl Watcher {
    pub(crate) fn new(pruner: Pruner, interrupter: Interrupter) -> Self {
        Self {
            pruner,
            interrupter,
            epochs: 0,
            pruned: Arc::default(),
        }
    }

    /// What the trial was ended by, if not by this.
    pub(crate) fn cause(&self, error: TrainingError) -> BaseError {
        let pruned = self.pruned.lock().unwrap_or_else(PoisonError::into_inner);
        match *pruned {
            Some(pruned) => Box::new(pruned),
            None => Box::new(error),
        }
    }

    fn look(&self, epoch: &EpochRecord) {
        // After the last one there is nothing to save.
        if epoch.epoch >= self.epochs {
            return;
        }
        if let Some(others) = self.pruner.behind(epoch, self.epochs) {
            let mut pruned = self.pruned.lock().unwrap_or_else(PoisonError::into_inner);
            pruned.get_or_insert(Pruned {
                epoch: epoch.epoch,
                epochs: self.epochs,
                percent: 100.0 * self.pruner.kept,
                others,
            });
            self.interrupter.stop(Some("the trial is behind others"));
        }
    }
}

impl Tracker for Watcher {
    /// A trial that was ended is ended again where it was.
    fn begin(&mut self, run: &RunStart<'_>) -> Result<(), TrackerError> {
        self.epochs = run.epochs;
        run.history.epochs.iter().for_each(|epoch| self.look(epoch));
        Ok(())
    }

    fn epoch(&mut self, epoch: &EpochRecord) -> Result<(), TrackerError> {
        self.look(epoch);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use burn_lr_training::metrics::valid;

    use super::*;

    fn epoch(number: usize, loss: f64) -> EpochRecord {
        let mut epoch = EpochRecord::new(number);
        epoch.valid.insert("loss".to_owned(), loss);
        epoch
    }

    fn history(epochs: usize, loss: f64) -> History {
        let mut history = History::default();
        history.epochs = (1..=epochs)
            .map(|number| epoch(number, loss / number as f64))
            .collect();
        history
    }

    #[test]
    fn who_is_behind_the_best_at_the_same_share_of_a_run_is_ended() {
        let histories: Vec<History> = (1..=5).map(|loss| history(10, f64::from(loss))).collect();
        let objective = Objective::min(valid("loss"));
        let pruner = Pruner::new(&objective, 0.5, &histories);
        // After half of a run, the median has a loss of 3 / 5, and the best third one of 2 / 5.
        assert_eq!(pruner.behind(&epoch(5, 0.61), 10), Some(5));
        assert_eq!(pruner.behind(&epoch(2, 0.61), 4), Some(5));
        assert_eq!(pruner.behind(&epoch(5, 0.6), 10), None);
        assert_eq!(pruner.behind(&epoch(5, f64::NAN), 10), Some(5));
        let third = Pruner::new(&objective, 0.33, &histories);
        assert_eq!(third.behind(&epoch(5, 0.41), 10), Some(5));
        assert_eq!(third.behind(&epoch(5, 0.4), 10), None);
        // Too early, and the end.
        assert_eq!(pruner.behind(&epoch(1, 99.0), 11), None);
        assert_eq!(pruner.behind(&epoch(2, 9.0), 10), Some(5));
        assert!(pruner.is_behind(&history(10, 3.1)) && !pruner.is_behind(&history(4, 1.2)));
        assert!(!pruner.is_behind(&History::default()));
        let few = Pruner::new(&objective, 0.5, &histories[..3]);
        assert_eq!(few.behind(&epoch(5, 9.0), 10), None);
    }
}
