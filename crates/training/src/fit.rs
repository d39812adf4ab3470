//! Runs a [`Training`] through Burn's Learner.

use std::sync::Arc;
use std::time::Instant;

use burn::tensor::Device;
use burn::tensor::distributed::{DistributedConfig, ReduceOperation};
use burn::train::{ExecutionStrategy, Learner, LearnerModel, LearningResult, SupervisedTraining};
use burn_lr_scheduler::Scheduler;

use crate::TrainingError;
use crate::checkpoint::{
    CONFIG, CheckpointStore, Handover, MODEL, OPTIM, PARTS, PartCheckpointer, SCHEDULER,
};
use crate::checksum::set_aside_with_sum;
use crate::epoch_end::{EpochEnd, State};
use crate::feedback::FeedbackScheduler;
use crate::files::{create_directory, write_atomically};
use crate::fused_adam::fused_adam;
use crate::history::History;
use crate::loader::{Loader, Replay};
use crate::lock::Lock;
use crate::metrics_log::MetricsLog;
use crate::model_file::save_model;
use crate::observer::PlateauObserver;
use crate::progress::{BarRenderer, Display};
use crate::resume::{newest, restore};
use crate::run_config::RunConfig;
use crate::training::{Trained, Training};

/// What data-parallel workers do with their gradients.
const AVERAGE: DistributedConfig = DistributedConfig {
    all_reduce_op: ReduceOperation::Mean,
};

impl<M: LearnerModel> Training<M> {
    /// Trains `model`, whose device decides where that happens.
    ///
    /// # Errors
    /// [`TrainingError`] naming the setting, hyperparameter or file that is wrong, or what stopped
    /// the run: [`Diverged`](TrainingError::Diverged), [`Interrupted`](TrainingError::Interrupted)
    /// or an error of the Learner. What completed epochs led to is in the directory then, and can be
    /// resumed.
    pub fn fit(mut self, model: M) -> Result<Trained<M>, TrainingError> {
        let run = self.run()?;
        let scheduler = Scheduler::new(self.schedule.clone(), run)?;
        let (mut scheduler, feedback) = FeedbackScheduler::new(scheduler);
        let config = RunConfig::new(&self, run, &model);
        create_directory(&self.directory)?;
        let _lock = Lock::take(&self.directory)?;
        let store = CheckpointStore::open(self.directory.join("checkpoint"), &PARTS)?
            .with_keep(self.keep_policy())
            .with_notices(self.on_notice.clone());
        let config_path = self.directory.join(CONFIG);
        let checkpoint = match self.resume {
            true => newest(&self.directory, &store, &config, &self.on_notice)?,
            false if config_path.exists() || !store.epochs().is_empty() => {
                return Err(TrainingError::RunExists {
                    path: self.directory,
                });
            }
            false => None,
        };

        // A model from a plain device has no gradients yet.
        let mut model = model.train();
        let log = MetricsLog::default();
        let mut history = History::default();
        if let Some(checkpoint) = checkpoint {
            let resumed = restore(checkpoint, &store, &model, &mut scheduler, &self.on_notice)?;
            model = resumed.model;
            history = resumed.history;
            log.restore(resumed.log);
        }
        let done = history.epochs.len();
        if done > self.epochs {
            return Err(TrainingError::Invalid {
                name: "epochs",
                expected: "at least as many as the run has completed",
                found: format!("{} of {done}", self.epochs),
            });
        }
        let config = config.encode(&self.directory)?;
        write_atomically(&config_path, &config)?;
        // Newer checkpoints are damaged, or of a run that was given up: out of the way, but kept.
        let mut aside = store.set_aside_after(done)?;
        if done > 0 {
            history.write(&self.directory)?;
        } else {
            for name in ["history.csv", "history.json", "best.bpk", "final.bpk"] {
                aside.extend(set_aside_with_sum(&self.directory.join(name))?);
            }
        }
        for path in aside {
            self.on_notice
                .say(&format!("set aside as {}", path.display()));
        }
        let store = store.with_best_copy(MODEL, self.directory.join("best.bpk"))?;
        let stopping = self.early_stopping.as_ref();
        let stopped = stopping.is_some_and(|stopping| stopping.stops(&history));
        if done >= self.epochs || stopped {
            return self.complete(model.valid(), history);
        }

        let (metric, split) = self.observed.clone();
        let epoch_end = EpochEnd::new(State {
            directory: self.directory.clone(),
            store: store.clone(),
            handover: Handover::default(),
            needs_best: self.keep.is_some(),
            log: log.clone(),
            observer: PlateauObserver::new(feedback.clone())
                .metric(metric, split)
                .with_log(log.clone()),
            feedback,
            early_stopping: self.early_stopping.clone(),
            on_epoch: std::mem::replace(&mut self.on_epoch, Box::new(|_| {})),
            history,
            config,
            started: Instant::now(),
            error: None,
        });
        log.stop_on_divergence(self.interrupter.clone());
        let training = self.supervised(&log, &store, &epoch_end, done, model.devices());
        let result = training.launch(Learner::new(model, fused_adam(&self.adam), scheduler));
        self.judge(result, log, &store, epoch_end)
    }

