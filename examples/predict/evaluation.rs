//! How well the model does on the test set.

use std::io::Write;

use burn_lr::mnist::{Mnist, bundled_mnist_dir};
use burn_lr::model::Mlp;
use burn_lr::training::evaluate::{ConfusionMatrix, confusion_matrix};
use burn_lr::training::loader::EpochLoader;
use serde_json::{Value, json};

use super::failure::Failure;
use super::run::Run;
use super::{BATCH_SIZE, Options};

/// The model's worth on the test set.
pub fn print_evaluation(
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
