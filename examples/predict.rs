//! What a trained model says about images, and how well it does on the test set.
//!
//! ```sh
//! cargo run --release --example predict
//! cargo run --release --example predict -- digit.png
//! ```

use std::error::Error;
use std::fmt::Display;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::SystemTime;

use burn::tensor::Device;
use burn_lr::model::{Mlp, MlpConfig};
use burn_lr::training::evaluate::{
    ConfusionMatrix, EvaluationError, Prediction, classify, confusion_matrix,
};
use burn_lr::training::{
    Backend, BackendError, DataError, EpochLoader, IdxImages, MNIST_PIXELS, Mnist, PngError,
    TrainingError, bundled_mnist_dir, image_tensor, load_model, read_images, read_png_digit,
};
use clap::Parser;
use serde_json::{Value, json};

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

    /// Directory of a training run [default: the newest artifacts/<example>/<run> with a model]
    #[arg(long, value_name = "DIR")]
    run_dir: Option<PathBuf>,

    /// The run's model: best, final, or a file's path, whose directory is then the default of
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

/// A line for each image in `file`.
fn print_predictions(
    file: &Path,
    options: &Options,
    model: &Mlp,
    device: &Device,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let predict =
        |pixels: &[u8]| classify(model.forward(image_tensor(pixels, MNIST_PIXELS, device)));
    let mut print = |index: Option<usize>, prediction: &Prediction| match options.json {
        true => writeln!(out, "{}", json_line(file, index, prediction)),
        false => writeln!(out, "{}", line(file, index, prediction)),
    };
    if file
        .extension()
        .is_some_and(|ending| ending.eq_ignore_ascii_case("png"))
    {
        for prediction in predict(&read_png_digit(file)?)? {
            print(None, &prediction)?;
        }
        return Ok(());
    }

    let images = read_idx(file)?;
    if options.index >= images.count {
        let (index, count) = (options.index, images.count);
        let message = format!(
            "{}: expected --index below {count}, got {index}",
            file.display()
        );
        return Err(Failure::input(message));
    }
    let pixels = images.pixels.chunks_exact(MNIST_PIXELS);
    let chosen = pixels
        .skip(options.index)
        .take(options.count.unwrap_or(usize::MAX));
    let chosen: Vec<&[u8]> = chosen.collect();
    let mut indices = options.index..;
    for batch in chosen.chunks(BATCH_SIZE) {
        for (prediction, index) in predict(&batch.concat())?.iter().zip(&mut indices) {
            print(Some(index), prediction)?;
        }
    }
    Ok(())
}

fn read_idx(file: &Path) -> Result<IdxImages, Failure> {
    let images = read_images(file).map_err(|error| match error {
        DataError::Missing { path, .. } => Failure::input(format!(
            "{}: no such file, plain or with .gz",
            path.display()
        )),
        error => error.into(),
    })?;
    let (rows, columns) = (images.rows, images.columns);
    match (rows, columns) {
        (28, 28) => Ok(images),
        _ => Err(Failure::input(format!(
            "{}: expected images of 28 by 28 pixels, got {rows} by {columns}",
            file.display()
        ))),
    }
}

fn line(file: &Path, index: Option<usize>, prediction: &Prediction) -> String {
    let index = index.map(|index| format!("[{index}]")).unwrap_or_default();
    let next = match prediction.runner_up() {
        Some((class, probability)) => format!(" (next {class}, {:.2} %)", 100.0 * probability),
        None => String::new(),
    };
    format!(
        "{}{index}: {}, {:.2} %{next}",
        file.display(),
        prediction.class,
        100.0 * prediction.probability,
    )
}

fn json_line(file: &Path, index: Option<usize>, prediction: &Prediction) -> Value {
    json!({
        "file": file.to_string_lossy(),
        "index": index,
        "class": prediction.class,
        "probability": prediction.probability,
        "probabilities": prediction.probabilities,
    })
}

