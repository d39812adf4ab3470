//! What libFuzzer has too: runs, steps, metrics and documents, or examples with other leaves.

use burn_lr_scheduler::ScheduleConfig;
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

use super::Target;

#[path = "../../../crates/scheduler/tests/exercise/bytes.rs"]
mod bytes;
#[path = "../../../crates/scheduler/tests/exercise/mod.rs"]
pub mod exercise;

/// A run, steps and metrics, all of them zero, before a document in JSON.
const ZEROS: [u8; 31] = [0; 31];

pub struct Schedules;

impl Target for Schedules {
    fn corpus(&self) -> Vec<Vec<u8>> {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let noise = std::iter::repeat_with(|| {
            let mut input: Vec<u8> = (0..200).map(|_| rng.random()).collect();
            // Behind small counts, an example that is changed.
            input[..5].copy_from_slice(&[rng.random(), 3, 4, 5, 6]);
            input[29] |= 2;
            input
        });
        let noise = noise.filter(|input| bytes::exercise_bytes(input)).take(200);
        let documents = ScheduleConfig::examples();
        let documents = documents
            .iter()
            .filter_map(|(_, schedule)| schedule.to_json().ok());
        let documents = documents.map(|text| [&ZEROS[..], text.as_bytes()].concat());
        noise.chain(documents).collect()
    }

    fn run(&mut self, input: &[u8]) -> bool {
        bytes::exercise_bytes(input)
    }
}
