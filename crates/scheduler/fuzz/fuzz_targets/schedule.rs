//! Bytes to a document to a schedule, which must then hold what every schedule holds.

#![no_main]

#[path = "../../tests/exercise/bytes.rs"]
mod bytes;
#[path = "../../tests/exercise/mod.rs"]
mod exercise;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    bytes::exercise_bytes(data);
});
