//! Averages of weights: beside PyTorch's and timm's, and in runs.

mod golden;
mod refused;
mod resumed;
mod statistics;
mod validated;
