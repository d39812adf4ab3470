//! A run in TensorBoard.

use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use burn_lr_training::TrainingError;
use burn_lr_training::metrics::{EpochRecord, Metrics};
use burn_lr_training::track::{RunStart, Tracker, TrackerError, UpdateRecord};

use super::event::scalar;
use super::event_file::{self, Begin, EventFile};
use super::hparams;

/// Writes a run for [TensorBoard](https://www.tensorflow.org/tensorboard): `tensorboard --logdir` of the
/// directory, or of one above it with many runs, shows it while it goes.
///
/// | run | curve | of |
/// |---|---|---|
/// | `train`, `valid` | `loss`, `accuracy` and every other metric of the history | each epoch or period, both splits in one picture |
/// | `train` | `lr`, `lr/<group>` | the last update of each epoch |
/// | `train` | `update/loss` and the other metrics of a batch, `update/lr`, `update/lr/<group>`, `update/gradient_norm`, `update/samples_per_second` | [every 50th](burn_lr_training::Training::track_every) update |
///
/// The step of all of them is the optimizer update. What a run is configured with is in the table of
/// hyperparameters: schedule, optimizer, groups, batch size, seed and the caller's settings, by their paths in
/// `burn-lr.json`. TensorBoard keeps 32-bit numbers; the run's history has all digits.
///
/// Each run has a directory of its own: where another run's curves are, one that begins is refused.
///
/// A run that is resumed goes on in files of its own, which tell TensorBoard to forget what the run that
/// was given up had after the checkpoint: no curve has a step twice.
#[derive(Debug)]
pub struct TensorBoard {
    directory: PathBuf,
    files: Option<Files>,
}

#[derive(Debug)]
struct Files {
    /// Hyperparameters, which are of both.
    run: EventFile,
    train: EventFile,
    valid: EventFile,
    updates: u64,
}

impl TensorBoard {
    /// Writes into `directory`, which is made when the run begins.
    pub fn new(directory: impl AsRef<Path>) -> Self {
        Self {
            directory: directory.as_ref().to_owned(),
            files: None,
        }
    }
}

impl Tracker for TensorBoard {
    fn begin(&mut self, run: &RunStart<'_>) -> Result<(), TrackerError> {
        let updates = run.updates_before;
        let owner = owner(run.directory);
        // A run that goes on may have been moved; one that begins would make the other's curves void.
        let begins = updates == 0 && run.history.epochs.is_empty();
        if begins && event_file::is_anothers(&self.directory, &owner) {
            let directory = self.directory.display();
            return Err(format!(
                "{directory}: expected a directory of this run's own, found the curves of another run"
            )
            .into());
        }
        let begin = Begin {
            step: updates,
            owner: Some(&owner),
        };
        let begun = |split: &str| EventFile::begin(&self.directory.join(split), begin);
        let mut files = Files {
            run: begun("")?,
            train: begun("train")?,
            valid: begun("valid")?,
            updates,
        };
        let parameters = hparams::of_config(run.config);
        let start = hparams::start(&parameters, seconds());
        files.run.add(start, updates);
        files.run.flush()?;
        self.files = Some(files);
        Ok(())
    }

    fn update(&mut self, update: &UpdateRecord) -> Result<(), TrackerError> {
        let Some(files) = &mut self.files else {
            return Ok(());
        };
        let file = &mut files.train;
        let mut add = |name: &str, value: f64| {
            file.add(scalar(&format!("update/{name}"), value), update.update);
        };
        for (name, &value) in &update.metrics {
            add(name, value);
        }
        add("lr", update.lr);
        for (group, &lr) in &update.group_lrs {
            add(&format!("lr/{group}"), lr);
        }
        for (name, &value) in &update.hyperparameters {
            add(name, value);
        }
        add("gradient_norm", update.gradient_norm);
        if let Some(speed) = update.samples_per_second {
            add("samples_per_second", speed);
        }
        Ok(file.flush()?)
    }

    fn epoch(&mut self, epoch: &EpochRecord) -> Result<(), TrackerError> {
        let Some(files) = &mut self.files else {
            return Ok(());
        };
        files.updates = epoch.updates;
        add_all(&mut files.train, &epoch.train, epoch.updates);
        add_all(&mut files.valid, &epoch.valid, epoch.updates);
        files.train.add(scalar("lr", epoch.lr), epoch.updates);
        for (group, &lr) in &epoch.group_lrs {
            let event = scalar(&format!("lr/{group}"), lr);
            files.train.add(event, epoch.updates);
        }
        for (name, &value) in &epoch.hyperparameters {
            files.train.add(scalar(name, value), epoch.updates);
        }
        files.train.flush()?;
        Ok(files.valid.flush()?)
    }

    fn end(&mut self, error: Option<&TrainingError>) -> Result<(), TrackerError> {
        let Some(mut files) = self.files.take() else {
            return Ok(());
        };
        let end = hparams::end(error.is_none(), seconds());
        files.run.add(end, files.updates);
        files.run.flush()?;
        files.train.flush()?;
        Ok(files.valid.flush()?)
    }
}

/// What is known of the run in `directory` by its files' names.
fn owner(directory: &Path) -> String {
    let path = directory.canonicalize();
    let path = path.unwrap_or_else(|_| directory.to_owned());
    format!(
        "{:08x}",
        crc32c::crc32c(path.as_os_str().as_encoded_bytes())
    )
}

fn add_all(file: &mut EventFile, metrics: &Metrics, step: u64) {
    for (name, &value) in metrics {
        file.add(scalar(name, value), step);
    }
}

fn seconds() -> f64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0.0, |since| since.as_secs_f64())
}
