//! Running statistics of averaged models, as batch norms have them.
//!
//! They describe what the weights made of the data. Those of an average are not the average of those.

use std::{slice, vec};

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{DType, Tensor};
use serde::{Deserialize, Serialize};

use super::error::AverageError;
use crate::optim::parameters;

/// What becomes of a model's running statistics in an average.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Statistics {
    /// They are averaged as weights are: PyTorch's `use_buffers=True`, and what timm does.
    #[default]
    Averaged,
    /// They are the model's newest: what PyTorch does by default.
    Copied,
    /// They are computed anew over the training data, for the averaged weights: PyTorch's `update_bn`. A
    /// run does so at the end of every epoch, which takes a pass over all batches, forward and backward.
    Recomputed,
}

/// A power of two beside which the statistics of a batch are lost in rounding.
const HUGE: f32 = 1.267_650_6e30;

/// `model` with running statistics that are the means over `batches` of each batch's own, every batch
/// counting the same. `forward` computes what it likes of a batch with a model in training mode.
///
/// The layers' momentum does not matter. As nobody can ask a layer for it, it is measured, to 6e-8: the
/// statistics are right to a relative 6e-8 over the momentum. A layer that does not take part, being frozen or
/// never called, keeps what it has. The batches are asked for three times, of which twice for the first
/// alone.
///
/// ```
/// use burn::nn::{BatchNorm, BatchNormConfig};
/// use burn::tensor::{Device, Tensor};
/// use burn_lr_training::average::recomputed_statistics;
///
/// let device = Device::flex().autodiff();
/// let norm: BatchNorm = BatchNormConfig::new(1).init(&device);
/// let batches = || [[[1.0], [3.0]], [[5.0], [7.0]]].map(|batch| Tensor::<2>::from_floats(batch, &device));
/// let norm = recomputed_statistics(&norm, batches, |norm, batch| {
///     norm.forward(batch);
/// })?;
/// let mean: f32 = norm.running_mean.value().into_scalar();
/// assert!((mean - 4.0).abs() < 1e-5);
/// # Ok::<(), burn_lr_training::average::AverageError>(())
/// ```
///
/// # Errors
/// [`AverageError::NoBatch`] if there is none, [`AverageError::Coarse`] for statistics of 16 bits.
///
/// # Source
/// PyTorch's `update_bn`. Burn keeps the variance of a batch over its `n` values, PyTorch over `n - 1`.
pub fn recomputed_statistics<M, B, I>(
    model: &M,
    batches: impl Fn() -> I,
    mut forward: impl FnMut(&M, B),
) -> Result<M, AverageError>
where
    M: Module,
    I: IntoIterator<Item = B>,
{
    let original = model.valid();
    // Running statistics of its own, which all its clones share.
    let training = original.valid().train();
    let params = parameters(&training).into_iter();
    let mut running: Vec<bool> = params.map(|param| !param.trainable).collect();
    let mut first = |running: &[bool]| -> Result<Vec<Tensor<1>>, AverageError> {
        let batch = batches().into_iter().next().ok_or(AverageError::NoBatch)?;
        forward(&training, batch);
        Ok(read(&training.valid(), running))
    };

    // Of all that has no gradients, a batch changes the statistics that are in use.
    let before = read(&original, &running);
    let after = first(&running)?;
    let mut changed = before.iter().zip(&after).map(|(old, new)| !equal(old, new));
    for is_running in running.iter_mut().filter(|is_running| **is_running) {
        *is_running = changed.next().unwrap_or(false);
    }
    let before = read(&original, &running);
    if let Some((number, coarse)) = coarse(&before) {
        return Err(AverageError::Coarse {
            of: format!("running statistic {number}"),
            found: coarse,
        });
    }

    let filled = |with: f32| before.iter().map(|old| old.full_like(with)).collect();
    set(&training, &running, filled(HUGE));
    let kept = first(&running)?;
    let momentum = kept.into_iter().map(|kept| (kept / HUGE).neg() + 1.0);
    let momentum: Vec<Tensor<1>> = momentum.collect();

    let mut means: Vec<Tensor<1>> = filled(0.0);
    for (number, batch) in (1_u64..).zip(batches()) {
        set(&training, &running, filled(0.0));
        forward(&training, batch);
        for (mean, new) in means.iter_mut().zip(read(&training.valid(), &running)) {
            *mean = mean.clone() + (new - mean.clone()) / number as f64;
        }
    }
    let means = means.into_iter().zip(momentum);
    set(
        &original,
        &running,
        means.map(|(mean, m)| mean / m).collect(),
    );
    Ok(original)
}

/// The first of `statistics` that has 16 bits.
fn coarse(statistics: &[Tensor<1>]) -> Option<(usize, DType)> {
    let mut types = statistics.iter().map(Tensor::dtype).enumerate();
    types.find(|(_, dtype)| !matches!(dtype, DType::F32 | DType::F64))
}

fn equal(one: &Tensor<1>, other: &Tensor<1>) -> bool {
    let equal = one.clone().equal(other.clone()).all();
    equal.try_into_scalar::<bool>().unwrap_or(false)
}

/// Those of the floating-point values of `model` that are `wanted`, by their number.
fn read<M: Module>(model: &M, wanted: &[bool]) -> Vec<Tensor<1>> {
    struct Read<'a>(slice::Iter<'a, bool>, Vec<Tensor<1>>);
    impl ModuleVisitor for Read<'_> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if self.0.next() == Some(&true) {
                let length = param.lazy_shape().num_elements();
                self.1
                    .push(param.base().without_autodiff().reshape([length]));
            }
        }
    }
    let mut read = Read(wanted.iter(), Vec::new());
    model.visit(&mut read);
    read.1
}

/// Sets the running statistics of `model`, which its clones share, that are `wanted`.
fn set<M: Module>(model: &M, wanted: &[bool], to: Vec<Tensor<1>>) {
    struct Set<'a>(slice::Iter<'a, bool>, vec::IntoIter<Tensor<1>>);
    impl ModuleMapper for Set<'_> {
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
            if self.0.next() != Some(&true) {
                return param;
            }
            let Some(new) = self.1.next() else {
                return param;
            };
            param.map(|old| {
                let new = new.reshape(old.dims());
                if old.is_autodiff() {
                    new.autodiff()
                } else {
                    new
                }
            })
        }
    }
    drop(model.clone().map(&mut Set(wanted.iter(), to.into_iter())));
}
