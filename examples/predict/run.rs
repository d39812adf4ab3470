//! The training run whose model is used.

use std::fs;
use std::path::{Path, PathBuf};

use burn_lr::mnist::MNIST_PIXELS;
use burn_lr::model::MlpConfig;
use burn_lr::training::run::RunDirectory;

use serde_json::Value;

use super::Options;
use super::failure::Failure;

/// What is needed of a training run.
#[derive(Debug)]
pub struct Run {
    /// The file of the model.
    pub model: PathBuf,
    /// The network that it trained.
    pub network: MlpConfig,
    /// The fingerprint of the images that it was validated on, if the run tells.
    pub test_set: Option<String>,
}

/// Which of a run's models is wanted.
#[derive(Clone, Copy)]
enum Wanted {
    Best,
    Final,
    Average,
    /// The best if there is one, else the final one.
    Either,
}

impl Wanted {
    /// The model of `run`, if it has one of this kind.
    fn of(self, run: &RunDirectory) -> Option<PathBuf> {
        let there = |path: PathBuf| path.is_file().then_some(path);
        match self {
            Self::Best => there(run.best_model()),
            Self::Final => there(run.final_model()),
            Self::Average => there(run.average_model()),
            Self::Either => Self::Best.of(run).or_else(|| Self::Final.of(run)),
        }
    }

    fn names(self) -> &'static str {
        match self {
            Self::Best => "best.bpk",
            Self::Final => "final.bpk",
            Self::Average => "average.bpk",
            Self::Either => "best.bpk or final.bpk",
        }
    }
}

impl Run {
    /// The run that `options` name, by default the newest in `artifacts`.
    pub fn find(options: &Options, artifacts: &Path) -> Result<Self, Failure> {
        let wanted = match &options.model {
            None => Wanted::Either,
            Some(model) if model == Path::new("best") => Wanted::Best,
            Some(model) if model == Path::new("final") => Wanted::Final,
            Some(model) if model == Path::new("average") => Wanted::Average,
            Some(model) => {
                let directory = model.parent().unwrap_or(Path::new("."));
                let directory = options.run_dir.as_deref().unwrap_or(directory);
                return Self::read(&RunDirectory::new(directory), model.clone());
            }
        };
        let missing = |place: PathBuf, hint: &str| {
            let (place, names) = (place.display(), wanted.names());
            Failure::input(format!("{place}: expected a {names}, got none; {hint}"))
        };
        if let Some(directory) = &options.run_dir {
            let run = RunDirectory::new(directory);
            let hint = "name another --run-dir or --model";
            let model = wanted.of(&run);
            return Self::read(&run, model.ok_or_else(|| missing(directory.clone(), hint))?);
        }
        let examples = fs::read_dir(artifacts).into_iter().flatten().flatten();
        let runs = examples.flat_map(|example| RunDirectory::all_in(example.path()));
        // Runs of other examples are none of ours.
        let of_ours = |run: &RunDirectory| network(run).ok().and_then(|_| wanted.of(run));
        let (run, model) = RunDirectory::newest(runs, of_ours).ok_or_else(|| {
            let hint = "train one with the example mnist_step, or name a --run-dir";
            missing(artifacts.join("*/*"), hint)
        })?;
        Self::read(&run, model)
    }

    fn read(run: &RunDirectory, model: PathBuf) -> Result<Self, Failure> {
        let (network, settings) = network(run)?;
        let test_set = settings["data"][1].as_str().map(str::to_owned);
        Ok(Self {
            model,
            network,
            test_set,
        })
    }
}

/// The network that `run` trained, and all settings of the run.
fn network(run: &RunDirectory) -> Result<(MlpConfig, Value), Failure> {
    let settings = run.settings()?;
    let wrong = |reason: String| {
        let path = run.config();
        Failure::input(format!("{}: {reason}", path.display()))
    };
    let network: MlpConfig =
        serde_json::from_value(settings["model"].clone()).map_err(|error| {
            wrong(format!(
                "expected the network's sizes in settings.model: {error}"
            ))
        })?;
    if network.inputs != MNIST_PIXELS {
        let inputs = network.inputs;
        let reason = format!("expected a network of {MNIST_PIXELS} inputs, got {inputs}");
        return Err(wrong(reason));
    }
    Ok((network, settings))
}
