//! Feeds changed files and documents to whatever reads them: nothing may panic, take more memory than the input is
//! worth or much time, and what is read must be the same when it is written and read again.
//!
//! ```sh
//! cargo run --profile fuzz -p burn-lr-fuzz -- --inputs 1000000             # of each target
//! cargo run --profile fuzz -p burn-lr-fuzz -- png --first 4711 --inputs 1  # one of them again
//! ```
//!
//! An input is a function of target, seed and number, so that what is found is found again.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod driver;
mod mutate;
mod state;
mod targets;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use driver::Driver;
use state::State;

/// Feed changed files and documents to whatever reads them
///
/// Prints a line for each target. Exits with 1 if an input was found that what reads it does not stand.
#[derive(Parser, Debug)]
struct Options {
    /// The targets [default: all]
    targets: Vec<String>,

    /// How many inputs of each target, or until which number if there is a state
    #[arg(long, default_value_t = 100_000)]
    inputs: u64,

    /// The number of the first input
    #[arg(long, default_value_t = 0, conflicts_with = "state")]
    first: u64,

    /// What the inputs are drawn from
    #[arg(long, default_value_t = 1)]
    seed: u64,

    /// Note what is done in this file, and go on where it ends
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,

    /// Where to write the inputs that are found
    #[arg(long, value_name = "DIR", default_value = "found")]
    found: PathBuf,

    /// Say each number before its input is tried, to see which one ends the process
    #[arg(long)]
    trace: bool,
}

fn main() -> ExitCode {
    let options = Options::parse();
    let targets = targets::all();
    let names: Vec<&str> = targets.iter().map(|(name, _)| *name).collect();
    if let Some(unknown) = options
        .targets
        .iter()
        .find(|name| !names.contains(&name.as_str()))
    {
        eprintln!("expected {}, got {unknown}", names.join(", "));
        return ExitCode::from(2);
    }
    let mut state = match State::read(options.state.as_deref()) {
        Ok(state) => state,
        Err(error) => {
            eprintln!("the state cannot be read: {error}");
            return ExitCode::from(2);
        }
    };
    let mut sound = true;
    for (name, target) in targets {
        if !options.targets.is_empty() && !options.targets.iter().any(|asked| asked == name) {
            continue;
        }
        let begin = options.first.max(state.until(name, options.seed));
        let end = options.first.saturating_add(options.inputs);
        let mut driver = Driver::new(name, target(), options.seed);
        driver.trace = options.trace;
        if !driver.reads_its_corpus() {
            println!("{name}: what was not changed is not read");
            sound = false;
        }
        let found = driver.run(begin..end, |progress| {
            for input in progress.found {
                println!("{name} {}: {}", input.number, input.reason);
                std::fs::create_dir_all(&options.found).unwrap();
                let file = format!("{name}-{}-{}", options.seed, input.number);
                std::fs::write(options.found.join(file), &input.bytes).unwrap();
            }
            state.note(name, options.seed, &progress);
        });
        sound &= found.is_empty();
    }
    if sound {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_target_reads_what_was_written_and_stands_what_was_changed() {
        for (name, target) in targets::all() {
            let mut driver = Driver::new(name, target(), 1);
            assert!(driver.reads_its_corpus(), "{name}");
            let found = driver.run(0..500, |_| ());
            let reasons: Vec<&String> = found.iter().map(|input| &input.reason).collect();
            assert!(found.is_empty(), "{name}: {reasons:?}");
        }
    }
}
