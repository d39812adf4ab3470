//! Trains all candidates under all seeds, several at a time.

use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use burn::train::{Interrupter, LearnerModel};
use burn_lr_scheduler::{Mode, Scheduler};

use super::candidate::Candidate;
use super::error::{BaseError, ExperimentError};
use super::pool::{Event, Pool, made, prepared};
use super::progress::Progress;
use super::results::Results;
use super::target::Target;
use super::trial::{Outcome, Trial};
use crate::TrainingError;
use crate::checkpoint::Best;
use crate::lock::Lock;
use crate::progress::Display;
use crate::training::Training;

/// How often a request to stop is looked for.
const POLL: Duration = Duration::from_millis(50);

type OnTrial = Box<dyn Fn(&Candidate, &Trial)>;

/// The same training under several schedules, each under several seeds.
///
/// The base gives the training and the model for a run directory and a seed: model, optimizer,
/// batch size, preprocessing and data. The experiment sets schedule and epochs from each
/// [`Candidate`] and nothing else, so nothing else can differ.
///
/// Trials run in parallel, each with the same bits as if it were alone. An experiment that was
/// stopped goes on where it stopped when it is run again with the same directory. A trial that
/// fails, by an error or a panic, is recorded as failed; the others go on.
///
/// ```no_run
/// use std::path::Path;
/// use std::sync::Arc;
///
/// use burn::tensor::Device;
/// use burn::train::metric::{AccuracyMetric, LossMetric};
/// use burn_lr_model::MlpConfig;
/// use burn_lr_scheduler::{Constant, StepLr};
/// use burn_lr_training::{Candidate, EpochLoader, Experiment, Mnist, Training};
///
/// let mnist = Mnist::bundled()?;
/// let base = |directory: &Path, seed: u64| {
///     let train = EpochLoader::new(mnist.train.first(3000), 64).shuffled(seed);
///     let valid = EpochLoader::new(mnist.test.clone(), 1000);
///     let training = Training::new(directory, Arc::new(train), Arc::new(valid), 64)
///         .metrics((LossMetric::new(), AccuracyMetric::new()));
///     let device = Device::default();
///     device.seed(seed);
///     Ok((training, MlpConfig::new().init(&device)))
/// };
/// let results = Experiment::new("artifacts/compare", base)
///     .candidates([
///         Candidate::new("constant", Constant::new(0.01), 10),
///         Candidate::new("halve every 3", StepLr::new(0.01, 3).with_gamma(0.5), 10),
///     ])
///     .seeds([1, 2, 3])
///     .run()?;
/// println!("{}", results.table());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Experiment<F> {
    pub(super) directory: PathBuf,
    pub(super) base: F,
    pub(super) candidates: Vec<Candidate>,
    pub(super) seeds: Vec<u64>,
    pub(super) target: Target,
    pub(super) best: Best,
    pub(super) jobs: usize,
    pub(super) display: Display,
    pub(super) interrupter: Interrupter,
    on_trial: OnTrial,
}

