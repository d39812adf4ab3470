//! Points that stop a run in the middle of an epoch.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use burn::data::dataset::DatasetError;
use burn::tensor::Device;
use burn::train::Interrupter;
use burn_lr::training::loader::{BatchSource, EpochLoader, Sample};

use crate::common::line::{Points, Slope};

/// Points of the line, whose source stops a run when it is asked for a batch: no update is made of that.
pub struct Stopping {
    left: AtomicUsize,
    interrupter: Interrupter,
}

impl BatchSource<Points> for Stopping {
    fn len(&self) -> usize {
        40
    }

    fn batch(&self, samples: &[Sample], device: &Device) -> Result<Points, DatasetError> {
        if self.left.fetch_sub(1, Ordering::SeqCst) == 0 {
            self.interrupter.stop(Some("a test"));
        }
        Slope.batch(samples, device)
    }
}

/// A loader, shuffled, that stops a run after so many batches of 8, and that by which it does.
pub fn stopping_after(batches: usize) -> (Arc<EpochLoader<Points>>, Interrupter) {
    let interrupter = Interrupter::new();
    let source = Stopping {
        left: AtomicUsize::new(batches),
        interrupter: interrupter.clone(),
    };
    let loader = EpochLoader::new(source, 8).shuffled(1);
    (Arc::new(loader), interrupter)
}
