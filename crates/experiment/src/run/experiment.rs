//! What is compared, under which seeds, by what.

use std::path::{Path, PathBuf};

use burn::train::{Interrupter, LearnerModel};
use burn_lr_training::Training;
use burn_lr_training::metrics::Best;
use burn_lr_training::run::Display;

use super::notices::Notices;
use crate::candidate::Candidate;
use crate::candidate::Setup;
use crate::error::BaseError;
use crate::objective::Objective;
use crate::results::Trial;

pub(crate) type OnTrial = Box<dyn Fn(&Candidate, &Trial)>;

/// The same training for several candidates, each under several seeds.
///
/// The base gives the training and the model for a [`Setup`]: a run directory, a seed, and the
/// settings of a candidate, if it has some. The experiment sets schedule, epochs and optimizer as the
/// [`Candidate`] has them. So nothing but what candidates set can differ, as long as the base is a
/// function of what it is given: data that differ are up to it.
///
/// Trials run in parallel, each with the same bits as if it were alone. An experiment that was
/// stopped goes on where it stopped when it is run again with the same directory. A trial that
/// fails, by an error or a panic, is recorded as failed; the others go on. So is one that the base
/// refuses when its turn comes, though what it makes of each candidate under the first seed is checked
/// before anything is trained.
///
/// ```no_run
/// use burn::tensor::Device;
/// use burn::train::metric::LossMetric;
/// use burn_lr_experiment::{Candidate, Experiment, Objective, Setup};
/// use burn_lr_scheduler::StepLr;
/// use burn_lr_training::Training;
/// use burn_lr_training::metrics::valid;
/// # use burn::data::dataset::DatasetError;
/// # use burn::module::Module;
/// # use burn::nn::{Linear, LinearConfig};
/// # use burn::tensor::Tensor;
/// # use burn::train::{InferenceStep, RegressionOutput, TrainOutput, TrainStep};
/// # use burn_lr_training::loader::{BatchSource, EpochLoader, Sample};
/// # #[derive(Module, Debug)]
/// # struct Model { linear: Linear }
/// # struct Houses;
/// # impl BatchSource<Tensor<2>> for Houses {
/// #     fn len(&self) -> usize { 0 }
/// #     fn batch(&self, _: &[Sample], device: &Device) -> Result<Tensor<2>, DatasetError> {
/// #         Ok(Tensor::zeros([1, 1], device))
/// #     }
/// # }
/// # impl InferenceStep for Model {
/// #     type Input = Tensor<2>;
/// #     type Output = RegressionOutput;
/// #     fn step(&self, _: Tensor<2>) -> RegressionOutput { unreachable!() }
/// # }
/// # impl TrainStep for Model {
/// #     type Input = Tensor<2>;
/// #     type Output = RegressionOutput;
/// #     fn step(&self, _: Tensor<2>) -> TrainOutput<RegressionOutput> { unreachable!() }
/// # }
/// # fn houses() -> Houses { Houses }
/// # fn model(_hidden: usize, device: &Device) -> Model { Model { linear: LinearConfig::new(1, 1).init(device) } }
/// let base = |setup: &Setup| {
///     let train = EpochLoader::new(houses(), 64).shuffled(setup.seed());
///     let valid = EpochLoader::new(houses(), 1000);
///     let training = Training::new(setup.directory(), train, valid)
///         .epochs(10)
///         .metrics((LossMetric::new(),));
///     let device = Device::default();
///     device.seed(setup.seed());
///     Ok((training, model(setup.setting_or("hidden", 64)?, &device)))
/// };
/// let results = Experiment::new("artifacts/compare", base)
///     .candidates([
///         Candidate::new("constant").schedule(0.01),
///         Candidate::new("halve every 3").schedule(StepLr::new(0.01, 3).with_gamma(0.5).per_epoch()),
///         Candidate::new("small").schedule(0.01).setting("hidden", 16),
///     ])
///     .objective(Objective::min(valid("loss")))
///     .seeds([1, 2, 3])
///     .run()?;
/// println!("{}", results.table());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Experiment<F> {
    pub(crate) directory: PathBuf,
    pub(crate) base: F,
    pub(crate) candidates: Vec<Candidate>,
    pub(crate) seeds: Vec<u64>,
    pub(crate) objective: Objective,
    best: Option<Best>,
    pub(crate) jobs: Option<usize>,
    pub(crate) display: Display,
    pub(crate) interrupter: Interrupter,
    pub(crate) on_trial: OnTrial,
    pub(crate) notices: Notices,
}

