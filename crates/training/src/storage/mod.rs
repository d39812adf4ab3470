//! Files that are whole or not there, and tell when they are no longer what was written.

mod atomic;
mod checksum;
mod model_file;

pub use atomic::{create_directory, write_atomically};
pub(crate) use atomic::{remove_leftovers, set_aside, sync_directory};
pub(crate) use checksum::{
    read_sum, read_with_sum, set_aside_with_sum, sha256, sha256_of, sum_path, write_sum,
    write_with_sum,
};
pub(crate) use model_file::filled;
pub use model_file::{load_model, save_model};
