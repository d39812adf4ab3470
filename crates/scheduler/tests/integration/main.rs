//! Every schedule against PyTorch and other libraries, the contract, documents and records. One binary,
//! because every binary links Burn once more; the count of allocations is apart, being the process's.

#![allow(clippy::unwrap_used, clippy::panic)]

#[path = "../changes/mod.rs"]
mod changes;
#[path = "../exercise/mod.rs"]
mod exercise;
#[path = "../subjects/mod.rs"]
mod subjects;

mod burn;
mod contract;
mod custom;
mod documents;
mod peers;
mod plateau_peers;
mod properties;
mod pytorch;
mod records;
mod refusals;
