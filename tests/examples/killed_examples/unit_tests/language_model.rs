//! The model knows the data as its neighbour.

#[path = "../../../../examples/language_model/data.rs"]
mod data;
#[path = "../../../../examples/language_model/model.rs"]
mod model;
