//! What becomes of the gradients before the optimizer gets them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use burn::module::Module;
use burn::optim::GradientsParams;
use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use crate::TrainingError;
use crate::metrics::{Metrics, single_float};
use crate::optim::{GradientClip, GradientNorm, NonFinite};

/// So many norms are read from the device at once.
const CHUNK: usize = 128;

/// Clips gradients, keeps those that are not finite from the optimizer, and keeps count; clones
/// count together.
#[derive(Clone)]
pub(super) struct Gradients {
    clip: Option<GradientClip>,
    non_finite: NonFinite,
    epoch: Arc<Mutex<Epoch>>,
}

/// What is counted of the gradients of an epoch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Counted {
    updates: u64,
    skipped: u64,
    /// Of the norms.
    #[serde(with = "single_float")]
    sum: f64,
}

impl Counted {
    /// Whether no more updates were skipped than there were.
    pub(super) fn is_possible(self) -> bool {
        self.skipped <= self.updates
    }
}

/// The gradients of the running epoch.
#[derive(Default)]
struct Epoch {
    counted: Counted,
    /// Norms that were not read yet.
    unread: Vec<Tensor<1>>,
    /// The norm that was not finite, and the update it was of.
    stopped: Option<(u64, f64)>,
}

impl Gradients {
    pub(super) fn new(clip: Option<GradientClip>, non_finite: NonFinite) -> Self {
        Self {
            clip,
            non_finite,
            epoch: Arc::default(),
        }
    }

    /// Clips `grads`, which are those of `model`, and gives whether the update may be made.
    pub(super) fn admit<M: Module>(&self, grads: &mut GradientsParams, model: &M) -> bool {
        let norm = match &self.clip {
            Some(clip) => clip.clip(grads, model),
            None => GradientNorm::of(grads, model),
        };
        let mut epoch = self.lock();
        epoch.counted.updates += 1;
        if self.non_finite == NonFinite::Propagate {
            epoch.add(norm);
            return true;
        }
        let norm = norm.value();
        if norm.is_finite() {
            epoch.counted.sum += norm;
            return true;
        }
        epoch.counted.skipped += 1;
        if self.non_finite == NonFinite::Stop {
            epoch.stopped = Some((epoch.counted.updates, norm));
        }
        false
    }

    /// Whether there is anything to do.
    pub(super) fn are_watched(&self) -> bool {
        self.clip.is_some() || self.non_finite != NonFinite::Propagate
    }

    /// Whether a gradient that is not finite ends the run.
    pub(super) fn must_stop(&self) -> bool {
        self.lock().stopped.is_some()
    }

    /// Why the run cannot go on after the running epoch, `number`, if it cannot.
    pub(super) fn failure(&self, number: usize) -> Option<TrainingError> {
        let epoch = self.lock();
        if let Some((update, norm)) = epoch.stopped {
            return Some(TrainingError::GradientDiverged {
                epoch: number,
                update,
                norm,
            });
        }
        let all_skipped =
            epoch.counted.updates > 0 && epoch.counted.skipped == epoch.counted.updates;
        all_skipped.then_some(TrainingError::AllSkipped {
            epoch: number,
            updates: epoch.counted.updates,
        })
    }

    /// Ends the epoch, whose metrics of gradients join `metrics`.
    ///
    /// # Errors
    /// [`TrainingError::GradientDiverged`] if a gradient was not finite and that ends the run,
    /// [`TrainingError::AllSkipped`] if no update of the epoch could be made.
    pub(super) fn end(&self, number: usize, metrics: &mut Metrics) -> Result<(), TrainingError> {
        if !self.are_watched() {
            return Ok(());
        }
        if let Some(error) = self.failure(number) {
            return Err(error);
        }
        let mut epoch = std::mem::take(&mut *self.lock());
        epoch.read();
        let Counted {
            updates,
            skipped,
            sum,
        } = epoch.counted;
        let counted = updates - skipped;
        metrics.insert("gradient_norm".to_owned(), sum / counted as f64);
        if self.non_finite != NonFinite::Propagate {
            metrics.insert("skipped_updates".to_owned(), skipped as f64);
        }
        Ok(())
    }

    /// What is counted of the running epoch so far.
    pub(super) fn counted(&self) -> Counted {
        let mut epoch = self.lock();
        epoch.read();
        epoch.counted
    }

    /// Goes on within an epoch of which so much was counted.
    pub(super) fn go_on_within(&self, counted: Counted) {
        self.lock().counted = counted;
    }

    /// The names of the metrics that [`end`](Self::end) adds.
    pub(super) fn metrics(&self) -> Vec<String> {
        let mut names = Vec::new();
        if self.are_watched() {
            names.push("gradient_norm".to_owned());
        }
        if self.non_finite != NonFinite::Propagate {
            names.push("skipped_updates".to_owned());
        }
        names
    }

    fn lock(&self) -> MutexGuard<'_, Epoch> {
        self.epoch.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Epoch {
    fn add(&mut self, norm: GradientNorm) {
        self.unread.extend(norm.tensor());
        if self.unread.len() >= CHUNK {
            self.read();
        }
    }

    fn read(&mut self) {
        if self.unread.is_empty() {
            return;
        }
        let norms = Tensor::cat(std::mem::take(&mut self.unread), 0).into_data();
        // One by one: when they are read makes no difference then.
        for norm in norms.iter::<f64>() {
            self.counted.sum += norm;
        }
    }
}
