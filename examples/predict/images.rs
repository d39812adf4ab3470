//! What the model says about images in files.

use std::io::Write;
use std::path::Path;

use burn::tensor::Device;
use burn_lr::mnist::{
    DataError, IdxImages, MNIST_PIXELS, image_tensor, read_images, read_png_digit,
};
use burn_lr::model::Mlp;
use burn_lr::training::evaluate::{Prediction, classify};
use serde_json::{Value, json};

use super::failure::Failure;
use super::{BATCH_SIZE, Options};

/// A line for each image in `file`.
pub fn print_predictions(
    file: &Path,
    options: &Options,
    model: &Mlp,
    device: &Device,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let predict =
        |pixels: &[u8]| classify(model.forward(image_tensor(pixels, MNIST_PIXELS, device)));
    let mut print = |index: Option<usize>, prediction: &Prediction| {
        if options.json {
            writeln!(out, "{}", json_line(file, index, prediction))
        } else {
            writeln!(out, "{}", line(file, index, prediction))
        }
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
