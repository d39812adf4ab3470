//! Models whose activations are computed again in the backward pass.
//!
//! In Burn whether they are is up to each tensor, which has it from the device that it was made on. A
//! model that is moved to a device of the other kind keeps what it has, and panics with the first
//! batch, which has what the device says.

use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::{Bool, GradientCheckpointingStrategy, Int, Tensor};

/// `model`, which has autodiff, with activations that are computed again.
pub(super) fn recomputing<M: Module>(model: M) -> M {
    model.map(&mut Recomputing)
}

struct Recomputing;

const STRATEGY: GradientCheckpointingStrategy = GradientCheckpointingStrategy::Balanced;

impl ModuleMapper for Recomputing {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        param.map(|tensor| {
            tensor
                .autodiff()
                .with_gradient_checkpointing_strategy(STRATEGY)
        })
    }

    fn map_int<const D: usize>(&mut self, param: Param<Tensor<D, Int>>) -> Param<Tensor<D, Int>> {
        param.map(|tensor| {
            tensor
                .autodiff()
                .with_gradient_checkpointing_strategy(STRATEGY)
        })
    }

    fn map_bool<const D: usize>(
        &mut self,
        param: Param<Tensor<D, Bool>>,
    ) -> Param<Tensor<D, Bool>> {
        param.map(|tensor| {
            tensor
                .autodiff()
                .with_gradient_checkpointing_strategy(STRATEGY)
        })
    }
}
