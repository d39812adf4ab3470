//! What the examples share towards the terminal and the file system.

use std::io::Write;
use std::path::{Path, PathBuf};

use burn::train::Interrupter;

/// The exit status of a run that was stopped by Ctrl-C.
pub const INTERRUPTED: u8 = 130;

pub type Error = Box<dyn std::error::Error>;

/// Prints a line, if somebody is still reading: a run goes on without.
pub fn say(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// The first Ctrl-C stops the run at the end of an iteration, a second one at once.
pub fn stop_on_ctrl_c() -> Result<Interrupter, Error> {
    let interrupter = Interrupter::new();
    let handle = interrupter.clone();
    ctrlc::set_handler(move || {
        if handle.should_stop() {
            std::process::exit(INTERRUPTED.into());
        }
        eprintln!("stopping at the end of this iteration; again to stop at once");
        handle.stop(Some("Ctrl-C"));
    })?;
    Ok(interrupter)
}

/// The first `directory/run-NNN` that does not exist, or the last one that does.
pub fn numbered(directory: &Path, existing: bool) -> PathBuf {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    let number = |name: &str| name.strip_prefix("run-")?.parse::<u32>().ok();
    let numbers = entries.filter_map(|entry| number(entry.file_name().to_str()?));
    // Also where numbers before it are missing.
    let last = numbers.max().unwrap_or(0);
    let chosen = if existing {
        last.max(1)
    } else {
        last.saturating_add(1)
    };
    directory.join(format!("run-{chosen:03}"))
}
