//! The passes over a model that an update takes, and that for the weights to be evaluated.

use std::collections::{BTreeMap, HashSet};

use burn::module::{Module, ModuleVisitor, Param, ParamId};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;

use super::prodigy::{Phase, ProdigyConfig, Shared};
use super::schedule_free::Evaluation;

/// The metric of Prodigy's step size.
const STEP_SIZE: &str = "prodigy_d";

/// What the optimizers of a model's parameters, which Burn steps one by one, have in common.
#[derive(Debug, Clone, Default)]
pub(crate) struct Passes {
    evaluation: Evaluation,
    /// The parameters of which other weights are evaluated than trained.
    averaged: HashSet<ParamId>,
    shared: Shared,
    /// The parameters of Prodigy.
    measured: HashSet<ParamId>,
    /// Of the run's Prodigy, whose groups may have another weight decay.
    prodigy: Option<ProdigyConfig>,
}

impl Passes {
    pub(super) fn evaluation(&self) -> Evaluation {
        self.evaluation.clone()
    }

    pub(super) fn shared(&self) -> Shared {
        self.shared.clone()
    }

    /// Knows the parameter with `id` for one of which an average is evaluated.
    pub(super) fn add_averaged(&mut self, id: ParamId) {
        self.averaged.insert(id);
    }

    /// Knows the parameter with `id` for one of Prodigy's.
    pub(super) fn add_measured(&mut self, id: ParamId, config: ProdigyConfig) {
        self.measured.insert(id);
        self.prodigy.get_or_insert(config);
    }

    /// Whether other weights are evaluated than trained.
    pub(crate) fn has_average(&self) -> bool {
        !self.averaged.is_empty()
    }

    /// The names of the metrics of an epoch that [`add_metrics`](Self::add_metrics) adds.
    pub(crate) fn metrics(&self) -> Vec<String> {
        let metrics = self.prodigy.iter().map(|_| STEP_SIZE.to_owned());
        metrics.collect()
    }

    /// Adds what the optimizer itself has to tell at the end of an epoch.
    pub(crate) fn add_metrics(&self, metrics: &mut BTreeMap<String, f64>) {
        if let Some(d) = self.d() {
            metrics.insert(STEP_SIZE.to_owned(), d);
        }
    }

    /// Prodigy's step size, if there is one.
    pub(super) fn d(&self) -> Option<f64> {
        self.prodigy
            .and_then(|config| self.shared.d().or(Some(config.d0)))
    }

    /// Has the next update look for what the optimizer remembers.
    pub(super) fn forget(&self) {
        self.shared.forget();
    }

    /// Whether an update takes more than one pass.
    pub(crate) fn are_several(&self) -> bool {
        self.prodigy.is_some()
    }

    /// Makes an update of `model` with `grads`: `step` has the optimizer step with the gradients that it is
    /// given, once or more.
    pub(crate) fn update<M: Module>(
        &self,
        model: &M,
        grads: GradientsParams,
        mut step: impl FnMut(GradientsParams),
    ) {
        let Some(config) = &self.prodigy else {
            return step(grads);
        };
        if !self.shared.has_estimate() {
            self.shared.begin(Phase::Recall);
            step(values(model, &self.measured));
        }
        self.shared.begin(Phase::Measure);
        step(some_of(&grads, model, &self.measured));
        self.shared.conclude(config);
        self.shared.begin(Phase::Apply);
        step(grads);
    }

    /// What is to be evaluated in place of `model`: what `step` makes of it with gradients that are none.
    /// It must be a step of a copy of the optimizer.
    pub(crate) fn evaluated<M: Module>(
        &self,
        model: &M,
        step: impl FnOnce(GradientsParams) -> M,
    ) -> M {
        let asked = values(model, &self.averaged);
        self.evaluation.during(|| step(asked))
    }
}

/// Something of the shape of gradients for those of the parameters of `model` that are `wanted`.
fn values<M: Module>(model: &M, wanted: &HashSet<ParamId>) -> GradientsParams {
    collected(model, wanted, None)
}

/// Those of `grads`, which are of `model`, that are `wanted`.
fn some_of<M: Module>(
    grads: &GradientsParams,
    model: &M,
    wanted: &HashSet<ParamId>,
) -> GradientsParams {
    collected(model, wanted, Some(grads))
}

fn collected<M: Module>(
    model: &M,
    wanted: &HashSet<ParamId>,
    grads: Option<&GradientsParams>,
) -> GradientsParams {
    let mut collector = Collector {
        wanted,
        grads,
        found: GradientsParams::new(),
    };
    model.visit(&mut collector);
    collector.found
}

struct Collector<'a> {
    wanted: &'a HashSet<ParamId>,
    grads: Option<&'a GradientsParams>,
    found: GradientsParams,
}

impl ModuleVisitor for Collector<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if !self.wanted.contains(&param.id) {
            return;
        }
        let tensor = match self.grads {
            Some(grads) => grads.get::<D>(param.id),
            None => Some(param.val().without_autodiff()),
        };
        if let Some(tensor) = tensor {
            self.found.register(param.id, tensor);
        }
    }
}
