//! A schedule from a configuration file.
//!
//! ```text
//! cargo run --example from_config_file -- my_schedule.json
//! ```
//!
//! Without an argument it reads `warmup_then_halve.json` beside this file.

use std::error::Error;
use std::fs;
use std::process::ExitCode;

use burn_lr_scheduler::{Run, ScheduleConfig, Scheduler};
use burn_optim::lr_scheduler::LrScheduler;

fn main() -> ExitCode {
    // A `Result` from main would be printed for programmers.
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let default = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/examples/warmup_then_halve.json"
    );
    let path = std::env::args()
        .nth(1)
        .unwrap_or_else(|| default.to_owned());

    // Reading checks the form: an unknown schedule or field, a wrong type. The error names its
    // place in the document; the file's name is ours to add.
    let document = fs::read_to_string(&path).map_err(|error| format!("{path}: {error}"))?;
    let schedule =
        ScheduleConfig::from_json(&document).map_err(|error| format!("{path}: {error}"))?;

    // Building for a run checks the values, and turns lengths like "2 epochs" or "10 %" into steps:
    // here 10 epochs of 50 optimizer updates, with a schedule that advances once per epoch.
    let run = Run::per_epoch(50).with_epochs(10);
    let mut scheduler =
        Scheduler::new(schedule, run).map_err(|error| format!("{path}: {error}"))?;

    println!("{}", serde_json::to_string_pretty(scheduler.config())?);
    for epoch in 1..=10 {
        println!("epoch {epoch:2}: learning rate {}", scheduler.lr());
        for _update in 0..50 {
            // A training loop gives this rate to its optimizer.
            let _lr = scheduler.step();
        }
    }
    Ok(())
}
