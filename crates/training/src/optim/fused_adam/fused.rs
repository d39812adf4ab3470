//! Burn's optimizers of Adam's kind, with one pass over memory where that can be had.

use burn::optim::{
    Adam, AdamState, AdamW, AdamWState, AdaptiveMomentumState, LearningRate, Optimizer,
};
use burn::tensor::{DType, Device, Tensor};

use super::by_operations::by_operations;
use super::one_pass::{fits, one_pass};
use super::settings::Settings;

/// An optimizer of Burn's whose whole state are Adam's moments.
pub(in crate::optim) trait OfAdamsKind: Optimizer {
    fn moments<const D: usize>(state: &Self::State<D>) -> &AdaptiveMomentumState<D>;
    fn into_moments<const D: usize>(state: Self::State<D>) -> AdaptiveMomentumState<D>;
    fn state<const D: usize>(moments: AdaptiveMomentumState<D>) -> Self::State<D>;
}

macro_rules! of_adams_kind {
    ($($optimizer:ident: $state:ident,)*) => {$(
        impl OfAdamsKind for $optimizer {
            fn moments<const D: usize>(state: &$state<D>) -> &AdaptiveMomentumState<D> {
                &state.momentum
            }

            fn into_moments<const D: usize>(state: $state<D>) -> AdaptiveMomentumState<D> {
                state.momentum
            }

            fn state<const D: usize>(moments: AdaptiveMomentumState<D>) -> $state<D> {
                $state::new(moments)
            }
        }
    )*};
}

of_adams_kind! {
    Adam: AdamState,
    AdamW: AdamWState,
}

/// The rule for one parameter, which a parameter group can have too.
#[derive(Clone)]
pub(in crate::optim) struct Fused<B> {
    /// None if it is more than one pass can do.
    pub(super) settings: Option<Settings>,
    /// For what cannot be done in one pass.
    pub(super) burns: B,
}

impl<B: OfAdamsKind> Optimizer for Fused<B> {
    type State<const D: usize> = B::State<D>;

    fn step<const D: usize>(
        &self,
        lr: LearningRate,
        tensor: Tensor<D>,
        grad: Tensor<D>,
        state: Option<Self::State<D>>,
    ) -> (Tensor<D>, Option<Self::State<D>>) {
        let moments = state.as_ref().map(B::moments);
        let [first, second] = [
            moments.map(|of| &of.moment_1),
            moments.map(|of| &of.moment_2),
        ];
        let in_one_pass = fits(&tensor, [Some(&grad), first, second]);
        // What half precision makes of the corrections is for Burn to say.
        let is_wide = [DType::F32, DType::F64].contains(&tensor.dtype());
        let Some(settings) = self.settings.filter(|_| is_wide) else {
            return self.burns.step(lr, tensor, grad, state);
        };
        let moments = state.map(B::into_moments);
        let factors = |time| settings.factors(lr, time);
        let (updated, moments) = if in_one_pass {
            one_pass(tensor, grad, moments, |time| factors(time).single())
        } else {
            by_operations(tensor, grad, moments, factors)
        };
        (updated, Some(B::state(moments)))
    }

    fn to_device<const D: usize>(state: Self::State<D>, device: &Device) -> Self::State<D> {
        B::to_device(state, device)
    }
}