    /// Burn's training with everything of ours attached, starting after epoch `done`.
    fn supervised(
        &mut self,
        log: &MetricsLog,
        store: &CheckpointStore,
        epoch_end: &EpochEnd,
        done: usize,
        mut devices: Vec<Device>,
    ) -> SupervisedTraining<M> {
        let train = Replay::new(&Loader::new(self.train.clone()), done as u64, self.seed);
        let valid = Replay::new(&Loader::new(self.valid.clone()), done as u64, None);
        let mut training =
            SupervisedTraining::new(&self.directory, Arc::new(train), Arc::new(valid))
                .with_application_logger(None)
                .with_metric_logger(log.clone());
        for configure in std::mem::take(&mut self.configure) {
            training = configure(training);
        }
        devices.truncate(1);
        if !self.devices.is_empty() {
            devices = std::mem::take(&mut self.devices);
        }
        let strategy = match self.data_parallel {
            true => ExecutionStrategy::ddp(devices, AVERAGE),
            false => ExecutionStrategy::multi(devices, self.multi_device_optim),
        };
        let handover = epoch_end.handover();
        let part = |part| PartCheckpointer::new(store.clone(), part).with_handover(&handover);
        // Also what is the default, in case `configure` has set something else.
        training = training
            .with_training_strategy(strategy.into())
            .grads_accumulation(self.grads_accumulation)
            .num_epochs(self.epochs)
            .with_interrupter(self.interrupter.clone())
            .with_custom_checkpointers(part(MODEL), part(OPTIM), part(SCHEDULER))
            .with_checkpointing_strategy(epoch_end.clone())
            .early_stopping(epoch_end.clone());
        if done > 0 {
            training = training.checkpoint(done);
        }
        match self.display {
            Display::Silent => training.renderer(Box::new(BarRenderer::new(false))),
            Display::Bar => training.renderer(Box::new(BarRenderer::new(true))),
            #[cfg(feature = "tui")]
            Display::Dashboard => {
                let renderer = burn::train::renderer::tui::TuiMetricsRendererWrapper::new(
                    self.interrupter.clone(),
                    (done > 0).then_some(done),
                );
                training.renderer(Box::new(renderer))
            }
        }
    }

    /// The model, or the first cause of the run's end.
    fn judge(
        self,
        result: LearningResult<M>,
        log: MetricsLog,
        store: &CheckpointStore,
        epoch_end: EpochEnd,
    ) -> Result<Trained<M>, TrainingError> {
        if let Some(divergence) = log.divergence() {
            return Err(divergence.into());
        }
        let history = epoch_end.finish()?;
        if let Some(error) = store.failure() {
            return Err(error);
        }
        let epoch = history.epochs.last().map_or(0, |last| last.epoch);
        if let Some(source) = result.error {
            return Err(TrainingError::Learner { epoch, source });
        }
        if let Some(interruption) = result.interrupted {
            return Err(TrainingError::Interrupted {
                epoch,
                reason: interruption
                    .reason
                    .unwrap_or_else(|| "no reason given".to_owned()),
            });
        }
        self.complete(result.model, history)
    }

    fn complete(self, model: M, history: History) -> Result<Trained<M>, TrainingError> {
        save_model(&self.directory.join("final.bpk"), &model)?;
        let stopping = self.early_stopping.as_ref();
        if history.epochs.len() < self.epochs
            && let Some(reason) = stopping.and_then(|stopping| stopping.reason(&history))
        {
            self.on_notice.say(&reason);
        }
        Ok(Trained { model, history })
    }
}
