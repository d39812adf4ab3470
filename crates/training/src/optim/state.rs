//! Whether an optimizer's state can be had again as it was.
//!
//! Burn reads the state of every parameter back in the float type of the default device, whatever type
//! it had, and panics in the next update if that is not the parameter's. What an optimizer cannot use
//! it leaves out.

use std::collections::BTreeMap;

use burn::module::Module;
use burn::optim::{ModuleOptimizer, OptimizerRecord};
use burn::store::RecordError;
use burn::tensor::{Bytes, DType, Device};
use burn_pack::Reader;

use super::config::OptimizerConfig;
use super::error::OptimError;
use super::param::parameters;
use super::resolved::ResolvedGroups;
use crate::caught::caught;

/// What of the state of `optimizer` and `groups` for `model` could not be read back, if anything.
pub(crate) fn unrestorable<M: Module>(
    optimizer: &OptimizerConfig,
    groups: &ResolvedGroups,
    model: &M,
) -> Option<OptimError> {
    let expected = DType::from(Device::default().settings().float_dtype);
    let keeps_state = |path: &str| {
        let own = groups.optimizer_group(path).and_then(|g| g.optimizer());
        own.unwrap_or(optimizer).keeps_state()
    };
    let params = parameters(model).into_iter();
    let mut lost = params.filter(|param| param.trainable && param.dtype != expected);
    let param = lost.find(|param| keeps_state(&param.path))?;
    Some(OptimError::StateType {
        of: param.path,
        expected,
        found: param.dtype,
    })
}

/// `optimizer` with the state of `record`.
///
/// # Errors
/// [`OptimError::StateType`] if a part of it would be read back in another type,
/// [`OptimError::StateLost`] if the optimizer did not take all of it, [`OptimError::Unreadable`] if it is no record,
/// or one that contradicts itself.
pub(crate) fn restored(
    optimizer: ModuleOptimizer,
    record: Bytes,
) -> Result<ModuleOptimizer, OptimError> {
    let unreadable = |error: RecordError| OptimError::Unreadable {
        reason: error.to_string(),
    };
    let saved = types(record.clone()).map_err(unreadable)?;
    let record = OptimizerRecord::from_bytes(record).map_err(unreadable)?;
    // Burn panics at tensors without the id of a parameter, and at ranks that are not those of the tensors.
    let loaded = caught(|| optimizer.load_record(record));
    let optimizer = loaded.map_err(|reason| OptimError::Unreadable { reason })?;
    let loaded = optimizer.to_record().into_bytes().and_then(types);
    let loaded = loaded.map_err(unreadable)?;
    if loaded.len() != saved.len() {
        return Err(OptimError::StateLost {
            expected: saved.len(),
            found: loaded.len(),
        });
    }
    for (of, found) in saved {
        let expected = loaded.get(&of).copied().unwrap_or(found);
        if expected != found {
            return Err(OptimError::StateType {
                of,
                expected,
                found,
            });
        }
    }
    Ok(optimizer)
}

/// The types of the tensors in `record`, by name.
fn types(record: Bytes) -> Result<BTreeMap<String, DType>, RecordError> {
    let tensors = Reader::from_bytes(record)?.into_tensors()?;
    let parts = tensors.into_iter().map(|tensor| {
        let (name, dtype, ..) = tensor.into_parts()?;
        Ok((name, dtype))
    });
    parts.collect()
}
