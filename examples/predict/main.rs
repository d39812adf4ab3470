//! What a trained model says about images, and how well it does on the test set.
//!
//! ```sh
//! cargo run --release --example predict
//! cargo run --release --example predict -- digit.png
//! ```

mod evaluation;
mod failure;
mod images;
mod run;

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use burn_lr::model::Mlp;
use burn_lr::training::device::Backend;
use burn_lr::training::storage::load_model;
use clap::Parser;
use evaluation::print_evaluation;
use failure::Failure;
use images::print_predictions;
pub use run::Run;

/// Images that the model sees at once.
const BATCH_SIZE: usize = 1000;

/// Classify images with a trained model, or evaluate it on the test set
///
/// With FILES, prints a line for each image: the file, the class, its probability, and the class
/// that comes next. Without, prints the accuracy on MNIST's 10 000 test images, the confusion matrix
/// with the accuracy of each class, and the precision of each class.
///
/// A file that ends in .png may have any size, any colours, and transparent parts. It has to show
/// one upright digit on a plain background, dark or light, and is made into what MNIST consists of:
/// white on black, scaled to 20 pixels and centred by its mass in 28 by 28. Any other file is an IDX
/// file of images of 28 by 28 pixels, plain or gzipped, which are taken as they are.
///
/// Exits with 0 if all went well; with 1 if computing or printing failed; with 2 if an option or a
/// file is wrong, the other files being classified nevertheless.
#[derive(Parser, Debug)]
#[command(version)]
pub struct Options {
    /// PNG files, or IDX files of images
    files: Vec<PathBuf>,

    /// Directory of a training run [default: the newest artifacts/<example>/<run> with a
    /// model of this network]
    #[arg(long, value_name = "DIR")]
    run_dir: Option<PathBuf>,

    /// The run's model: best, final, average, or a file's path, whose directory is then the default of
    /// --run-dir [default: best if there is one, else final]
    #[arg(long, value_name = "best|final|PATH")]
    model: Option<PathBuf>,

    /// The first image of an IDX file to classify, from 0
    #[arg(long, value_name = "N", default_value_t = 0, requires = "files")]
    index: usize,

    /// How many images of an IDX file to classify [default: all from the first]
    #[arg(long, value_name = "N", requires = "files")]
    count: Option<usize>,

    /// Directory of the data set to evaluate on: IDX files, plain or gzipped [default: the bundled MNIST]
    #[arg(long, value_name = "DIR", conflicts_with = "files")]
    data_dir: Option<PathBuf>,

    /// Where to compute: flex, ndarray, wgpu or cuda, as far as compiled in
    #[arg(long, default_value = "flex")]
    backend: Backend,

    /// Print JSON: an object a line for FILES, one object for the test set
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    let options = Options::parse();
    ExitCode::from(run(&options, &mut io::stdout().lock(), &mut io::stderr()))
}

/// Does what `options` say, and returns the exit code.
pub fn run(options: &Options, out: &mut dyn Write, err: &mut dyn Write) -> u8 {
    match predict(options, out, err) {
        Ok(code) => code,
        Err(failure) => failure.report(err),
    }
}

fn predict(options: &Options, out: &mut dyn Write, err: &mut dyn Write) -> Result<u8, Failure> {
    let device = options.backend.device()?;
    let run = Run::find(options, Path::new("artifacts"))?;
    let model: Mlp = load_model(&run.model, run.network.init(&device))?;
    // Not in the way of who reads the lines.
    let _ = writeln!(err, "Model {} on {}", run.model.display(), options.backend);
    if options.model.is_none() && run.model.ends_with("final.bpk") {
        let _ = writeln!(err, "note: the run has no best.bpk");
    }

    if options.files.is_empty() {
        print_evaluation(options, &run, &model, out, err)?;
        return Ok(0);
    }
    let mut code = 0;
    for file in &options.files {
        match print_predictions(file, options, &model, &device, out) {
            Err(Failure::Input(error)) => code = Failure::Input(error).report(err),
            done => done?,
        }
    }
    Ok(code)
}
