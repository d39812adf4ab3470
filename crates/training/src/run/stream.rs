//! The batches of a run, through all epochs of the data.

use burn::data::dataloader::{DataLoader, DataLoaderIterator, Progress};
use burn::data::dataset::DatasetError;

use crate::TrainingError;
use crate::loader::Past;
use crate::metrics::DataPosition;

/// Where a run is in its data.
pub(super) struct Stream<'a, B> {
    loader: &'a dyn DataLoader<B>,
    /// The running epoch, if one is.
    batches: Option<Box<dyn DataLoaderIterator<B> + 'a>>,
    past: Past,
    samples: u64,
    /// Samples of the running epoch that are counted.
    counted: usize,
    /// Batches of an epoch, if it is known.
    per_epoch: Option<u64>,
    /// Whether it pauses at the end of each epoch of the data, since that is one of the run's.
    pauses: bool,
    /// Whether the epoch ended within the last update, and that is yet to be told before another one.
    is_over: bool,
}

/// What comes next.
pub(super) enum Next<B> {
    Batch(B),
    /// The epoch ended before the batch that was wanted.
    EpochEnded,
    /// The source could not make the batch.
    Source(DatasetError),
    /// The data are not what was said of them.
    Wrong(TrainingError),
}

impl<'a, B: 'static> Stream<'a, B> {
    /// The batches after `position`, where `loader` begins.
    pub(super) fn new(
        loader: &'a dyn DataLoader<B>,
        position: &DataPosition,
        per_epoch: Option<u64>,
    ) -> Self {
        Self {
            loader,
            batches: None,
            past: position.past(),
            samples: position.samples,
            counted: 0,
            per_epoch,
            pauses: false,
            is_over: false,
        }
    }

    /// The same, which pauses at the end of each epoch of the data.
    pub(super) fn pausing(self) -> Self {
        let pauses = true;
        Self { pauses, ..self }
    }

    /// Whether it is known that the update that was made last is the epoch's last.
    pub(super) fn is_over(&self) -> bool {
        self.is_over
    }

    /// How far the running epoch has come, as its loader says.
    pub(super) fn progress(&self) -> Option<Progress> {
        let batches = self.batches.as_ref();
        batches.map(|batches| batches.progress())
    }

    /// The next batch, of the next epoch only if it is the `first` of an update.
    pub(super) fn next(&mut self, first: bool) -> Next<B> {
        if self.pauses {
            if std::mem::take(&mut self.is_over) {
                return Next::EpochEnded;
            }
            let next = self.of_this_epoch();
            self.is_over = !first && matches!(next, Next::EpochEnded);
            return next;
        }
        if self.batches.is_some() || self.past.batches > 0 {
            match self.of_this_epoch() {
                Next::EpochEnded if first => {}
                next => return next,
            }
        } else if !first {
            return Next::EpochEnded;
        }
        match self.of_this_epoch() {
            Next::EpochEnded => {
                let epoch = usize::try_from(self.past.epochs).unwrap_or(usize::MAX);
                Next::Wrong(TrainingError::NoBatch { epoch })
            }
            next => next,
        }
    }

    fn of_this_epoch(&mut self) -> Next<B> {
        let batches = self.batches.get_or_insert_with(|| {
            let batches = self.loader.iter();
            self.counted = batches.progress().items_processed;
            batches
        });
        let batch = batches.next();
        let seen = batches.progress().items_processed;
        self.samples += seen.saturating_sub(self.counted) as u64;
        self.counted = seen;
        let wrong = match batch {
            Some(Ok(batch)) => {
                self.past.batches += 1;
                if self.per_epoch.is_none_or(|all| self.past.batches <= all) {
                    return Next::Batch(batch);
                }
                true
            }
            Some(Err(error)) => return Next::Source(error),
            None => self.per_epoch.is_some_and(|all| self.past.batches != all),
        };
        let found = self.past.batches;
        self.batches = None;
        self.past = Past {
            epochs: self.past.epochs + 1,
            batches: 0,
        };
        match self.per_epoch {
            Some(expected) if wrong && found > 0 => Next::Wrong(TrainingError::BatchesPerEpoch {
                epoch: self.past.epochs,
                expected,
                found,
            }),
            _ => Next::EpochEnded,
        }
    }

    /// Where the run is.
    pub(super) fn position(&self) -> DataPosition {
        DataPosition::new(self.past, self.samples, self.per_epoch)
    }
}
