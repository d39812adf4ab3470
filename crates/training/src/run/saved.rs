//! The configuration that a run has left.

use serde_json::Value;

use super::directory::RunDirectory;
use crate::TrainingError;
use crate::checkpoint::{CONFIG, Checkpoint, CheckpointStore};

/// What a run was configured with.
pub(super) struct Saved {
    /// What `burn-lr.json` holds now.
    pub file: Option<Vec<u8>>,
    /// What is to be believed.
    pub config: Value,
}

impl Saved {
    /// What the device was seeded with, `Some(None)` if with nothing; `None` if it does not say.
    pub(super) fn seed(&self) -> Option<Option<u64>> {
        let seed = self.config.get("fixed")?.get("seed")?;
        let number = seed.as_u64();
        (number.is_some() || seed.is_null()).then_some(number)
    }

    /// Whether the device was seeded once an epoch, as of a run in epochs that does not say otherwise.
    pub(super) fn was_seeded_by_epoch(&self) -> bool {
        let fixed = &self.config["fixed"];
        fixed["seed"].is_u64() && fixed["every"].is_null() && fixed["seeded"].is_null()
    }

    /// What the run in `directory` was configured with, if anything says so.
    ///
    /// # Errors
    /// [`TrainingError::Damaged`] if it cannot be read.
    pub(super) fn of(
        directory: &RunDirectory,
        checkpoint: Option<&Checkpoint>,
    ) -> Result<Option<Self>, TrainingError> {
        let path = directory.config();
        let file = match std::fs::read(&path) {
            Ok(json) => Some(json),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => return Err(TrainingError::file("read", &path, error)),
        };
        let part = checkpoint.and_then(|checkpoint| checkpoint.parts.get(CONFIG));
        let Some(json) = part.or(file.as_ref()) else {
            return Ok(None);
        };
        let config = directory.parsed_config(json)?;
        Ok(Some(Self { file, config }))
    }

    /// What the run in `directory` was begun with: the newest checkpoint that can be read says it, or
    /// `burn-lr.json` before the first.
    pub(super) fn begun(directory: &RunDirectory) -> Option<Self> {
        let path = directory.checkpoints();
        let store = path
            .is_dir()
            .then(|| CheckpointStore::open(path, &[CONFIG]));
        let of_checkpoints = store.and_then(|store| {
            let store = store.ok()?;
            let mut newest_first = store.epochs().into_iter().rev();
            newest_first.find_map(|epoch| {
                let json = store.load_part(epoch, CONFIG).ok()?;
                let config = directory.parsed_config(&json).ok()?;
                Some(Self { file: None, config })
            })
        });
        of_checkpoints.or_else(|| Self::of(directory, None).ok().flatten())
    }
}