/// The model's worth on the test set.
fn print_evaluation(
    options: &Options,
    run: &Run,
    model: &Mlp,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<(), Failure> {
    let mnist = match &options.data_dir {
        Some(directory) => Mnist::load(directory)?,
        None => Mnist::bundled()?,
    };
    let data = options.data_dir.clone().unwrap_or_else(bundled_mnist_dir);
    let fingerprint = format!("crc32 {:08x}", mnist.test.fingerprint());
    if run
        .test_set
        .as_ref()
        .is_some_and(|other| *other != fingerprint)
    {
        let _ = writeln!(
            err,
            "note: the run was validated on other images than those in {}; --data-dir names theirs",
            data.display()
        );
    }
    let matrix = confusion_matrix(model, &EpochLoader::new(mnist.test, BATCH_SIZE))?;
    let accuracy = matrix.accuracy().unwrap_or_default();
    if options.json {
        let json = json!({
            "model": run.model,
            "data": data,
            "samples": matrix.total(),
            "accuracy": accuracy,
            "classes": classes(&matrix),
            "confusion_matrix": matrix,
        });
        writeln!(out, "{json:#}")?;
    } else {
        writeln!(
            out,
            "Accuracy on the {} test images in {}: {:.2} %\n\n{matrix}",
            matrix.total(),
            data.display(),
            100.0 * accuracy,
        )?;
    }
    Ok(())
}

fn classes(matrix: &ConfusionMatrix) -> Vec<Value> {
    let class = |class| {
        json!({
            "class": class,
            "samples": matrix.samples(class),
            "accuracy": matrix.recall(class),
            "precision": matrix.precision(class),
        })
    };
    (0..matrix.classes()).map(class).collect()
}

/// What is needed of a training run.
#[derive(Debug)]
pub struct Run {
    /// The file of the model.
    pub model: PathBuf,
    network: MlpConfig,
    /// The fingerprint of the images that it was validated on, if the run tells.
    test_set: Option<String>,
}

impl Run {
    /// The run that `options` name, by default the newest in `artifacts`.
    pub fn find(options: &Options, artifacts: &Path) -> Result<Self, Failure> {
        let names: &[&str] = match &options.model {
            None => &["best.bpk", "final.bpk"],
            Some(model) if model == Path::new("best") => &["best.bpk"],
            Some(model) if model == Path::new("final") => &["final.bpk"],
            Some(model) => {
                let directory = model.parent().unwrap_or(Path::new("."));
                let directory = options.run_dir.as_deref().unwrap_or(directory);
                return Self::read(directory, model.clone());
            }
        };
        let found = match &options.run_dir {
            Some(directory) => model_in(directory, names).map(|model| (directory.clone(), model)),
            None => newest(artifacts, names),
        };
        let (directory, model) = found.ok_or_else(|| {
            let (place, hint) = match &options.run_dir {
                Some(directory) => (directory.clone(), "name another --run-dir or --model"),
                None => (
                    artifacts.join("*/*"),
                    "train one with the example mnist_step, or name a --run-dir",
                ),
            };
            let (place, names) = (place.display(), names.join(" or "));
            Failure::input(format!("{place}: expected a {names}, got none; {hint}"))
        })?;
        Self::read(&directory, model)
    }

    fn read(directory: &Path, model: PathBuf) -> Result<Self, Failure> {
        let path = directory.join("config.json");
        let wrong = |reason: &dyn Display| Failure::input(format!("{}: {reason}", path.display()));
        let config = fs::read(&path).map_err(|error| wrong(&error))?;
        let config: Value = serde_json::from_slice(&config).map_err(|error| wrong(&error))?;
        let settings = &config["settings"];
        let network: MlpConfig =
            serde_json::from_value(settings["model"].clone()).map_err(|error| {
                wrong(&format!(
                    "expected the network's sizes in settings.model: {error}"
                ))
            })?;
        if network.inputs != MNIST_PIXELS {
            let inputs = network.inputs;
            let reason = format!("expected a network of {MNIST_PIXELS} inputs, got {inputs}");
            return Err(wrong(&reason));
        }
        let test_set = settings["data"][1].as_str().map(str::to_owned);
        Ok(Self {
            model,
            network,
            test_set,
        })
    }
}

/// The first file of `names` that is in `directory`.
fn model_in(directory: &Path, names: &[&str]) -> Option<PathBuf> {
    let mut paths = names.iter().map(|name| directory.join(name));
    paths.find(|path| path.is_file())
}

/// The run in `artifacts` whose model was written last, with its model.
fn newest(artifacts: &Path, names: &[&str]) -> Option<(PathBuf, PathBuf)> {
    let entries = |directory: &Path| fs::read_dir(directory).into_iter().flatten().flatten();
    let runs = entries(artifacts).flat_map(|example| entries(&example.path()));
    runs.map(|run| run.path())
        .filter(|run| run.join("config.json").is_file())
        .filter_map(|run| model_in(&run, names).map(|model| (run, model)))
        .max_by_key(|(_, model)| {
            let written = fs::metadata(model).and_then(|metadata| metadata.modified());
            written.unwrap_or(SystemTime::UNIX_EPOCH)
        })
}

/// Why nothing could be said, by what the exit code tells apart.
#[derive(Debug)]
pub enum Failure {
    /// An option or a file is wrong.
    Input(Box<dyn Error>),
    /// Computing or printing failed.
    Other(Box<dyn Error>),
    /// Nobody reads on.
    Closed,
}

impl Failure {
    fn input(message: String) -> Self {
        Self::Input(message.into())
    }

    fn report(&self, err: &mut dyn Write) -> u8 {
        let (error, code) = match self {
            Self::Input(error) => (error, 2),
            Self::Other(error) => (error, 1),
            Self::Closed => return 0,
        };
        // There is nobody left to tell if this fails.
        let _ = writeln!(err, "error: {error}");
        code
    }
}

impl From<BackendError> for Failure {
    fn from(error: BackendError) -> Self {
        Self::Input(error.into())
    }
}

impl From<DataError> for Failure {
    fn from(error: DataError) -> Self {
        Self::Input(error.into())
    }
}

impl From<PngError> for Failure {
    fn from(error: PngError) -> Self {
        Self::Input(error.into())
    }
}

/// The model's file.
impl From<TrainingError> for Failure {
    fn from(error: TrainingError) -> Self {
        Self::Input(error.into())
    }
}

impl From<EvaluationError> for Failure {
    fn from(error: EvaluationError) -> Self {
        Self::Other(error.into())
    }
}

/// Standard output; all other input and output has errors of its own.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::Closed,
            _ => Self::Other(error.into()),
        }
    }
}
