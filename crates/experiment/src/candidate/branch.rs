//! Candidates that begin where another one was.

use std::path::{Path, PathBuf};

use burn_lr_training::run::Branch;

use super::definition::Candidate;
use super::trunk::{BranchPoint, Trunk};

impl Candidate {
    /// Begins every trial at a checkpoint of the candidate called `of`, under the same seed, which is
    /// trained once for all that branch off it: see
    /// [`Training::branch`](burn_lr_training::Training::branch). It must come before this one.
    ///
    /// ```
    /// use burn_lr_experiment::{BranchPoint, Candidate};
    /// use burn_lr_scheduler::Cooldown;
    ///
    /// let stable = || Candidate::new("stable").schedule(0.001).epochs(20);
    /// let cooled = |epoch: u32| {
    ///     Candidate::new(format!("cooled from {epoch} on"))
    ///         .schedule(Cooldown::new(0.001, epoch, epoch / 4).per_epoch())
    ///         .epochs((epoch + epoch / 4) as usize)
    ///         .branch("stable", BranchPoint::Epoch(epoch as usize))
    /// };
    /// let candidates = [stable(), cooled(4), cooled(8), cooled(16)];
    /// # assert_eq!(candidates[3].epochs, Some(20));
    /// ```
    pub fn branch(mut self, of: impl Into<String>, at: BranchPoint) -> Self {
        self.branch = Some(Trunk { of: of.into(), at });
        self
    }

    /// The checkpoint that the trial in `directory` begins at, if it branches off another candidate's.
    pub(crate) fn branch_of(&self, directory: &Path) -> Option<Branch> {
        let trunk = self.branch.as_ref()?;
        let parent = parent(directory, &trunk.of)?;
        Some(match trunk.at {
            BranchPoint::Epoch(epoch) => Branch::epoch(parent, epoch),
            BranchPoint::Update(updates) => Branch::update(parent, updates),
        })
    }

    /// Whether one of `candidates` branches off this one.
    pub(crate) fn is_trunk_of(&self, candidates: &[Self]) -> bool {
        let mut trunks = candidates.iter().filter_map(|other| other.branch.as_ref());
        trunks.any(|trunk| trunk.of == self.name)
    }
}

/// The trial of the candidate `of` under the same seed as that in `directory`.
fn parent(directory: &Path, of: &str) -> Option<PathBuf> {
    let seed = directory.file_name()?;
    let all = directory.parent()?.parent()?;
    Some(all.join(Candidate::new(of).directory()).join(seed))
}
