//! The metrics of each epoch in the files from which Burn's summary is made.

use std::path::{Path, PathBuf};

use burn::train::metric::NumericEntry;

use super::log::MetricsLog;
use crate::TrainingError;
use crate::storage::{create_directory, set_aside, write_atomically};

/// Sets aside the files of epochs after `epoch`, which a run has left that was given up.
pub(crate) fn set_files_aside_after(directory: &Path, epoch: usize) -> Result<(), TrainingError> {
    for split in ["train", "valid"] {
        let later = (epoch + 1..).map(|epoch| epoch_directory(directory, split, epoch));
        for path in later.take_while(|path| path.exists()) {
            set_aside(&path)?;
        }
    }
    Ok(())
}

fn epoch_directory(directory: &Path, split: &str, epoch: usize) -> PathBuf {
    directory.join(split).join(format!("epoch-{epoch}"))
}

impl MetricsLog {
    /// Writes the values of `epoch` as Burn's `FileMetricLogger` would, from whose files its summary
    /// is made: `train/epoch-1/Loss.log`.
    pub(crate) fn write_files(&self, directory: &Path, epoch: usize) -> Result<(), TrainingError> {
        let logged = self.logged(epoch);
        for (split, metrics) in [("train", &logged.train), ("valid", &logged.valid)] {
            let directory = epoch_directory(directory, split, epoch);
            for (name, value) in metrics {
                create_directory(&directory)?;
                let file = directory.join(format!("{}.log", name.replace(' ', "_")));
                write_atomically(&file, NumericEntry::Final(*value).serialize().as_bytes())?;
            }
        }
        Ok(())
    }
}
