//! What is read, and what messages and legends call it.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use burn_lr_scheduler::ScheduleConfig;

use crate::failure::Failure;

pub fn bad_file(file: &Path, reason: impl std::fmt::Display) -> Failure {
    Failure::Input(format!("{}: {reason}", file.display()))
}

pub fn read_schedule(file: &Path) -> Result<ScheduleConfig, Failure> {
    let document = fs::read_to_string(file).map_err(|error| bad_file(file, error))?;
    let schedule = match file.extension().and_then(|extension| extension.to_str()) {
        Some("json") | None => ScheduleConfig::from_json(&document),
        Some("toml") => ScheduleConfig::from_toml(&document),
        Some(extension) => {
            let reason = format!("expected a .json or .toml file, got .{extension}");
            return Err(bad_file(file, reason));
        }
    };
    schedule.map_err(|error| bad_file(file, error))
}

/// One number per line; only the end of the file may be blank, as a value left out elsewhere would
/// shift all epochs after it.
pub fn read_metrics(file: &Path) -> Result<Vec<f64>, Failure> {
    let text = fs::read_to_string(file).map_err(|error| bad_file(file, error))?;
    let metrics = text
        .trim_end()
        .lines()
        .zip(1..)
        .map(|(line, number)| {
            line.trim().parse().map_err(|_| {
                let reason = format!("line {number}: expected a number, got {line:?}");
                bad_file(file, reason)
            })
        })
        .collect::<Result<Vec<f64>, _>>()?;
    if metrics.is_empty() {
        return Err(bad_file(file, "expected a number per line, got none"));
    }
    Ok(metrics)
}

/// The files' names without folder and extension, or where those are not unique the paths.
pub fn labels(files: &[PathBuf]) -> Vec<String> {
    let stem = |file: &PathBuf| {
        let stem = file.file_stem().unwrap_or(file.as_os_str());
        stem.to_string_lossy().into_owned()
    };
    let unique: HashSet<String> = files.iter().map(stem).collect();
    if unique.len() == files.len() {
        files.iter().map(stem).collect()
    } else {
        files.iter().map(|f| f.display().to_string()).collect()
    }
}
