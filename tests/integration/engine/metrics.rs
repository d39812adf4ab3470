//! Metrics that something asks for, and that are not there.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use burn::data::dataset::DatasetError;
use burn::tensor::{Device, TensorReadError};
use burn::train::metric::{
    AucPrMetric, AurocMetric, ClassReduction, LossInput, LossMetric, Metric, MetricMetadata,
    MetricName, Numeric, NumericEntry, SerializedEntry,
};
use burn_lr::scheduler::{Mode, ReduceLrOnPlateau};
use burn_lr::training::checkpoint::KeepPolicy;
use burn_lr::training::evaluate::evaluate;
use burn_lr::training::loader::{BatchSource, EpochLoader, Sample};
use burn_lr::training::metrics::{Best, EarlyStopping, train, valid};
use burn_lr::training::optim::{GradientClip, Group, NonFinite, Select};
use burn_lr::training::{Training, TrainingError};
use tempfile::TempDir;

use super::net::{Net, run};
use crate::common::line::{Points, Slope};
use crate::common::{halving, model, training};

fn plateau(training: Training<Net>) -> Training<Net> {
    training.schedule(ReduceLrOnPlateau::new(0.01).per_epoch())
}

/// Refused before the first update: no history, no checkpoint.
fn unknown(directory: &Path, training: Training<Net>) -> (&'static str, String, Vec<String>) {
    let refused = training.fit(Net::new(1));
    let Err(TrainingError::UnknownMetric {
        user,
        metric,
        known,
    }) = refused
    else {
        panic!("{refused:?}");
    };
    assert!(!directory.join("history.csv").exists() && !directory.join("history.json").exists());
    assert_eq!(
        std::fs::read_dir(directory.join("checkpoint"))
            .unwrap()
            .count(),
        0
    );
    (user, metric, known)
}

#[test]
fn a_metric_that_is_not_registered_is_named_with_those_that_are() {
    type Change = fn(Training<Net>) -> Training<Net>;
    let changes: [(Change, &str, &str); 7] = [
        (
            |run| plateau(run).observe(valid("recall")),
            "plateau",
            "valid_recall",
        ),
        (
            |run| plateau(run).observe(valid("Loss")),
            "plateau",
            "valid_Loss",
        ),
        (
            |run| {
                let group = Group::new("second", Select::prefix("second"));
                plateau(run).group(group.observe(train("lost")))
            },
            "plateau",
            "train_lost",
        ),
        (
            |run| run.early_stopping(EarlyStopping::new(1).on(train("accuracy"), Mode::Max)),
            "early stopping",
            "train_accuracy",
        ),
        (
            |run| run.keep(KeepPolicy::last(1).with_best(Best::max(valid("f1")))),
            "best checkpoint",
            "valid_f1",
        ),
        (
            |run| plateau(run).observe(train("gradient_norm")),
            "plateau",
            "train_gradient_norm",
        ),
        (|run| plateau(run).observe(train("")), "plateau", "train_"),
    ];
    for (change, user, metric) in changes {
        let directory = TempDir::new().unwrap();
        let found = unknown(directory.path(), change(run(directory.path())));
        let known = ["train_loss", "valid_loss"].map(str::to_owned);
        assert_eq!(found, (user, metric.to_owned(), known.to_vec()));
        // Set right, the run begins.
        plateau(run(directory.path())).fit(Net::new(1)).unwrap();
    }
}

#[test]
fn metrics_of_gradients_are_there_when_gradients_are_watched_and_only_in_training() {
    let clipped = |directory: &Path| {
        plateau(run(directory))
            .clip_gradients(GradientClip::norm(1.0))
            .non_finite(NonFinite::Skip)
    };
    let directory = TempDir::new().unwrap();
    let wrong = clipped(directory.path()).observe(valid("gradient_norm"));
    let (_, metric, known) = unknown(directory.path(), wrong);
    assert_eq!(metric, "valid_gradient_norm");
    let trained = ["train_gradient_norm", "train_loss", "train_skipped_updates"];
    assert_eq!(known, [&trained[..], &["valid_loss"]].concat());
    let right = clipped(directory.path()).observe(train("skipped_updates"));
    right.fit(Net::new(1)).unwrap();
}

