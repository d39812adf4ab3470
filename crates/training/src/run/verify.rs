//! Whether what a run has left is still what was written.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::averages::check_earlier;
use super::directory::RunDirectory;
use super::resume::{Contents, newest_of_epochs};
use super::saved::Saved;
use super::within::{Reached, Within};
use crate::average::Average;
use crate::checkpoint::{CheckpointStore, PARTS, PARTS_WITHIN, WITHIN};
use crate::storage::read_with_sum;
use crate::{Damage, TrainingError};

/// How often what is wrong with a run at work is looked at again, and after which time.
const LOOKS: usize = 5;
const BETWEEN_LOOKS: Duration = Duration::from_millis(100);

/// What a run directory holds, each file read and compared with its checksum where it has one.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Verification {
    /// The files and checkpoints, with what is wrong with them.
    pub found: Vec<(PathBuf, Option<Damage>)>,
    /// Checkpoints that are being written, or were when the run was killed. Those before them stand: this is no
    /// damage.
    pub unfinished: Vec<PathBuf>,
    /// The epoch after which the run would be resumed; none if that would begin it anew, or be refused.
    pub resumes_after: Option<usize>,
    /// The update after which it would be, within the epoch after that one.
    pub resumes_within: Option<u64>,
    /// For which that would be refused: the models that a mean of checkpoints needs are damaged.
    pub refused: Option<Damage>,
    /// Whether a process is at work on it. What it replaces meanwhile is no damage.
    pub is_at_work: bool,
    /// Whether the run has come to its end.
    pub is_complete: bool,
}

impl Verification {
    /// Whether nothing is wrong.
    pub fn is_sound(&self) -> bool {
        self.found.iter().all(|(_, damage)| damage.is_none())
    }

    /// Takes back what is not wrong in the same way in `again`, in which the files are those of now.
    fn confirmed_by(&mut self, again: Self) {
        let wrong = |found: &[(PathBuf, Option<Damage>)]| -> Vec<(PathBuf, String)> {
            let damaged = found
                .iter()
                .filter_map(|(path, damage)| Some((path.clone(), damage.as_ref()?.to_string())));
            damaged.collect()
        };
        let before = wrong(&self.found);
        *self = again;
        self.found.retain(|(path, damage)| {
            let wrong = damage
                .as_ref()
                .map(|damage| (path.clone(), damage.to_string()));
            wrong.is_none_or(|wrong| before.contains(&wrong))
        });
    }
}

impl RunDirectory {
    /// Reads and verifies all that the run has left, of any model, without changing anything.
    ///
    /// A run may be at work meanwhile, and replace and delete what is read: damage is then only what stays over
    /// half a second.
    ///
    /// # Errors
    /// [`TrainingError::File`] if there is no run, or a file cannot be read. Damage is none: it is what was asked
    /// for.
    pub fn verify(&self) -> Result<Verification, TrainingError> {
        let is_at_work = self.is_at_work();
        let mut seen = self.look()?;
        seen.is_at_work |= is_at_work;
        for _ in 0..LOOKS {
            if seen.is_sound() || !seen.is_at_work {
                break;
            }
            std::thread::sleep(BETWEEN_LOOKS);
            seen.confirmed_by(self.look()?);
        }
        Ok(seen)
    }

    /// What is there now.
    fn look(&self) -> Result<Verification, TrainingError> {
        let mut found = Vec::new();
        let damaged = |result: Result<(), TrainingError>| match result {
            Ok(()) => Ok(None),
            Err(TrainingError::Damaged(damage)) => Ok(Some(damage)),
            Err(error) => Err(error),
        };
        found.push((self.config(), damaged(self.configuration().map(drop))?));
        if self.history_json().exists() {
            found.push((self.history_json(), damaged(self.history().map(drop))?));
        }
        for path in [self.best_model(), self.final_model(), self.average_model()] {
            if path.exists() {
                let damage = damaged(read_with_sum(&path).map(drop))?;
                found.push((path, damage));
            }
        }
        self.verify_checkpoints(&mut found)?;
        let (mut resumes_after, refused) = self.resumes_after()?;
        let within = self.verify_within(&mut found)?;
        // It is of use where no epoch was completed since.
        let within = within.filter(|reached| reached.epoch > resumes_after.unwrap_or(0));
        if let Some(reached) = &within {
            resumes_after = Some(reached.epoch - 1).filter(|&over| over > 0);
        }
        let mut unfinished = Vec::new();
        found.retain(|(_, damage)| match damage {
            Some(Damage::Incomplete { path }) if is_staging(path) => {
                unfinished.push(path.clone());
                false
            }
            _ => true,
        });
        Ok(Verification {
            found,
            unfinished,
            resumes_after,
            resumes_within: within.map(|reached| reached.updates),
            refused,
            is_at_work: self.is_at_work(),
            is_complete: self.final_model().exists(),
        })
    }