impl<F, M> Experiment<F>
where
    M: LearnerModel,
    F: Fn(&Setup) -> Result<(Training<M>, M), BaseError> + Sync,
{
    /// An experiment in `directory` on what `base` gives.
    ///
    /// The base must seed the device and draw the initial weights from it, and register the metrics
    /// that the objective asks for. What it has set to be called at the end of epochs and with notices
    /// is called; display and interrupter are the experiment's own, since trials run side by side: see [`display`](Self::display) and [`interrupter`](Self::interrupter).
    pub fn new(directory: impl AsRef<Path>, base: F) -> Self {
        Self {
            directory: directory.as_ref().to_owned(),
            base,
            candidates: Vec::new(),
            seeds: vec![1, 2, 3],
            objective: Objective::default(),
            best: None,
            jobs: None,
            display: Display::Silent,
            interrupter: Interrupter::new(),
            on_trial: Box::new(|_, _| {}),
            notices: Notices::default(),
        }
    }

    /// Adds candidates; the first of all is what the others are compared with.
    pub fn candidates(mut self, candidates: impl IntoIterator<Item = Candidate>) -> Self {
        self.candidates.extend(candidates);
        self
    }

    /// Sets the seeds that each candidate is trained under; 1, 2 and 3 by default.
    pub fn seeds(mut self, seeds: impl IntoIterator<Item = u64>) -> Self {
        self.seeds = seeds.into_iter().collect();
        self
    }

    /// Sets what candidates are judged by; the least validation loss by default.
    pub fn objective(mut self, objective: Objective) -> Self {
        self.objective = objective;
        self
    }

    /// Sets what makes an epoch the best one; the objective's metric by default.
    pub fn best(mut self, best: Best) -> Self {
        self.best = Some(best);
        self
    }

    /// Sets how many trials run at a time; by default as many as there are cores if the model is in
    /// this process's own memory, and one on a GPU.
    ///
    /// If a model [draws random numbers](Training::is_random) while it trains, trials run one after
    /// another, whatever is set: they would share the generator.
    pub fn jobs(mut self, jobs: usize) -> Self {
        self.jobs = Some(jobs);
        self
    }

    /// Shows a progress bar with a time estimate, if that is [`Display::Bar`].
    pub fn display(mut self, display: Display) -> Self {
        self.display = display;
        self
    }

    /// Sets the handle through which the experiment can be stopped from outside.
    ///
    /// One that is stopped stays so: [`run`](Self::run) ends at once and trains nothing, until
    /// `Interrupter::reset` is called. Trials that fail leave it as it was.
    pub fn interrupter(mut self, interrupter: Interrupter) -> Self {
        self.interrupter = interrupter;
        self
    }

    /// Calls `on_trial` whenever a trial is complete or has failed.
    pub fn on_trial(mut self, on_trial: impl Fn(&Candidate, &Trial) + 'static) -> Self {
        self.on_trial = Box::new(on_trial);
        self
    }

    /// Calls `on_notice` with what the user should know of a trial, as [`Training::on_notice`] has it,
    /// and the candidate that it is of, after whatever was set to be called with that before.
    ///
    /// What several trials say, such as that their loader cannot repeat its order, is told once. It
    /// goes to standard error unless something is set here or by the base. What the base has set is
    /// called by every trial.
    pub fn on_notice(mut self, on_notice: impl Fn(&Candidate, &str) + 'static) -> Self {
        self.notices.add(Box::new(on_notice));
        self
    }
}

impl<F> Experiment<F> {
    /// What makes an epoch the best one.
    pub(crate) fn best_epoch(&self) -> &Best {
        self.best.as_ref().unwrap_or(self.objective.best())
    }

    pub(crate) fn candidate_directory(&self, candidate: &Candidate) -> PathBuf {
        self.directory.join("trials").join(candidate.directory())
    }

    pub(crate) fn trial_directory(&self, candidate: &Candidate, seed: u64) -> PathBuf {
        let of_candidate = self.candidate_directory(candidate);
        of_candidate.join(format!("seed-{seed}"))
    }
}
