//! The snippets of the book, as documentation tests: `cargo test --workspace --doc` compiles and runs them.

use std::path::Path;

use burn::tensor::Device;
use burn::train::metric::{AccuracyMetric, LossMetric};
use burn_lr::mnist::Mnist;
use burn_lr::model::{Mlp, MlpConfig};
use burn_lr::training::Training;
use burn_lr::training::loader::EpochLoader;

/// A training on 300 digits in `directory`, validated on 200 others, and the experiment's network to be trained.
///
/// # Errors
/// Those of [`Mnist::bundled`].
pub fn digits(directory: &Path) -> Result<(Training<Mlp>, Mlp), Box<dyn std::error::Error>> {
    let mnist = Mnist::bundled()?;
    let train = EpochLoader::new(mnist.train.first(300), 50).shuffled(42);
    let valid = EpochLoader::new(mnist.test.first(200), 200);
    let training = Training::new(directory, train, valid)
        .metrics((LossMetric::new(), AccuracyMetric::new()))
        .on_notice(|_| {});
    let device = Device::flex();
    device.seed(42);
    Ok((training, MlpConfig::new().init(&device)))
}

macro_rules! pages {
    ($($name:ident $file:literal)*) => {
        $(
            #[cfg(doctest)]
            #[doc = include_str!(concat!("src/", $file))]
            struct $name;
        )*
    };
}

pages! {
    Tonight "tonight.md"
    YourOwn "your-own.md"
    Choosing "choosing.md"
    Plateaus "plateaus.md"
    NoSchedule "no-schedule.md"
    Resume "resume.md"
    Branches "branches.md"
    Reading "reading.md"
    Experiments "experiments.md"
    FromPytorch "from-pytorch.md"
    FromLightning "from-lightning.md"
    FromKeras "from-keras.md"
    FromHuggingFace "from-hugging-face.md"
}
