//! One update of an average.
//!
//! As tensor operations it would read and write all weights three times; on CPUs it is one pass, in
//! place, since nobody else holds the average.

use std::{slice, vec};

use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::{Bool, DType, Int, Tensor};
use pulp::{Arch, NullaryFnOnce};

use super::slots::{Role, Slot, Value};
use crate::device::is_cpu;
use crate::optim::Weights;

/// `average` with a share of `values`, whose places were checked to be `slots`.
pub(super) fn folded<M: Module>(average: M, values: Vec<Value>, slots: &[Slot], share: f64) -> M {
    average.map(&mut Fold {
        values: values.into_iter(),
        slots: slots.iter(),
        share,
    })
}

struct Fold<'a> {
    values: vec::IntoIter<Value>,
    slots: slice::Iter<'a, Slot>,
    share: f64,
}

impl Fold<'_> {
    fn next<T: 'static>(&mut self) -> Option<(Role, T)> {
        let (value, slot) = (self.values.next()?, self.slots.next()?);
        let tensor = value.tensor.downcast::<T>().ok()?;
        Some((slot.role, *tensor))
    }
}

impl ModuleMapper for Fold<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let share = self.share;
        match self.next::<Tensor<D>>() {
            Some((Role::Averaged, value)) if share < 1.0 => {
                param.map(|average| lerp(average, value, share))
            }
            Some((_, value)) => param.map(|average| value.to_device(&average.device())),
            None => param,
        }
    }

    fn map_int<const D: usize>(&mut self, param: Param<Tensor<D, Int>>) -> Param<Tensor<D, Int>> {
        match self.next::<Tensor<D, Int>>() {
            Some((_, value)) => param.map(|average| value.to_device(&average.device())),
            None => param,
        }
    }

    fn map_bool<const D: usize>(
        &mut self,
        param: Param<Tensor<D, Bool>>,
    ) -> Param<Tensor<D, Bool>> {
        match self.next::<Tensor<D, Bool>>() {
            Some((_, value)) => param.map(|average| value.to_device(&average.device())),
            None => param,
        }
    }
}

/// `average + share * (value - average)`, from the nearer end as PyTorch's `lerp` does it: equal numbers
/// stay equal, infinite ones as masks have them included, and a share of 1 would be `value` to the bit.
fn lerp<const D: usize>(average: Tensor<D>, value: Tensor<D>, share: f64) -> Tensor<D> {
    let device = average.device();
    let value = value.to_device(&device);
    if is_cpu(&device) && average.dtype() == DType::F32 {
        let mut average = average.into_data();
        let value = Weights::of(value);
        if let (Ok(average), Some(value)) = (average.as_mut_slice::<f32>(), value.as_slice()) {
            Arch::new().dispatch(Lerp {
                average,
                value,
                share: share as f32,
            });
        }
        return Tensor::from_data(average, &device);
    }
    let equal = value.clone().equal(average.clone());
    let difference = (value.clone() - average.clone()).mask_fill(equal, 0.0);
    if share < 0.5 {
        average + difference * share
    } else {
        value - difference * (1.0 - share)
    }
}

struct Lerp<'a> {
    average: &'a mut [f32],
    value: &'a [f32],
    share: f32,
}

// Not a closure: the compiler may leave the call of one outside of what is compiled for the vectors.
impl NullaryFnOnce for Lerp<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let pairs = self.average.iter_mut().zip(self.value);
        let share = self.share;
        // Infinity less infinity is no number.
        let difference = |value: f32, average: f32| {
            if value == average {
                0.0
            } else {
                value - average
            }
        };
        if share < 0.5 {
            for (average, &value) in pairs {
                *average += share * difference(value, *average);
            }
        } else {
            let rest = 1.0 - share;
            for (average, &value) in pairs {
                *average = value - difference(value, *average) * rest;
            }
        }
    }
}
