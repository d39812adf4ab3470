//! TensorBoard for Burn's own Learner.

use std::collections::HashMap;
use std::io;
use std::path::Path;

use burn::train::logger::MetricLogger;
use burn::train::metric::store::{EpochSummary, MetricsUpdate, Split};
use burn::train::metric::{MetricDefinition, MetricId, NumericEntry};

use super::event::scalar;
use super::event_file::{Begin, EventFile};

/// Writes the metrics of any Burn Learner for [TensorBoard](https://www.tensorflow.org/tensorboard), without
/// [`Training`](burn_lr_training::Training):
///
/// ```no_run
/// # use burn::train::{LearnerModel, SupervisedTraining};
/// use burn_lr_tracking::TensorBoardLogger;
///
/// # fn logged<M: LearnerModel>(training: SupervisedTraining<M>) -> std::io::Result<SupervisedTraining<M>> {
/// let training = training.with_metric_logger(TensorBoardLogger::new("artifacts/run/tensorboard")?);
/// # Ok(training)
/// # }
/// ```
///
/// It makes the runs `train`, `valid` and `test`, with a curve for each numeric metric under Burn's name, a value
/// at the end of each epoch, and in `train` the values of every 50th batch as `batch/<metric>`. The step of
/// all of them is the training batch. What is told to Burn's early stopping and checkpointing comes from
/// the logger that was registered first; this one has the values too.
///
/// Burn's hooks cannot fail: an error of the disk is logged, once, and nothing is written any more.
#[derive(Debug)]
pub struct TensorBoardLogger {
    splits: [(&'static str, EventFile); 3],
    every: u64,
    batches: u64,
    names: HashMap<MetricId, String>,
    /// The last value of every metric by split and epoch.
    values: HashMap<(String, usize), HashMap<String, f64>>,
    failed: bool,
}

impl TensorBoardLogger {
    /// Writes into `directory`, which is made if need be.
    ///
    /// # Errors
    /// [`io::Error`] naming the directory or file that cannot be written.
    pub fn new(directory: impl AsRef<Path>) -> io::Result<Self> {
        Self::resumed(directory, 0)
    }

    /// Goes on after so many training batches, where the Learner resumes: whatever the directory has of later ones
    /// is void.
    ///
    /// # Errors
    /// As for [`new`](Self::new).
    pub fn resumed(directory: impl AsRef<Path>, batches: u64) -> io::Result<Self> {
        let file = |split: &'static str| {
            let begin = Begin {
                step: batches,
                owner: None,
            };
            let file = EventFile::begin(&directory.as_ref().join(split), begin)?;
            Ok::<_, io::Error>((split, file))
        };
        Ok(Self {
            splits: [file("train")?, file("valid")?, file("test")?],
            every: 50,
            batches,
            names: HashMap::new(),
            values: HashMap::new(),
            failed: false,
        })
    }

    /// Writes the values of every so many batches, of none if that is 0.
    pub fn every(mut self, batches: u64) -> Self {
        self.every = batches;
        self
    }

    fn file(&mut self, split: &Split) -> &mut EventFile {
        let index = match split {
            Split::Train => 0,
            Split::Valid => 1,
            Split::Test(_) => 2,
        };
        &mut self.splits[index].1
    }

    fn fail_on(&mut self, written: io::Result<()>) {
        if let Err(error) = written {
            log::error!("no more events for TensorBoard: {error}");
            self.failed = true;
        }
    }
}

impl MetricLogger for TensorBoardLogger {
    fn log(&mut self, update: MetricsUpdate, epoch: usize, split: &Split) {
        let is_final = |entry: &Option<NumericEntry>| matches!(entry, Some(NumericEntry::Final(_)));
        let mut entries = update.entries_numeric.iter();
        // Burn ends a split by the values that it came to.
        let is_batch = !entries.any(|metric| is_final(&metric.numeric_entry));
        let is_trained = is_batch && *split == Split::Train;
        self.batches += u64::from(is_trained);
        let is_due = is_trained && self.every > 0 && self.batches.is_multiple_of(self.every);
        for metric in &update.entries_numeric {
            let Some(name) = self.names.get(&metric.entry.metric_id).cloned() else {
                continue;
            };
            let Some(value) = metric.numeric_entry.as_ref().map(NumericEntry::current) else {
                continue;
            };
            if is_due && !self.failed {
                let (event, step) = (scalar(&format!("batch/{name}"), value), self.batches);
                self.file(split).add(event, step);
            }
            let values = self.values.entry((split.to_string(), epoch)).or_default();
            values.insert(name, value);
        }
        if is_due && !self.failed {
            let written = self.file(split).flush();
            self.fail_on(written);
        }
    }

    fn read_numeric(
        &mut self,
        name: &str,
        epoch: usize,
        split: &Split,
    ) -> Result<Vec<NumericEntry>, String> {
        let values = self.values.get(&(split.to_string(), epoch));
        let value = values.and_then(|values| values.get(name));
        Ok(value
            .map(|&value| NumericEntry::Final(value))
            .into_iter()
            .collect())
    }

    fn log_metric_definition(&mut self, definition: MetricDefinition) {
        let name = definition.name.to_string();
        self.names.insert(definition.metric_id, name);
    }

    fn log_epoch_summary(&mut self, summary: EpochSummary) {
        if self.failed {
            return;
        }
        let key = (summary.split.to_string(), summary.epoch_number);
        let values = self.values.get(&key).cloned().unwrap_or_default();
        let step = self.batches;
        let file = self.file(&summary.split);
        for (name, value) in values {
            file.add(scalar(&name, value), step);
        }
        let written = file.flush();
        self.fail_on(written);
    }
}
