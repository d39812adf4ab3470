//! Whether a ready optimizer chooses parameters by their ids.
//!
//! It keeps its groups to itself, so it is tried: on a copy of the model in which every parameter is a
//! single number, and on one that has other ids. Where the two move differently, ids decide.

use std::panic::{AssertUnwindSafe, catch_unwind};

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::tensor::Tensor;

use super::param::{ParamInfo, parameters};

/// Several, of which the first alone makes Adam's relatives step alike whatever their betas are.
const GRADIENTS: [f32; 3] = [1.0, -0.25, 0.5];
const LR: f64 = 0.1;

/// The path of the first parameter of `model` that `optimizer` has by its id.
pub(super) fn chosen_by_id<M: Module>(
    optimizer: &ModuleOptimizer,
    model: &M,
    params: &[ParamInfo],
) -> Option<String> {
    let moved = |other_ids| {
        let (mut optimizer, model) = (optimizer.clone(), model.clone());
        // An optimizer may refuse a tensor by a panic, as Muon does, and then does so in the run too.
        catch_unwind(AssertUnwindSafe(|| moved(&mut optimizer, model, other_ids))).ok()
    };
    let (own, other) = (moved(false)?, moved(true)?);
    let differs = own
        .iter()
        .zip(&other)
        .position(|(own, other)| own != other)?;
    params.get(differs).map(|param| param.path.clone())
}

/// The first number of every parameter after a few steps.
fn moved<M: Module>(optimizer: &mut ModuleOptimizer, model: M, other_ids: bool) -> Vec<u32> {
    let mut model = model.map(&mut Single { other_ids });
    for gradient in GRADIENTS {
        let mut gradients = Gradients(GradientsParams::new(), gradient);
        model.visit(&mut gradients);
        model = optimizer.step(LR, model, gradients.0);
    }
    let mut numbers = Numbers(Vec::new());
    model.visit(&mut numbers);
    numbers.0
}

/// Makes a single number of every parameter.
struct Single {
    other_ids: bool,
}

impl ModuleMapper for Single {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let trainable = parameters(&param).iter().any(|param| param.trainable);
        // Clones of a model share its buffers: they stay as they are.
        if !trainable && param.is_initialized() {
            return param;
        }
        let id = if self.other_ids {
            ParamId::new()
        } else {
            param.id
        };
        let mut device = param.lazy_device();
        if !device.is_autodiff() {
            device = device.autodiff();
        }
        let value = Tensor::ones([1; D], &device);
        Param::initialized(id, value.set_require_grad(trainable))
    }
}

/// The same gradient for all trainable parameters.
struct Gradients(GradientsParams, f32);

impl ModuleVisitor for Gradients {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if param.is_require_grad() {
            let gradient = Tensor::<D>::full([1; D], self.1, &param.device().inner());
            self.0.register(param.id, gradient);
        }
    }
}

struct Numbers(Vec<u32>);

impl ModuleVisitor for Numbers {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let number = if param.is_require_grad() {
            param.val().into_data().iter::<f32>().next()
        } else {
            None
        };
        self.0.push(number.map_or(0, f32::to_bits));
    }
}
