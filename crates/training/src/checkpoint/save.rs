//! How a checkpoint becomes complete.

use std::collections::btree_map::Entry;

use super::directory;
use super::manifest::{FileRecord, MANIFEST, Manifest};
use super::read::read_verified;
use super::store::{CheckpointStore, Parts, Stored};
use crate::TrainingError;
use crate::metrics::{MetricKey, Metrics, Split};
use crate::storage::{set_aside_with_sum, write_sum, write_with_sum};

impl CheckpointStore {
    /// Sets the metrics of `epoch`, which its checkpoint will hold; before its last part is saved.
    ///
    /// Values that are not finite are left out, so they are never the best.
    ///
    /// # Errors
    /// [`TrainingError::MissingMetric`] if the policy needs one that is not there. The others are set
    /// nevertheless.
    pub fn set_metrics(
        &self,
        epoch: usize,
        train: &Metrics,
        valid: &Metrics,
    ) -> Result<(), TrainingError> {
        let mut pending = self.pending();
        let metrics = (train.clone(), valid.clone());
        pending.metrics.insert(epoch, metrics);
        if let Some(best) = &pending.keep.best {
            let metrics = match best.metric.split() {
                Split::Train => train,
                Split::Valid => valid,
            };
            if !metrics.contains_key(best.metric.name()) {
                return Err(TrainingError::MissingMetric {
                    user: "best checkpoint",
                    metric: best.metric.to_string(),
                    epoch,
                    known: [(Split::Train, train), (Split::Valid, valid)]
                        .into_iter()
                        .flat_map(|(split, of)| of.keys().map(move |name| (split, name)))
                        .map(|(split, name)| MetricKey::new(split, name.as_str()).to_string())
                        .collect(),
                });
            }
        }
        Ok(())
    }

    /// Saves a part of the checkpoint of `epoch`; with the last one the checkpoint is complete.
    ///
    /// The call that saves the last part is the one that takes long, until all parts are on the
    /// disk, the copy of the best is up to date, and superfluous checkpoints are deleted. That
    /// these cannot be deleted is no error. A checkpoint of that epoch from before is moved out of
    /// the way.
    ///
    /// # Errors
    /// [`TrainingError::Invalid`] if there is no such part, [`TrainingError::File`] if something
    /// cannot be written. All complete checkpoints are as they were then.
    pub fn save_part(&self, epoch: usize, part: &str, bytes: &[u8]) -> Result<(), TrainingError> {
        self.check_part(part)?;
        let directory = &self.0.directory;
        let staging = {
            let mut pending = self.pending();
            match pending.saving.entry(epoch) {
                Entry::Occupied(_) => directory.staging(epoch),
                Entry::Vacant(new) => {
                    let staging = directory.begin(epoch)?;
                    new.insert(Parts::new());
                    staging
                }
            }
        };
        let file = directory::write(&staging.join(part), bytes)?;
        let saved = (file, FileRecord::of(bytes));

        let parts = {
            let mut pending = self.pending();
            let parts = pending.saving.entry(epoch).or_default();
            parts.insert(part.to_owned(), saved);
            if parts.len() < self.0.parts.len() {
                return Ok(());
            }
            std::mem::take(parts)
        };
        self.complete(epoch, parts)
    }

    /// All parts of the checkpoint of `epoch` are written: makes it complete.
    fn complete(&self, epoch: usize, parts: Parts) -> Result<(), TrainingError> {
        let directory = &self.0.directory;
        let staging = directory.staging(epoch);
        let mut stored = self.stored();

        let mut manifest = Manifest::new(epoch);
        {
            let pending = self.pending();
            if let Some((train, valid)) = pending.metrics.get(&epoch) {
                manifest.set_metrics(train, valid);
            }
            let files = parts
                .iter()
                .map(|(part, (_, file))| (part.clone(), file.clone()));
            manifest.files = files.collect();
            manifest.best =
                pending
                    .keep
                    .best_so_far(&stored.complete, pending.inherited.as_ref(), &manifest);
        }
        let path = staging.join(MANIFEST);
        let text = manifest
            .encode()
            .map_err(|error| TrainingError::file("write", &path, error.into()))?;
        let manifest_file = directory::write(&path, text.as_bytes())?;

        let files = parts.iter().map(|(part, (file, _))| (part.as_str(), file));
        let files: Vec<_> = files.chain([(MANIFEST, &manifest_file)]).collect();
        directory::sync_files(&staging, &files)?;
        stored.complete.remove(&epoch);
        // Not all systems can rename directories with open files in them.
        drop((parts, manifest_file));
        if let Some(aside) = directory.publish(epoch)? {
            self.say(&format!("set aside as {}", aside.display()));
        }
        stored.complete.insert(epoch, manifest);
        {
            let mut pending = self.pending();
            pending.saving.remove(&epoch);
            pending.metrics.retain(|other, _| *other > epoch);
            pending.condemned.remove(&epoch);
        }
        // Those within epochs that are complete by now are of this one, or earlier.
        if let Some(within) = self.within()
            && let Err(error) = within.forget_until(usize::MAX)
        {
            self.say(&error.to_string());
        }
        // First this, which makes room for the copy.
        if let Err(error) = self.prune_up_to(&mut stored, epoch) {
            self.say(&error.to_string());
        }
        self.copy_best(&mut stored, epoch)
    }

    /// Brings the copy of the best checkpoint's part up to what is best as of `newest`.
    pub(super) fn copy_best(
        &self,
        stored: &mut Stored,
        newest: usize,
    ) -> Result<(), TrainingError> {
        let Stored {
            complete,
            best_copy: Some(copy),
        } = stored
        else {
            return Ok(());
        };
        let newest = complete.get(&newest);
        let best = newest.and_then(|newest| self.pending().keep.best_as_of(complete, newest));
        let Some(best) = best else {
            return Ok(());
        };
        let Some(wanted) = best.files.get(&copy.part) else {
            return Ok(());
        };
        if copy.content.as_ref() == Some(wanted) {
            if copy.is_sound() != Some(true) {
                write_sum(&copy.path, &wanted.sha256)?;
                copy.sum = Some(wanted.sha256.clone());
            }
            return Ok(());
        }
        if copy.missed.as_ref() == Some(wanted) {
            return Ok(());
        }
        let name = copy.path.display();
        let path = self.0.directory.checkpoint(best.epoch).join(&copy.part);
        match read_verified(&path, wanted) {
            Ok(bytes) => {
                write_with_sum(&copy.path, &bytes)?;
                if copy.is_sound() == Some(false) {
                    let epoch = best.epoch;
                    self.say(&format!(
                        "{name} was damaged: restored from the checkpoint of epoch {epoch}"
                    ));
                }
                copy.content = Some(wanted.clone());
                copy.sum = Some(wanted.sha256.clone());
            }
            // No reason to stop a run, and there is no better model to be had.
            Err(error) => {
                match (&copy.content, copy.is_sound()) {
                    (None, _) => self.say(&format!("there is no {name}: {error}")),
                    (_, Some(true)) => self.say(&format!("{name} is not the best model: {error}")),
                    (Some(_), _) => {
                        self.say(&format!(
                            "{name} is damaged and cannot be restored: {error}"
                        ));
                        if let Some(aside) = set_aside_with_sum(&copy.path)? {
                            self.say(&format!("set aside as {}", aside.display()));
                        }
                        (copy.content, copy.sum) = (None, None);
                    }
                }
                copy.missed = Some(wanted.clone());
            }
        }
        Ok(())
    }
}
