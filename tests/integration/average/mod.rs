//! Averages of weights: beside PyTorch's and timm's, and in runs.

mod damaged;
mod golden;
mod refused;
mod resumed;
pub mod statistics;
mod validated;
