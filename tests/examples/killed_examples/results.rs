//! What a run has left, without what differs from run to run.

use std::collections::BTreeMap;
use std::path::Path;

use burn_lr::training::metrics::History;
use burn_pack::Reader;

/// The history, without the seconds.
pub fn history(run: &Path) -> History {
    let json = std::fs::read(run.join("history.json")).unwrap();
    let mut history: History = serde_json::from_slice(&json).unwrap();
    assert!(!history.epochs.is_empty());
    for epoch in &mut history.epochs {
        epoch.seconds = 0.0;
    }
    history
}

/// The shape and the bytes of each tensor in a model file by its name; only Burn's random parameter
/// ids, in the file beside them, differ from run to run.
pub fn models(file: &Path) -> BTreeMap<String, (Vec<usize>, Vec<u8>)> {
    let reader = Reader::from_file(file).unwrap();
    let tensors = reader.into_tensors().unwrap().into_iter();
    let parts = tensors.map(|tensor| {
        let shape = tensor.shape.to_vec();
        let name = tensor.name.clone();
        (name, (shape, tensor.into_bytes().unwrap().to_vec()))
    });
    parts.collect()
}
