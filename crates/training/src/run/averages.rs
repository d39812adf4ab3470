//! The average of a run's weights, kept beside the model.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use burn::module::Module;
use burn::tensor::{Bytes, Device};
use serde::{Deserialize, Serialize};

use super::resume::Contents;
use crate::TrainingError;
use crate::average::{
    Average, AverageError, Decay, Every, Kind, ModelAverage, Rule, Start, Statistics, Validate,
    merged_with,
};
use crate::checkpoint::{AVERAGE, AVERAGE_PROGRESS};
use crate::metrics::{MetricKey, Split};
use crate::storage::filled;

/// The average of a run; clones are one and the same.
pub(super) struct Averages<M> {
    pub plan: Average,
    state: Arc<Mutex<State<M>>>,
}

/// Parts of a checkpoint.
type Parts = Vec<(&'static str, Vec<u8>)>;

struct State<M> {
    running: Kept<M>,
    progress: Progress,
    /// The average with statistics of its own.
    recomputed: Option<M>,
}

enum Kept<M> {
    Running(ModelAverage<M>),
    /// The models of the last epochs, the oldest first, and their mean.
    Last {
        models: VecDeque<M>,
        last: usize,
        decay: Decay,
        statistics: Statistics,
        mean: M,
    },
    /// What the optimizer gave at the end of the last epoch: it keeps the average.
    Optimizers(M),
}

/// How far an average has come: what a checkpoint holds of it beside the averaged model.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Progress {
    /// Updates of the run.
    pub updates: u64,
    /// Updates since the average has begun.
    since_updates: u64,
    /// Ends of epochs since then.
    since_epochs: u64,
    /// Models in the average.
    pub averaged: u64,
}

impl Progress {
    /// That of an average that has nothing yet, in a run that has made so many updates.
    pub(super) fn after(updates: u64) -> Self {
        Self {
            updates,
            ..Self::default()
        }
    }
}

impl<M> Clone for Averages<M> {
    fn clone(&self) -> Self {
        Self {
            plan: self.plan.clone(),
            state: self.state.clone(),
        }
    }
}

impl<M: Module> Averages<M> {
    /// The average of a run that begins with `model`.
    ///
    /// # Errors
    /// As for [`ModelAverage::new`].
    pub(super) fn new(plan: Average, model: &M) -> Result<Self, AverageError> {
        let of = |rule| ModelAverage::new(rule, plan.statistics, model);
        let running = match plan.kind {
            Kind::Running(rule) => Kept::Running(of(rule)?),
            Kind::Checkpoints { last, decay } => Kept::Last {
                models: VecDeque::new(),
                last,
                decay,
                statistics: plan.statistics,
                // Whether the model can be averaged is the same question.
                mean: of(Rule::Equal)?.model(),
            },
        };
        let state = State {
            running,
            progress: Progress::default(),
            recomputed: None,
        };
        Ok(Self {
            plan,
            state: Arc::new(Mutex::new(state)),
        })
    }

    /// The average that the optimizer of a run that begins with `model` keeps: at the end of every epoch it is
    /// taken in in place of the one before.
    ///
    /// # Errors
    /// As for [`ModelAverage::new`].
    pub(super) fn of_optimizer(statistics: Statistics, model: &M) -> Result<Self, AverageError> {
        let model = ModelAverage::new(Rule::Equal, statistics, model)?.model();
        let state = State {
            running: Kept::Optimizers(model),
            progress: Progress::default(),
            recomputed: None,
        };
        Ok(Self {
            plan: Average::swa().statistics(statistics),
            state: Arc::new(Mutex::new(state)),
        })
    }

    /// Whether it is the optimizer's.
    pub(super) fn is_of_optimizer(&self) -> bool {
        matches!(self.lock().running, Kept::Optimizers(_))
    }

    /// Keeps the average on `device`, where the model is trained.
    pub(super) fn to_device(&self, device: &Device) {
        let state = &mut *self.lock();
        match &mut state.running {
            Kept::Running(average) => average.to_device(device),
            Kept::Optimizers(model) => *model = model.valid().fork(&device.clone().inner()),
            Kept::Last { models, mean, .. } => {
                let device = device.clone().inner();
                for model in models.iter_mut().chain([mean]) {
                    *model = model.valid().fork(&device);
                }
            }
        }
    }

    /// Hears of an update in `epoch` that has led to `model`.
    pub(super) fn update(&self, model: &M, epoch: usize) -> Result<(), AverageError> {
        let state = &mut *self.lock();
        state.progress.updates += 1;
        if !self.has_begun(state, epoch) {
            return Ok(());
        }
        state.progress.since_updates += 1;
        match self.plan.every {
            Every::Updates(every) if state.progress.since_updates.is_multiple_of(every) => {
                state.take_in(model)
            }
            _ => Ok(()),
        }
    }

    /// Hears of the end of `epoch`, which has led to `model`.
    pub(super) fn end_epoch(&self, model: &M, epoch: usize) -> Result<(), AverageError> {
        let state = &mut *self.lock();
        state.recomputed = None;
        if self.has_begun(state, epoch) {
            state.progress.since_epochs += 1;
            if let Every::Epochs(every) = self.plan.every
                && state.progress.since_epochs.is_multiple_of(every)
            {
                state.take_in(model)?;
            }
        }
        match &mut state.running {
            Kept::Running(average) => average.follow(model),
            Kept::Last { .. } | Kept::Optimizers(_) => Ok(()),
        }
    }

    fn has_begun(&self, state: &State<M>, epoch: usize) -> bool {
        match self.plan.start {
            Start::AfterUpdates(left_out) => state.progress.updates > left_out,
            Start::AfterEpochs(left_out) => epoch as u64 > left_out,
        }
    }

