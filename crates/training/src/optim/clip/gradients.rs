//! Gradients of one device or of several, behind one face.

use burn::module::ParamId;
use burn::optim::{GradientsParams, MultiGradientsParams};
use burn::tensor::Tensor;

/// Gradients by parameter.
pub(super) trait Gradients {
    /// The gradient, which [`put`](Self::put) brings back.
    fn take<const D: usize>(&mut self, id: ParamId) -> Option<Tensor<D>>;
    fn put<const D: usize>(&mut self, id: ParamId, grad: Tensor<D>);
}

/// For reading alone.
impl Gradients for &GradientsParams {
    fn take<const D: usize>(&mut self, id: ParamId) -> Option<Tensor<D>> {
        self.get(id)
    }

    fn put<const D: usize>(&mut self, _id: ParamId, _grad: Tensor<D>) {}
}

impl Gradients for GradientsParams {
    fn take<const D: usize>(&mut self, id: ParamId) -> Option<Tensor<D>> {
        self.remove(id)
    }

    fn put<const D: usize>(&mut self, id: ParamId, grad: Tensor<D>) {
        self.register(id, grad);
    }
}

impl Gradients for MultiGradientsParams {
    /// The sum over devices, on the one that Burn would sum on.
    fn take<const D: usize>(&mut self, id: ParamId) -> Option<Tensor<D>> {
        self.remove(id).map(|(grad, _)| grad)
    }

    fn put<const D: usize>(&mut self, id: ParamId, grad: Tensor<D>) {
        let device = grad.device();
        let mut grads = self.grads.iter_mut();
        if let Some((grads, _)) = grads.find(|(_, own)| *own == device) {
            grads.register(id, grad);
        }
    }
}
