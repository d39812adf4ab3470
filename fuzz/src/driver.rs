//! Tries a target's inputs, one after the other.

use std::any::Any;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use allocation_counter::measure;
use rand::rngs::ChaCha8Rng;
use rand::{Rng, SeedableRng};

use crate::mutate::Mutator;
use crate::targets::Target;

/// How many inputs are tried between two notes.
const STRETCH: u64 = 1 << 16;
/// How many inputs are found before a target is given up.
const ENOUGH: usize = 20;
/// What an input may take: no target has one of a tenth, but for a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(10);

/// Whether a panic is told by what is found, and not by itself.
static IS_TRIED: AtomicBool = AtomicBool::new(false);

pub struct Driver {
    name: &'static str,
    target: Box<dyn Target>,
    mutator: Mutator,
    seed: u64,
    pub trace: bool,
}

/// How far a target has come.
pub struct Progress<'a> {
    /// The number of the next input.
    pub until: u64,
    /// How many were tried since the last time.
    pub tried: u64,
    /// How many of those were taken for what they should be.
    pub read: u64,
    /// Those that were not stood.
    pub found: &'a [Found],
}

/// An input that was not stood.
pub struct Found {
    pub number: u64,
    pub bytes: Vec<u8>,
    pub reason: String,
}

impl Driver {
    pub fn new(name: &'static str, target: Box<dyn Target>, seed: u64) -> Self {
        static ONCE: Once = Once::new();
        ONCE.call_once(|| {
            let usual = std::panic::take_hook();
            std::panic::set_hook(Box::new(move |panic| {
                if !IS_TRIED.load(Ordering::Relaxed) {
                    usual(panic);
                }
            }));
        });
        let mutator = Mutator::new(target.corpus());
        Self {
            name,
            target,
            mutator,
            seed,
            trace: false,
        }
    }

    /// Whether all that is changed is read as long as it is not.
    pub fn reads_its_corpus(&mut self) -> bool {
        let corpus = self.target.corpus();
        corpus
            .into_iter()
            .all(|input| self.try_one(&input) == Ok(true))
    }

    pub fn run(&mut self, numbers: Range<u64>, mut note: impl FnMut(Progress)) -> Vec<Found> {
        let mut found = Vec::new();
        let (mut tried, mut read, mut noted) = (0, 0, 0);
        for number in numbers.clone() {
            if self.trace {
                eprintln!("{} {number}", self.name);
            }
            let bytes = self.input(number);
            let result = self.try_one(&bytes);
            tried += 1;
            match result {
                Ok(was_read) => read += u64::from(was_read),
                Err(reason) => found.push(Found {
                    number,
                    bytes,
                    reason,
                }),
            }
            let until = number + 1;
            let last = until == numbers.end || found.len() == ENOUGH;
            if until.is_multiple_of(STRETCH) || last {
                note(Progress {
                    until,
                    tried,
                    read,
                    found: &found[noted..],
                });
                (tried, read, noted) = (0, 0, found.len());
            }
            if last {
                break;
            }
        }
        found
    }

    fn input(&self, number: u64) -> Vec<u8> {
        // Each number its own stream: neighbours have nothing in common.
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        rng.set_stream(number);
        let mut bytes = self.mutator.input(&mut rng);
        // Checksums, of which most inputs would otherwise not get past.
        if !rng.next_u32().is_multiple_of(8) {
            self.target.mend(&mut bytes);
        }
        bytes
    }

    /// Whether the input was read, or why it should not have ended like that.
    fn try_one(&mut self, input: &[u8]) -> Result<bool, String> {
        let mut time = Duration::ZERO;
        // Once more what took long: that may have been the machine, which stood still.
        for _ in 0..3 {
            let begun = Instant::now();
            let read = self.try_once(input);
            time = begun.elapsed();
            if time <= PATIENCE {
                return read;
            }
        }
        Err(format!("takes {time:?}"))
    }

    fn try_once(&mut self, input: &[u8]) -> Result<bool, String> {
        IS_TRIED.store(true, Ordering::Relaxed);
        let mut read = Ok(false);
        let target = AssertUnwindSafe(&mut self.target);
        let memory = measure(|| {
            read = catch_unwind(move || { target }.run(input)).map_err(message);
        });
        IS_TRIED.store(false, Ordering::Relaxed);
        let (allowed, taken) = (self.target.memory(input), memory.bytes_max);
        if taken > allowed {
            read = Err(format!("takes {taken} bytes, {allowed} would do"));
        }
        read
    }
}

fn message(panic: Box<dyn Any + Send>) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    format!("panics: {}", text.unwrap_or("without a text"))
}