impl<F, M> Experiment<F>
where
    M: LearnerModel,
    F: Fn(&Path, u64) -> Result<(Training<M>, M), BaseError> + Sync,
{
    /// An experiment in `directory` on what `base` gives for a run directory and a seed.
    ///
    /// The base must seed the device and draw the initial weights from it, and register metrics
    /// called `Loss` and `Accuracy`; without the latter there is no verdict on the target.
    pub fn new(directory: impl AsRef<Path>, base: F) -> Self {
        Self {
            directory: directory.as_ref().to_owned(),
            base,
            candidates: Vec::new(),
            seeds: vec![1, 2, 3],
            target: Target::default(),
            best: Best::valid("loss", Mode::Min),
            jobs: std::thread::available_parallelism().map_or(1, NonZero::get),
            display: Display::Silent,
            interrupter: Interrupter::new(),
            on_trial: Box::new(|_, _| {}),
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

    /// Sets the target of the verdict.
    pub fn target(mut self, target: Target) -> Self {
        self.target = target;
        self
    }

    /// Sets what makes an epoch the best one; the least validation loss by default.
    pub fn best(mut self, best: Best) -> Self {
        self.best = best;
        self
    }

    /// Sets how many trials run at a time; as many as there are cores by default.
    ///
    /// If the base's training has a [seed](Training::seed), because its model draws random numbers
    /// while it trains, trials run one after another: they would share the generator.
    pub fn jobs(mut self, jobs: usize) -> Self {
        self.jobs = jobs;
        self
    }

    /// Shows a progress bar with a time estimate, if that is [`Display::Bar`].
    pub fn display(mut self, display: Display) -> Self {
        self.display = display;
        self
    }

    /// Sets the handle through which the experiment can be stopped from outside.
    pub fn interrupter(mut self, interrupter: Interrupter) -> Self {
        self.interrupter = interrupter;
        self
    }

    /// Calls `on_trial` whenever a trial is complete or has failed.
    pub fn on_trial(mut self, on_trial: impl Fn(&Candidate, &Trial) + 'static) -> Self {
        self.on_trial = Box::new(on_trial);
        self
    }

    /// Trains all candidates under all seeds, or what is left of that.
    ///
    /// # Errors
    /// [`ExperimentError`] naming the setting or candidate that is wrong, before anything is
    /// trained; [`Interrupted`](ExperimentError::Interrupted); or
    /// [`AllFailed`](ExperimentError::AllFailed).
    pub fn run(&self) -> Result<Results, ExperimentError> {
        // All candidates under the first seed come first, and so on: what there is can be compared.
        let plan: Vec<(usize, u64)> = self
            .seeds
            .iter()
            .flat_map(|&seed| (0..self.candidates.len()).map(move |candidate| (candidate, seed)))
            .collect();
        let mut seeds = self.seeds.clone();
        seeds.sort_unstable();
        if let Some(twice) = seeds.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(ExperimentError::Invalid {
                name: "seeds",
                expected: "each one once",
                found: format!("{} twice", twice[0]),
            });
        }
        let trials = self.train(&self.candidates, &plan)?;
        self.results(self.candidates.clone(), trials)
    }

    pub(super) fn results(
        &self,
        candidates: Vec<Candidate>,
        mut trials: Vec<Trial>,
    ) -> Result<Results, ExperimentError> {
        if trials.iter().all(|trial| trial.history().is_none()) {
            let first = trials.iter().find_map(Trial::error);
            return Err(ExperimentError::AllFailed {
                first: first.unwrap_or("there was none").to_owned(),
            });
        }
        trials.sort_by_key(|trial| trial.candidate);
        Ok(Results::new(
            self.directory.clone(),
            candidates,
            trials,
            self.target,
            self.best.clone(),
        ))
    }

    /// Trains the candidates under the seeds that the plan names, in its order.
    pub(super) fn train(
        &self,
        candidates: &[Candidate],
        plan: &[(usize, u64)],
    ) -> Result<Vec<Trial>, ExperimentError> {
        let jobs = self.check(candidates, plan)?;
        let _lock = Lock::take(&self.directory)?;
        let trials: Vec<Trial> = plan
            .iter()
            .map(|&(candidate, seed)| Trial {
                candidate,
                seed,
                directory: self.trial_directory(&candidates[candidate], seed),
                outcome: Outcome::Failed("not run".to_owned()),
            })
            .collect();
        let epochs = plan
            .iter()
            .map(|&(candidate, _)| candidates[candidate].epochs);
        let mut progress = Progress::new(self.display == Display::Bar, plan.len(), epochs.sum());
        let pool = Pool {
            base: &self.base,
            best: &self.best,
            candidates,
            trials: &trials,
            waiting: Mutex::new((0..trials.len()).collect()),
        };

        let mut outcomes: Vec<Option<Outcome>> = vec![None; trials.len()];
        let mut running: Vec<(usize, Interrupter)> = Vec::new();
        std::thread::scope(|scope| {
            let (sender, events) = mpsc::channel();
            for _ in 0..jobs {
                let (sender, pool) = (sender.clone(), &pool);
                scope.spawn(move || pool.work(&sender));
            }
            drop(sender);
            loop {
                if self.interrupter.should_stop() {
                    pool.waiting().clear();
                    for (_, interrupter) in &running {
                        interrupter.stop(Some("the experiment was stopped"));
                    }
                }
                let (number, event) = match events.recv_timeout(POLL) {
                    Ok(event) => event,
                    Err(RecvTimeoutError::Timeout) => continue,
                    Err(RecvTimeoutError::Disconnected) => break,
                };
                let mut trial = trials[number].clone();
                let candidate = &candidates[trial.candidate];
                let name = format!("{}, seed {}", candidate.name, trial.seed);
                match event {
                    Event::Start(interrupter) => {
                        running.push((number, interrupter));
                        progress.start(name);
                    }
                    Event::Epoch(epoch) => progress.epoch(number, epoch),
                    Event::End(outcome) => {
                        running.retain(|(running, _)| *running != number);
                        progress.end(number, candidate.epochs, &name);
                        if let Some(outcome) = &outcome {
                            trial.outcome = outcome.clone();
                            progress.aside(|| (self.on_trial)(candidate, &trial));
                        }
                        outcomes[number] = outcome;
                    }
                }
            }
        });

        let finished = outcomes.iter().flatten().count();
        if finished < trials.len() {
            let interruption = self.interrupter.interruption();
            return Err(ExperimentError::Interrupted {
                finished,
                trials: trials.len(),
                reason: interruption
                    .and_then(|interruption| interruption.reason)
                    .unwrap_or_else(|| "no reason given".to_owned()),
            });
        }
        let with_outcome = |(trial, outcome)| Trial { outcome, ..trial };
        Ok(trials
            .into_iter()
            .zip(outcomes.into_iter().flatten())
            .map(with_outcome)
            .collect())
    }

    /// Refuses what cannot be trained, and gives how many trials may run at a time.
    fn check(
        &self,
        candidates: &[Candidate],
        plan: &[(usize, u64)],
    ) -> Result<usize, ExperimentError> {
        let invalid = |name, expected, found: String| ExperimentError::Invalid {
            name,
            expected,
            found,
        };
        let Some(&(_, seed)) = plan.first() else {
            let found = format!("{} and {}", candidates.len(), self.seeds.len());
            return Err(invalid(
                "candidates and seeds",
                "at least one of each",
                found,
            ));
        };
        if self.jobs == 0 {
            return Err(invalid("jobs", "at least 1", "0".to_owned()));
        }
        let mut directories: Vec<(String, &str)> = candidates
            .iter()
            .map(|candidate| (candidate.directory(), candidate.name.as_str()))
            .collect();
        directories.sort();
        let unfit = |(directory, name): &&(String, &str)| {
            !(1..=100).contains(&directory.len()) || name.contains(char::is_control)
        };
        if let Some((_, name)) = directories.iter().find(unfit) {
            let expected = "a line with a letter or digit, of up to 100 bytes";
            return Err(invalid("candidate's name", expected, format!("{name:?}")));
        }
        if let Some(twins) = directories.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            let expected = "names that differ in letters or digits";
            let found = format!("{:?} and {:?}", twins[0].1, twins[1].1);
            return Err(invalid("candidates' names", expected, found));
        }

        let Target {
            min_valid_accuracy,
            max_train_accuracy,
        } = self.target;
        for (name, bound) in [
            ("target's validation accuracy", min_valid_accuracy),
            ("target's training accuracy", max_train_accuracy),
        ] {
            if !(0.0..=1.0).contains(&bound) {
                return Err(invalid(name, "a fraction, 0 to 1", bound.to_string()));
            }
        }

        let (mut training, _) = self.base(&self.directory, seed)?;
        for candidate in candidates {
            training = training
                .schedule(candidate.schedule.clone(), candidate.clock)
                .epochs(candidate.epochs);
            let fits = training
                .run()
                .and_then(|run| Ok(Scheduler::new(candidate.schedule.clone(), run)?));
            fits.map_err(|source| candidate.refused(source))?;
        }
        for &(candidate, seed) in plan {
            self.check_trial(&candidates[candidate], seed)?;
        }
        std::fs::create_dir_all(&self.directory)
            .map_err(|error| TrainingError::file("create", &self.directory, error))?;
        Ok(if training.seed.is_some() {
            1
        } else {
            self.jobs
        })
    }

    /// Refuses a candidate under whose name something else was trained already.
    fn check_trial(&self, candidate: &Candidate, seed: u64) -> Result<(), ExperimentError> {
        let directory = self.trial_directory(candidate, seed);
        if !directory.exists() {
            return Ok(());
        }
        let (training, model) = self.base(&directory, seed)?;
        prepared(training, candidate, &self.best)
            .check_resumed(&directory, &model)
            .map_err(|source| candidate.refused(source))
    }

    pub(super) fn base(
        &self,
        directory: &Path,
        seed: u64,
    ) -> Result<(Training<M>, M), ExperimentError> {
        made(&self.base, directory, seed).map_err(|source| ExperimentError::Base { seed, source })
    }

    fn trial_directory(&self, candidate: &Candidate, seed: u64) -> PathBuf {
        let trials = self.directory.join("trials");
        trials
            .join(candidate.directory())
            .join(format!("seed-{seed}"))
    }
}
