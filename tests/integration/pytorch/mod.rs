//! What PyTorch computes, and the files that it saves.

mod optimizers;

#[cfg(feature = "pytorch")]
mod net;
#[cfg(feature = "pytorch")]
mod refused;
#[cfg(feature = "pytorch")]
mod weights;
