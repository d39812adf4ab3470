//! A run as a web page.

use std::io::Write;
use std::path::PathBuf;

use burn_lr_tracking::RunPage;
use burn_lr_training::run::RunDirectory;

use crate::failure::{self, Failure};

const EXAMPLES: &str = "\
Examples:
  burn-lr report artifacts/mnist_step/run-001
      writes run.html there, and prints its path
  burn-lr report artifacts/mnist_step/run-001 -o /tmp/run.html

What a page that followed the run (--watch) knows of single updates is kept.";

/// Options of `report`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The run's directory
    run: PathBuf,

    /// The page [default: run.html in the run's directory]
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub fn write(args: &Args, out: &mut impl Write) -> Result<(), Failure> {
    let page = RunPage::read(&args.run)?.to_html();
    let path = args
        .output
        .clone()
        .unwrap_or_else(|| RunDirectory::new(&args.run).page());
    failure::write(&path, &page)?;
    Ok(writeln!(out, "{}", path.display())?)
}
