//! The values of a model, in the order in which they are visited.

use std::any::Any;

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Bool, DType, Int, Tensor};

use super::error::AverageError;
use super::statistics::Statistics;
use crate::optim::parameters;

/// What becomes of a value in an average.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Averaged,
    /// It is the model's own: what is frozen, integers, and statistics where they are not averaged.
    Copied,
}

/// What is known of a value without reading it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Shape {
    dims: Vec<usize>,
    dtype: DType,
    is_float: bool,
}

/// The value of a parameter: a tensor of any rank and kind.
pub(super) struct Value {
    pub shape: Shape,
    pub tensor: Box<dyn Any>,
}

/// The values of `model`, whose clones they are.
pub(super) fn values<M: Module>(model: &M) -> Vec<Value> {
    let mut visitor = Visitor(Vec::new());
    model.visit(&mut visitor);
    visitor.0
}

struct Visitor(Vec<Value>);

macro_rules! visit {
    ($name:ident, $kind:ty, $is_float:expr) => {
        fn $name<const D: usize>(&mut self, param: &Param<Tensor<D, $kind>>) {
            let tensor = param.base();
            self.0.push(Value {
                shape: Shape {
                    dims: tensor.dims().to_vec(),
                    dtype: tensor.dtype(),
                    is_float: $is_float,
                },
                tensor: Box::new(tensor),
            });
        }
    };
}

impl ModuleVisitor for Visitor {
    visit!(visit_float, burn::tensor::Float, true);
    visit!(visit_int, Int, false);
    visit!(visit_bool, Bool, false);
}

/// A value's place in an average.
#[derive(Debug, Clone)]
pub(super) struct Slot {
    pub shape: Shape,
    pub role: Role,
}

/// The places of `values`, which are those of `model`.
///
/// # Errors
/// [`AverageError::Coarse`] if a trained parameter is of 16 bits.
pub(super) fn slots<M: Module>(
    model: &M,
    values: &[Value],
    statistics: Statistics,
) -> Result<Vec<Slot>, AverageError> {
    let mut params = parameters(model).into_iter();
    let slot = |Value { shape, .. }: &Value| {
        let param = if shape.is_float { params.next() } else { None };
        let fine = matches!(shape.dtype, DType::F32 | DType::F64);
        let role = match param {
            Some(param) if param.trainable && !fine => {
                return Err(AverageError::Coarse {
                    of: param.path,
                    found: shape.dtype,
                });
            }
            Some(param) if param.trainable => Role::Averaged,
            // What is frozen does not change, so that its average is itself.
            Some(_) if fine && statistics == Statistics::Averaged => Role::Averaged,
            _ => Role::Copied,
        };
        let shape = shape.clone();
        Ok(Slot { shape, role })
    };
    values.iter().map(slot).collect()
}

/// Whether `values` have the places `slots`.
///
/// # Errors
/// [`AverageError::OtherModel`] naming the first that has not.
pub(super) fn check(slots: &[Slot], values: &[Value]) -> Result<(), AverageError> {
    for parameter in 0..slots.len().max(values.len()) {
        let expected = slots.get(parameter).map(|slot| &slot.shape);
        let found = values.get(parameter).map(|value| &value.shape);
        if expected != found {
            let dims = |shape: Option<&Shape>| shape.map_or(Vec::new(), |shape| shape.dims.clone());
            return Err(AverageError::OtherModel {
                parameter,
                expected: dims(expected),
                found: dims(found),
            });
        }
    }
    Ok(())
}
