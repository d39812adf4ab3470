//! Whether what a run has left is sound.

use std::io::Write;
use std::path::{Path, PathBuf};

use burn_lr_training::run::{RunDirectory, Verification};

use crate::failure::Failure;

const EXAMPLES: &str = "\
Examples:
  burn-lr verify artifacts/mnist_step/run-001
      each file with whether it is sound, and where --resume would go on
  burn-lr verify artifacts/*/run-* > sound.txt || echo look at sound.txt
      exits with 3 if anything is damaged

A run may be at work meanwhile: what it replaces while it is read is no damage.";

/// Options of `verify`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The run's directories
    #[arg(required = true)]
    runs: Vec<PathBuf>,
}

pub fn show(args: &Args, out: &mut impl Write) -> Result<(), Failure> {
    let mut all_are_sound = true;
    for path in &args.runs {
        let found = RunDirectory::new(path).verify()?;
        let name = |file: &Path| {
            file.strip_prefix(path)
                .unwrap_or(file)
                .display()
                .to_string()
        };
        writeln!(out, "{}", path.display())?;
        for (file, damage) in &found.found {
            let name = name(file);
            match damage {
                None => writeln!(out, "  sound    {name}")?,
                Some(damage) => writeln!(out, "  DAMAGED  {name}: {damage}")?,
            }
        }
        for file in &found.unfinished {
            let name = name(file);
            let reason = if found.is_at_work {
                "is being written"
            } else {
                "was being written when the run ended; nothing is lost with it"
            };
            writeln!(out, "  partial  {name} {reason}")?;
        }
        writeln!(out, "  {}.", conclusion(&found))?;
        all_are_sound &= found.is_sound();
    }
    if all_are_sound {
        Ok(())
    } else {
        Err(Failure::Damaged)
    }
}

/// How far the run is, and where it would go on.
fn conclusion(found: &Verification) -> String {
    let resumed = match (found.resumes_within, found.resumes_after) {
        (None, None) if found.refused.is_some() => {
            let refused = found.refused.as_ref().map(ToString::to_string);
            format!("refused: {}", refused.unwrap_or_default())
        }
        (Some(update), over) => {
            let epoch = over.unwrap_or(0) + 1;
            format!("resumed within epoch {epoch}, after update {update}")
        }
        (None, Some(epoch)) => format!("resumed after epoch {epoch}"),
        (None, None) => "begun anew: there is no sound checkpoint".to_owned(),
    };
    if found.is_at_work {
        format!("The run is at work; if it were stopped now, it would be {resumed}")
    } else if found.is_complete {
        format!("The run is complete; to be longer it would be {resumed}")
    } else {
        format!("The run is not at its end; with --resume it would be {resumed}")
    }
}
