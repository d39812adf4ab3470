//! The page that follows a run.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use burn_lr_training::TrainingError;
use burn_lr_training::metrics::EpochRecord;
use burn_lr_training::run::RunDirectory;
use burn_lr_training::storage::write_atomically;
use burn_lr_training::track::{RunStart, Tracker, TrackerError, UpdateRecord};

use super::followed::Followed;
use super::state::{RunPage, Status};

/// The page is not written more often than this, and the writing takes no more than a share of 1 / 200 of the time.
const PATIENCE: Duration = Duration::from_secs(1);
const SHARE: u32 = 200;
/// As many updates are kept; beyond, every second one of them is dropped.
const UPDATES: usize = 800;

/// Follows a run by one HTML file without any other beside it, which loads itself anew while the run goes and is
/// its report afterwards. It opens from the disk, without a server or a network.
///
/// A run that is resumed goes on with the curves that its page at the same path has.
///
/// It is written at most once a second, and less often where that would take more than 0.5 % of the time.
#[derive(Debug)]
pub struct LivePage {
    path: PathBuf,
    run: Option<Run>,
}

#[derive(Debug)]
struct Run {
    page: RunPage,
    directory: RunDirectory,
    /// All epochs, and all updates where it is known how many an epoch has.
    epochs: usize,
    updates: Option<u64>,
    told: usize,
    begun: Instant,
    /// How much of the run was done then.
    begun_at: f64,
    /// Of the epochs until now, in seconds.
    written: Option<Instant>,
    next: Duration,
}

impl LivePage {
    /// Writes `path`, such as `run.html` in the run's directory, whose directory is made if need be.
    pub fn new(path: impl AsRef<Path>) -> Self {
        Self {
            path: path.as_ref().to_owned(),
            run: None,
        }
    }
}

impl Run {
    /// How much is done when so many updates and epochs are.
    fn share(&self, updates: u64, epochs: usize) -> f64 {
        let of = |done: f64, all: f64| {
            if all > 0.0 {
                (done / all).min(1.0)
            } else {
                1.0
            }
        };
        match self.updates {
            Some(all) => of(updates as f64, all as f64),
            None => of(epochs as f64, self.epochs as f64),
        }
    }

    fn go_on(&mut self, share: f64) {
        let here = share - self.begun_at;
        let elapsed = self.begun.elapsed().as_secs_f64();
        self.page.status = Status::Running {
            done: share,
            seconds_left: (here > 0.0).then(|| elapsed / here * (1.0 - share)),
        };
    }

    fn is_due(&self) -> bool {
        self.written
            .is_none_or(|written| written.elapsed() >= self.next)
    }

    fn write(&mut self, path: &Path) -> Result<(), TrackerError> {
        let begun = Instant::now();
        self.page.checkpoints = self.directory.saved_epochs();
        write_atomically(path, self.page.to_html().as_bytes())?;
        self.next = PATIENCE.max(begun.elapsed() * SHARE);
        self.written = Some(Instant::now());
        Ok(())
    }
}

impl Tracker for LivePage {
    fn begin(&mut self, run: &RunStart<'_>) -> Result<(), TrackerError> {
        if let Some(directory) = self.path.parent() {
            std::fs::create_dir_all(directory)
                .map_err(|error| format!("{}: {error}", directory.display()))?;
        }
        let directory = RunDirectory::new(run.directory);
        let mut page = RunPage::begun(&directory, run.config, run.history);
        if let Some(followed) = Followed::read(&self.path, &page.launches) {
            page.keep_every = followed.keep_every.max(1);
            page.updates = followed.updates.into_owned();
            // What came later is of a run that was given up.
            page.updates
                .retain(|told| told.update <= run.updates_before);
        }
        let mut begun = Run {
            page,
            directory,
            epochs: run.epochs,
            updates: run.updates,
            told: 0,
            begun: Instant::now(),
            begun_at: 0.0,
            written: None,
            next: PATIENCE,
        };
        begun.begun_at = begun.share(run.updates_before, run.history.epochs.len());
        begun.go_on(begun.begun_at);
        begun.write(&self.path)?;
        self.run = Some(begun);
        Ok(())
    }

    fn update(&mut self, update: &UpdateRecord) -> Result<(), TrackerError> {
        let Some(run) = &mut self.run else {
            return Ok(());
        };
        run.told += 1;
        if run.told.is_multiple_of(run.page.keep_every) {
            run.page.updates.push(update.clone());
        }
        if run.page.updates.len() > UPDATES {
            let mut keep = [true, false].into_iter().cycle();
            run.page.updates.retain(|_| keep.next().unwrap_or(true));
            run.page.keep_every *= 2;
        }
        let share = run.share(update.update, update.epoch - 1);
        run.go_on(share);
        if run.is_due() {
            run.write(&self.path)?;
        }
        Ok(())
    }

    fn epoch(&mut self, epoch: &EpochRecord) -> Result<(), TrackerError> {
        let Some(run) = &mut self.run else {
            return Ok(());
        };
        run.page.history.epochs.push(epoch.clone());
        let share = run.share(epoch.updates, epoch.epoch);
        run.go_on(share);
        if run.is_due() {
            run.write(&self.path)?;
        }
        Ok(())
    }

    fn end(&mut self, error: Option<&TrainingError>) -> Result<(), TrackerError> {
        let Some(mut run) = self.run.take() else {
            return Ok(());
        };
        run.page.status = match error {
            None => Status::Complete,
            Some(error) => Status::Stopped(error.to_string()),
        };
        run.write(&self.path)
    }
}