fn unregistered(directory: &Path) -> Training<Net> {
    let (train, valid) = (EpochLoader::new(Slope, 8), EpochLoader::new(Slope, 20));
    Training::new(directory, train, valid)
        .epochs(3)
        .resume(true)
        .on_notice(|_| {})
}

#[test]
fn a_run_needs_no_metric_unless_something_asks_for_one() {
    let directory = TempDir::new().unwrap();
    let history = unregistered(directory.path())
        .observe(valid("nothing"))
        .fit(Net::new(1))
        .unwrap()
        .history;
    assert!(history.keys().is_empty());
    assert!(!directory.path().join("best.bpk").exists());
    let directory = TempDir::new().unwrap();
    let (user, _, known) = unknown(directory.path(), plateau(unregistered(directory.path())));
    assert_eq!((user, known.len()), ("plateau", 0));
}

#[test]
fn a_metric_of_the_other_split_is_missed_after_the_first_epoch() {
    let of_training = |directory: &Path| {
        let training = unregistered(directory);
        training.configure(|training| training.metric_train_numeric(LossMetric::new()))
    };
    type Change = fn(Training<Net>) -> Training<Net>;
    let changes: [(Change, &str); 3] = [
        (plateau, "plateau"),
        (
            |run| run.early_stopping(EarlyStopping::new(1)),
            "early stopping",
        ),
        (
            |run| run.keep(KeepPolicy::last(1).with_best(Best::min(valid("loss")))),
            "best checkpoint",
        ),
    ];
    for (change, asking) in changes {
        let directory = TempDir::new().unwrap();
        let missed = change(of_training(directory.path())).fit(Net::new(1));
        let Err(TrainingError::MissingMetric {
            user,
            metric,
            epoch,
            known,
        }) = missed
        else {
            panic!("{missed:?}");
        };
        assert_eq!((user, metric.as_str(), epoch), (asking, "valid_loss", 1));
        assert_eq!(known, ["train_loss"]);
        let checkpoints = directory.path().join("checkpoint");
        assert_eq!(
            std::fs::read_dir(checkpoints).unwrap().count(),
            0,
            "{asking}"
        );
    }
    let directory = TempDir::new().unwrap();
    plateau(of_training(directory.path()))
        .observe(train("loss"))
        .fit(Net::new(1))
        .unwrap();
}

fn auroc() -> AurocMetric {
    AurocMetric::multiclass(ClassReduction::Macro)
}

#[test]
fn metrics_that_are_no_means_over_batches_are_metrics_too() {
    let name = "auroc_[macro]";
    let directory = TempDir::new().unwrap();
    let trained = training(directory.path(), halving().per_epoch())
        .metrics((auroc(), AucPrMetric::multiclass(ClassReduction::Macro)))
        .epochs(2)
        .early_stopping(EarlyStopping::new(5).on(valid(name), Mode::Max))
        .keep(KeepPolicy::last(1).with_best(Best::max(valid(name))))
        .fit(model(&Device::flex()))
        .unwrap();
    let Some(last) = trained.history.epochs.last() else {
        panic!("no epoch");
    };
    let mnist = burn_lr::mnist::Mnist::bundled().unwrap();
    let test = EpochLoader::new(mnist.test.first(crate::common::SAMPLES), 100);
    let evaluated = evaluate(&trained.model, &test, auroc()).unwrap();
    assert!(
        (0.5..1.0).contains(&last.valid(name)),
        "{}",
        last.valid(name)
    );
    assert!((evaluated[name] - last.valid(name)).abs() < 1e-9);
    assert!(last.train(name) > 0.5 && last.train(name) < 1.0);
    assert_eq!(last.keys().len(), 8, "{:?}", last.keys());
    assert!(directory.path().join("best.bpk").exists());
}

/// Counts the batches that are asked for.
struct Counted(Arc<AtomicUsize>);

impl BatchSource<Points> for Counted {
    fn len(&self) -> usize {
        Slope.len()
    }

    fn batch(&self, samples: &[Sample], device: &Device) -> Result<Points, DatasetError> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Slope.batch(samples, device)
    }
}

