//! Whether what a run has left is sound.

use std::io::Write;
use std::path::PathBuf;

use burn_lr_training::run::RunDirectory;

use crate::failure::Failure;

/// Options of `verify`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The run's directories
    #[arg(required = true)]
    runs: Vec<PathBuf>,
}

pub fn show(args: &Args, out: &mut impl Write) -> Result<(), Failure> {
    let mut all_are_sound = true;
    for path in &args.runs {
        let found = RunDirectory::new(path).verify()?;
        writeln!(out, "{}", path.display())?;
        for (file, damage) in &found.found {
            let name = file.strip_prefix(path).unwrap_or(file).display();
            match damage {
                None => writeln!(out, "  sound    {name}")?,
                Some(damage) => writeln!(out, "  DAMAGED  {name}: {damage}")?,
            }
        }
        let resumed = match found.resumes_after {
            Some(epoch) => format!("resumed after epoch {epoch}"),
            None => "begun anew: there is no sound checkpoint".to_owned(),
        };
        if found.is_complete {
            writeln!(
                out,
                "  The run is complete; to be longer it would be {resumed}."
            )?;
        } else {
            writeln!(
                out,
                "  The run is not at its end; with --resume it would be {resumed}."
            )?;
        }
        all_are_sound &= found.is_sound();
    }
    if all_are_sound {
        Ok(())
    } else {
        Err(Failure::Damaged)
    }
}
