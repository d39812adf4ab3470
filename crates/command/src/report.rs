//! A run as a web page.

use std::io::Write;
use std::path::PathBuf;

use burn_lr_tracking::RunPage;

use crate::failure::{self, Failure};

/// Options of `report`.
#[derive(Debug, clap::Args)]
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
        .unwrap_or_else(|| args.run.join("run.html"));
    failure::write(&path, &page)?;
    Ok(writeln!(out, "{}", path.display())?)
}