    /// Whether statistics are to be computed for the average, which is not the model itself any more.
    pub(super) fn is_to_be_recomputed(&self) -> bool {
        self.plan.statistics == Statistics::Recomputed && self.lock().progress.averaged > 0
    }

    /// Gives the average these statistics until the end of the next epoch.
    pub(super) fn set_recomputed(&self, model: M) {
        self.lock().recomputed = Some(model);
    }

    /// The averaged model; the model itself, until the average has begun.
    pub(super) fn model(&self) -> M {
        let state = self.lock();
        match (&state.recomputed, &state.running) {
            (Some(model), _) | (None, Kept::Last { mean: model, .. } | Kept::Optimizers(model)) => {
                model.valid()
            }
            (None, Kept::Running(average)) => average.model(),
        }
    }

    /// What a checkpoint holds of it.
    ///
    /// # Errors
    /// [`TrainingError::Model`] if Burn cannot serialize the model.
    pub(super) fn parts(&self) -> Result<Parts, TrainingError> {
        self.parts_with(self.model())
    }

    /// What a checkpoint within an epoch holds of it: the average itself, whatever statistics it has been
    /// given since.
    ///
    /// # Errors
    /// As for [`parts`](Self::parts).
    pub(super) fn running_parts(&self) -> Result<Parts, TrainingError> {
        let model = match &self.lock().running {
            Kept::Running(average) => average.model(),
            Kept::Last { mean: model, .. } | Kept::Optimizers(model) => model.valid(),
        };
        self.parts_with(model)
    }

    fn parts_with(&self, model: M) -> Result<Parts, TrainingError> {
        let failed = |part: &str, reason: String| TrainingError::Model {
            action: "write",
            path: part.into(),
            reason,
        };
        let model = model.into_record().into_bytes();
        let model = model.map_err(|error| failed(AVERAGE, error.to_string()))?;
        let progress = serde_json::to_vec(&self.lock().progress);
        let progress = progress.map_err(|error| failed(AVERAGE_PROGRESS, error.to_string()))?;
        Ok(vec![
            (AVERAGE, model.to_vec()),
            (AVERAGE_PROGRESS, progress),
        ])
    }

    /// Goes on from what a checkpoint holds, and those before it if the average is of several.
    ///
    /// # Errors
    /// [`TrainingError::Damaged`] if a part of one does not fit, or one that is needed is damaged.
    pub(super) fn restore(&self, saved: &Contents<'_>, model: &M) -> Result<(), TrainingError> {
        let load = |bytes| filled(model.valid(), Bytes::from_bytes_vec(bytes));
        let misfit = |error: &dyn ToString| saved.damaged(AVERAGE, error.to_string());
        let average = load(saved.part(AVERAGE).to_vec()).map_err(|error| misfit(&error))?;
        let progress: Progress = serde_json::from_slice(&saved.part(AVERAGE_PROGRESS))
            .map_err(|error| saved.damaged(AVERAGE_PROGRESS, error))?;
        let state = &mut *self.lock();
        state.progress = progress;
        match &mut state.running {
            Kept::Running(running) => running.restore(average, progress.averaged)?,
            Kept::Optimizers(model) => *model = average,
            Kept::Last {
                models, last, mean, ..
            } => {
                *mean = average;
                for bytes in models_before(*last, progress, saved)? {
                    models.push_back(load(bytes).map_err(|error| misfit(&error))?);
                }
            }
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, State<M>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<M: Module> State<M> {
    fn take_in(&mut self, model: &M) -> Result<(), AverageError> {
        self.progress.averaged += 1;
        match &mut self.running {
            Kept::Running(average) => average.update(model),
            Kept::Optimizers(average) => {
                *average = model.valid();
                Ok(())
            }
            Kept::Last {
                models,
                last,
                decay,
                statistics,
                mean,
            } => {
                models.push_back(model.valid());
                while models.len() > *last {
                    models.pop_front();
                }
                let coefficients = decay.coefficients(models.len());
                *mean = merged_with(models.iter().cloned(), &coefficients, *statistics)?;
                Ok(())
            }
        }
    }
}

/// The models that a mean of the `last` checkpoints has when it goes on from what is `saved`.
fn models_before(
    last: usize,
    progress: Progress,
    saved: &Contents<'_>,
) -> Result<Vec<Vec<u8>>, TrainingError> {
    let averaged = usize::try_from(progress.averaged).unwrap_or(usize::MAX);
    saved.models_of_last(last.saturating_sub(1).min(averaged))
}

/// Whether an average as `plan` says can go on from what is `saved`, as far as earlier checkpoints are needed.
///
/// # Errors
/// [`TrainingError::Damaged`] if one of them is damaged.
pub(super) fn check_earlier(plan: &Average, saved: &Contents<'_>) -> Result<(), TrainingError> {
    // Without it, the run was of another configuration, which is refused by name.
    let progress = serde_json::from_slice(&saved.part(AVERAGE_PROGRESS));
    match (plan.kind, progress) {
        (Kind::Checkpoints { last, .. }, Ok(progress)) => {
            models_before(last, progress, saved).map(drop)
        }
        _ => Ok(()),
    }
}

/// Whether `metric` is of the average, and so what is best by it, not of the model. What that was trained on
/// says nothing of its average.
pub(super) fn is_of_average(plan: &Average, metric: &MetricKey) -> bool {
    let of_average = match plan.validate {
        Validate::Average => true,
        Validate::Model => false,
        Validate::Both => metric.name().starts_with(PREFIX),
    };
    metric.split() == Split::Valid && of_average
}

/// What the names of the average's metrics begin with, beside those of the model.
pub(super) const PREFIX: &str = "average_";
