//! The mean of a run's last checkpoints, after the fact.

use burn::module::Module;

use super::directory::RunDirectory;
use super::no_schedule::keeps_average;
use crate::Damage;
use crate::TrainingError;
use crate::average::{AverageError, Decay, merged};
use crate::checkpoint::{AVERAGE, CheckpointStore, MODEL};

impl RunDirectory {
    /// `model` with the mean of the weights of the newest `last` checkpoints, weighted to stand for a
    /// [`Decay`] of the learning rate over them. The run may have been trained with any settings; of one
    /// with a schedule-free optimizer it is the mean of the weights that are to be evaluated. Running statistics are
    /// averaged as weights are, see
    /// [`recomputed_statistics`](crate::average::recomputed_statistics).
    ///
    /// ```no_run
    /// # use burn::module::Module;
    /// use burn_lr_training::average::Decay;
    /// use burn_lr_training::run::RunDirectory;
    ///
    /// # fn decayed<M: Module>(model: M) -> Result<(), burn_lr_training::TrainingError> {
    /// let model = RunDirectory::new("artifacts/run").merged(5, Decay::OneMinusSqrt, model)?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`TrainingError::Average`] if `last` is 0 or there are not as many checkpoints,
    /// [`TrainingError::Damaged`] if there is no run, or one of them is damaged or does not fit `model`.
    pub fn merged<M: Module>(
        &self,
        last: usize,
        decay: Decay,
        model: M,
    ) -> Result<M, TrainingError> {
        if last == 0 {
            return Err(TrainingError::Average(AverageError::Setting {
                name: "checkpoints",
                expected: "at least 1",
                found: "0".to_owned(),
            }));
        }
        let path = self.checkpoints();
        // To open it would make it.
        if !path.exists() {
            return Err(Damage::Missing { path }.into());
        }
        // What the optimizer has evaluated in place of the model.
        let part = if self.optimizer_keeps_average()? {
            AVERAGE
        } else {
            MODEL
        };
        let store = CheckpointStore::open(&path, &[part])?;
        let epochs = store.epochs();
        let Some(first) = epochs.len().checked_sub(last) else {
            let kept = epochs.len();
            return Err(AverageError::TooFewKept { kept, found: last }.into());
        };
        let load = |epoch: &usize| -> Result<M, TrainingError> {
            let loaded = store.load(*epoch)?.module(part, model.valid());
            loaded.map_err(|error| Damage::content(&path, error).into())
        };
        let models: Vec<M> = epochs[first..].iter().map(load).collect::<Result<_, _>>()?;
        Ok(merged(models, &decay.coefficients(last))?)
    }

    /// Whether its configuration, if there is one, says so.
    fn optimizer_keeps_average(&self) -> Result<bool, TrainingError> {
        let path = self.config();
        match std::fs::read(&path) {
            Ok(json) => Ok(keeps_average(&self.parsed_config(&json)?)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(TrainingError::file("read", &path, error)),
        }
    }
}