#[test]
fn what_is_asked_for_is_known_before_the_first_update_on_several_devices_too() {
    for devices in [1, 2] {
        let directory = TempDir::new().unwrap();
        let batches = Arc::new(AtomicUsize::new(0));
        let counted = || {
            let train = EpochLoader::new(Counted(batches.clone()), 8);
            Training::new(directory.path(), train, EpochLoader::new(Slope, 20))
                .metrics((LossMetric::new(),))
                .devices(vec![Device::flex(); devices])
                .on_notice(|_| {})
                .resume(true)
        };
        let wrong = plateau(counted()).observe(valid("recall"));
        let (user, metric, known) = unknown(directory.path(), wrong);
        assert_eq!((user, &*metric), ("plateau", "valid_recall"));
        assert_eq!(known, ["train_loss", "valid_loss"]);
        let wrong = counted().require_metrics([valid("loss"), train("recall")]);
        let (user, metric, _) = unknown(directory.path(), wrong);
        assert_eq!((user, &*metric), ("required", "train_recall"));
        assert_eq!(batches.load(Ordering::Relaxed), 0);
        assert!(!directory.path().join("summary").exists());
        plateau(counted()).fit(Net::new(1)).unwrap();
        assert!(batches.load(Ordering::Relaxed) > 0);
    }
}

#[test]
fn a_refused_run_on_several_devices_ends_without_a_panic_of_its_metrics() {
    let directory = TempDir::new().unwrap();
    let refused = training(directory.path(), halving().per_epoch())
        .metrics((auroc(),))
        .devices(vec![Device::flex(); 2])
        .require_metrics([valid("recall")])
        .fit(model(&Device::flex()));
    assert!(
        matches!(refused, Err(TrainingError::UnknownMetric { .. })),
        "{refused:?}"
    );
}

/// Burn's loss under another name.
#[derive(Clone)]
struct Renamed(LossMetric, &'static str);

impl Metric for Renamed {
    type Input = LossInput;

    fn name(&self) -> MetricName {
        Arc::new(self.1.to_owned())
    }

    fn update(
        &mut self,
        input: &LossInput,
        metadata: &MetricMetadata,
    ) -> Result<SerializedEntry, TensorReadError> {
        self.0.update(input, metadata)
    }

    fn compute(&mut self) -> Result<SerializedEntry, TensorReadError> {
        self.0.compute()
    }

    fn clear(&mut self) {
        self.0.clear();
    }
}

impl Numeric for Renamed {
    fn value(&self) -> Option<NumericEntry> {
        self.0.value()
    }

    fn running_value(&self) -> Option<NumericEntry> {
        self.0.running_value()
    }

    fn final_value(&self) -> NumericEntry {
        self.0.final_value()
    }
}

#[test]
fn two_metrics_of_one_name_are_refused() {
    let renamed = |name| Renamed(LossMetric::new(), name);
    let clip = |run: Training<Net>| run.clip_gradients(GradientClip::norm(1.0));
    let cases: [(Training<Net>, &str); 3] = [
        (run(Path::new("")).metrics((renamed("loss"),)), "loss"),
        (run(Path::new("")).metrics((LossMetric::new(),)), "loss"),
        (
            clip(run(Path::new("")).metrics((renamed("Gradient Norm"),))),
            "gradient_norm",
        ),
    ];
    for (training, name) in cases {
        let directory = TempDir::new().unwrap();
        let refused = training.in_directory(directory.path()).fit(Net::new(1));
        let Err(TrainingError::MetricTwice { metric, names }) = refused else {
            panic!("{refused:?}");
        };
        assert_eq!((&*metric, names.len()), (name, 2));
        let checkpoints = std::fs::read_dir(directory.path().join("checkpoint"));
        assert_eq!(checkpoints.unwrap().count(), 0);
    }
    // Nobody else's gradients are watched here.
    let directory = TempDir::new().unwrap();
    let trained = run(directory.path()).metrics((renamed("Gradient Norm"),));
    let history = trained.fit(Net::new(1)).unwrap().history;
    assert!(history.epochs[0].valid("gradient_norm").is_finite());
}
