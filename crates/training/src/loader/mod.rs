//! Data loaders whose every batch is a function of the seed, the epoch and the sample.
//!
//! Burn's own loader shuffles with a generator that moves on from epoch to epoch, so a resumed run
//! sees epoch 1's order again, and with two or more workers batches come in whatever order threads
//! finish. [`EpochLoader`] draws each epoch anew from its number: a run that is resumed at epoch 5
//! sees what the uninterrupted one saw in epoch 5, with any number of workers.
//!
//! A [`BatchSource`] makes batches of [`Sample`]s, each of which brings its own generator for
//! augmentation; [`DatasetSource`] makes one of any Burn data set. A [`Sampler`] says which samples
//! an epoch visits. [`Loader`] is any data loader, ours or not, with what a run needs to know of it.

mod dataset;
mod described;
mod description;
mod epoch_loader;
mod error;
mod exactness;
mod order;
mod repeatable;
mod replay;
mod sample;
mod sampler;
mod source;
mod weights;
mod workers;

pub use dataset::{AugmentedSource, DatasetSource};
pub use described::Loader;
pub use description::LoaderDescription;
pub use epoch_loader::EpochLoader;
pub use error::LoaderError;
pub use exactness::Exactness;
pub use sample::Sample;
pub use sampler::Sampler;
pub use source::BatchSource;

/// The crate of [`Sample::rng`]'s generator, whose traits it is used by.
pub use rand;

pub(crate) use described::Past;
pub(crate) use replay::{Replay, seed_of};
