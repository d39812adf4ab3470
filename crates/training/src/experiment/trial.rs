//! A candidate under a seed, and what became of it.

use std::fmt::Display;
use std::path::PathBuf;

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Bool, Int, Tensor};
use serde::Serialize;

use crate::history::{EpochRecord, History};

/// A candidate trained under a seed.
#[derive(Debug, Clone, Serialize)]
pub struct Trial {
    /// The candidate's place among the candidates.
    pub candidate: usize,
    /// The seed.
    pub seed: u64,
    /// The run directory.
    pub directory: PathBuf,
    /// What became of it.
    pub outcome: Outcome,
}

/// What became of a trial.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Outcome {
    /// It was completed.
    Finished(History),
    /// It failed, with this error.
    Failed(String),
}

impl Trial {
    /// The history, if the trial was completed.
    pub fn history(&self) -> Option<&History> {
        match &self.outcome {
            Outcome::Finished(history) => Some(history),
            Outcome::Failed(_) => None,
        }
    }

    /// The last epoch, if the trial was completed.
    pub fn last(&self) -> Option<&EpochRecord> {
        self.history()?.epochs.last()
    }

    /// The error, if the trial failed.
    pub fn error(&self) -> Option<&str> {
        match &self.outcome {
            Outcome::Finished(_) => None,
            Outcome::Failed(error) => Some(error),
        }
    }
}

/// Draws the initial weights of `model`, which Burn otherwise does when they are first looked at.
pub(super) fn draw_weights<M: Module + Display>(model: &M) {
    struct Look;

    impl ModuleVisitor for Look {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            param.val();
        }

        fn visit_int<const D: usize>(&mut self, param: &Param<Tensor<D, Int>>) {
            param.val();
        }

        fn visit_bool<const D: usize>(&mut self, param: &Param<Tensor<D, Bool>>) {
            param.val();
        }
    }

    // In the order in which `Training::fit` draws them, which writes the model out first.
    let _ = model.to_string();
    model.visit(&mut Look);
}
