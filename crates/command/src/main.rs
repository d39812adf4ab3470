//! The `burn-lr` command: schedules as charts before they are trained with, and what training runs have left
//! as reports, tables and comparisons. It reads the run directories of any model. `--help` explains it.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::panic))]

mod colours;
mod compare;
mod export;
mod failure;
mod preview;
mod report;
mod run;
mod runs;
mod table;
#[cfg(test)]
mod tests;
mod verify;

use std::io::{self, BufWriter, IsTerminal, Write};
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};
use clap_complete::Shell;

use failure::Failure;

const EXIT_CODES: &str = "\
Exit codes: 0 done, 1 the output could not be written, 2 wrong options or files that cannot be read,
3 verify has found damage.";

const COMPLETIONS: &str = "\
Examples:
  burn-lr completions bash > ~/.local/share/bash-completion/completions/burn-lr
  burn-lr completions fish > ~/.config/fish/completions/burn-lr.fish
  burn-lr completions zsh > ~/.zfunc/_burn-lr
      with ~/.zfunc in fpath, before compinit";

/// Looks at learning-rate schedules and at training runs.
#[derive(Debug, Parser)]
#[command(name = "burn-lr", version, after_help = EXIT_CODES)]
struct Command {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Draw learning-rate schedules in the terminal
    Preview(preview::Args),
    /// Write a run as a web page: curves, best epochs, cuts and their reasons, configuration
    Report(report::Args),
    /// Show what runs have come to beside each other, and which settings differ
    Compare(compare::Args),
    /// Write a run's history as CSV, as JSON, or for TensorBoard
    Export(export::Args),
    /// Read all that a run has left, compare it with its checksums, and say what would be resumed
    Verify(verify::Args),
    /// List all runs below a directory with what they have come to
    Runs(runs::Args),
    /// Print a script that completes this command in a shell
    #[command(after_help = COMPLETIONS)]
    Completions {
        /// The shell
        shell: Shell,
    },
}

fn main() -> ExitCode {
    let command = Command::parse();
    let stdout = io::stdout();
    let colour = stdout.is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty());
    let mut out = BufWriter::new(stdout.lock());
    let done = act(&command.action, colour, &mut out);
    // What was said before a failure is part of the answer.
    let done = match (done, out.flush()) {
        (Ok(()), Err(error)) => Err(error.into()),
        (done, _) => done,
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        // The reader has seen enough, as in `burn-lr preview --csv ... | head`. What is buffered must not
        // be written again on drop.
        Err(Failure::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
            let _ = out.into_parts();
            ExitCode::SUCCESS
        }
        Err(Failure::Output(error)) => {
            eprintln!("error: cannot write: {error}");
            ExitCode::FAILURE
        }
        Err(Failure::Input(message)) => {
            eprintln!("error: {message}");
            ExitCode::from(2)
        }
        Err(Failure::Damaged) => ExitCode::from(3),
    }
}

fn act(action: &Action, colour: bool, out: &mut impl Write) -> Result<(), Failure> {
    match action {
        Action::Preview(args) => preview::show(args, colour, out),
        Action::Report(args) => report::write(args, out),
        Action::Compare(args) => compare::show(args, colour, out),
        Action::Export(args) => export::write(args, out),
        Action::Verify(args) => verify::show(args, out),
        Action::Runs(args) => runs::show(args, out),
        Action::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(*shell, &mut Command::command(), "burn-lr", &mut script);
            Ok(out.write_all(&script)?)
        }
    }
}
