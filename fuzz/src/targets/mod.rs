//! What reads files and documents, each with inputs that it reads.

mod candidates;
mod checkpoint_parts;
mod documents;
mod histories;
mod idx;
mod manifests;
mod png;
mod run_directories;
mod scheduler_records;
mod schedules;

/// Something that reads inputs.
pub trait Target {
    /// Inputs that it reads as they are.
    fn corpus(&self) -> Vec<Vec<u8>>;

    /// Sets right in a changed input what would keep the rest of it from being read.
    fn mend(&self, _input: &mut Vec<u8>) {}

    /// Reads the input; whether it was what it should be. Panics if something does not hold that must.
    fn run(&mut self, input: &[u8]) -> bool;

    /// The bytes of memory that it may take for it.
    fn memory(&self, input: &[u8]) -> u64 {
        (1 << 20) + 1000 * input.len() as u64
    }
}

type Make = fn() -> Box<dyn Target>;

/// All of them, by name.
pub fn all() -> Vec<(&'static str, Make)> {
    vec![
        ("documents", || Box::new(documents::Documents)),
        ("schedules", || Box::new(schedules::Schedules)),
        ("candidates", || Box::new(candidates::Candidates)),
        ("histories", || Box::new(histories::Histories)),
        ("scheduler_records", || {
            Box::new(scheduler_records::SchedulerRecords::new())
        }),
        ("checkpoint_parts", || {
            Box::new(checkpoint_parts::CheckpointParts::new())
        }),
        ("idx", || Box::new(idx::Idx::new())),
        ("png", || Box::new(png::Png::new())),
        ("manifests", || Box::new(manifests::Manifests::new())),
        ("run_directories", || {
            Box::new(run_directories::RunDirectories::new())
        }),
    ]
}

/// An empty directory, in memory where there is one.
fn scratch() -> tempfile::TempDir {
    let shared = std::path::Path::new("/dev/shm");
    let made = tempfile::tempdir_in(shared).or_else(|_| tempfile::tempdir());
    made.unwrap()
}