    /// The epoch after which the run would be resumed, or why it could not be.
    fn resumes_after(&self) -> Result<(Option<usize>, Option<Damage>), TrainingError> {
        let directory = self.checkpoints();
        // Opening them would make it.
        if !directory.exists() {
            return Ok((None, None));
        }
        let store = CheckpointStore::open(&directory, &PARTS)?;
        let config = Saved::begun(self).map(|saved| saved.config);
        let average = config.and_then(|mut config| {
            let average = config["fixed"]["average"].take();
            serde_json::from_value::<Average>(average).ok()
        });
        let earlier = |saved: &Contents<'_>| match &average {
            Some(plan) => check_earlier(plan, saved),
            None => Ok(()),
        };
        match newest_of_epochs(&store, &earlier) {
            Ok((newest, _)) => Ok((newest.map(|checkpoint| checkpoint.epoch), None)),
            Err(TrainingError::Damaged(damage)) => Ok((None, Some(damage))),
            Err(other) => Err(other),
        }
    }

    /// Adds the checkpoints to `found`.
    fn verify_checkpoints(
        &self,
        found: &mut Vec<(PathBuf, Option<Damage>)>,
    ) -> Result<(), TrainingError> {
        let directory = self.checkpoints();
        if !directory.exists() {
            return Ok(());
        }
        let store = CheckpointStore::open(&directory, &PARTS)?;
        let (newest, skipped) = store.newest_complete();
        let newest = newest.map(|checkpoint| checkpoint.epoch);
        let mut damaged = skipped;
        damaged.extend(newest.map_or_else(Vec::new, |epoch| store.damaged_before(epoch)));
        let is_damaged = |epoch: usize| damaged.iter().any(|skipped| skipped.epoch == epoch);
        for epoch in store.epochs() {
            if !is_damaged(epoch) {
                found.push((checkpoint(&directory, epoch), None));
            }
        }
        for skipped in damaged {
            let path = checkpoint(&directory, skipped.epoch);
            found.push((path, Some(skipped.damage)));
        }
        Ok(())
    }

    /// Adds the checkpoints within an epoch to `found`, and gives how far the newest one that is sound has come.
    fn verify_within(
        &self,
        found: &mut Vec<(PathBuf, Option<Damage>)>,
    ) -> Result<Option<Reached>, TrainingError> {
        let directory = self.within_epoch();
        if !directory.exists() {
            return Ok(None);
        }
        let store = CheckpointStore::open_within(&directory, &PARTS_WITHIN, &[])?;
        let (newest, damaged) = store.newest_complete();
        let path = |update: usize| directory.join(format!("update-{update:04}"));
        let damaged = damaged.into_iter();
        let mut reached = None;
        if let Some(checkpoint) = newest {
            let path = path(checkpoint.epoch);
            let within = checkpoint.parts.get(WITHIN).map(Vec::as_slice);
            let damage = match Within::read(within.unwrap_or_default()) {
                Ok(within) => {
                    reached = Some(within.reached);
                    None
                }
                Err(error) => Some(Damage::content(&path.join(WITHIN), error)),
            };
            found.push((path, damage));
        }
        found.extend(damaged.map(|skipped| (path(skipped.epoch), Some(skipped.damage))));
        Ok(reached)
    }
}

/// How a checkpoint is called.
fn checkpoint(directory: &Path, epoch: usize) -> PathBuf {
    directory.join(format!("epoch-{epoch:04}"))
}

/// Whether a checkpoint there is being written, or was when the run was killed.
fn is_staging(path: &Path) -> bool {
    path.extension().is_some()
}
