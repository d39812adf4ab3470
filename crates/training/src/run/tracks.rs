//! What the schedulers of a run set.

use std::collections::BTreeMap;

use crate::feedback::Feedback;
use crate::metrics::MetricKey;
use crate::optim::Hyperparameter;

/// The learning rate of a parameter group, or of all other parameters, or a hyperparameter that is scheduled there,
/// and what its plateaus hear.
#[derive(Clone)]
pub(super) struct Track {
    pub group: Option<String>,
    /// None for the rate.
    pub hyperparameter: Option<Hyperparameter>,
    pub observed: MetricKey,
    pub feedback: Feedback,
}

/// What was set in the last update.
#[derive(Default)]
pub(super) struct InForce {
    pub lr: f64,
    pub next_lr: f64,
    pub group_lrs: BTreeMap<String, f64>,
    pub hyperparameters: BTreeMap<String, f64>,
}

impl Track {
    fn name(&self, of: Hyperparameter) -> String {
        name(of, self.group.as_deref())
    }
}

/// The name of a hyperparameter of a group, or of all other parameters, in histories.
pub(super) fn name(of: Hyperparameter, group: Option<&str>) -> String {
    match group {
        Some(group) => format!("{of}_{group}"),
        None => of.to_string(),
    }
}

impl InForce {
    pub(super) fn of(tracks: &[Track]) -> Self {
        let mut all = Self::default();
        for track in tracks {
            let state = track.feedback.lr();
            match (track.hyperparameter, &track.group) {
                (Some(of), _) => drop(all.hyperparameters.insert(track.name(of), state.lr)),
                (None, Some(group)) => drop(all.group_lrs.insert(group.clone(), state.lr)),
                (None, None) => (all.lr, all.next_lr) = (state.lr, state.next_lr),
            }
            if let Some(momentum) = state.momentum {
                let name = track.name(Hyperparameter::Momentum);
                all.hyperparameters.insert(name, momentum);
            }
        }
        all
    }
}
