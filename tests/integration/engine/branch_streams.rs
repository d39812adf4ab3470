//! Branches of everything at once: streams without an end, accumulation, averages, clipping, other periods, and
//! stops within them.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use burn::train::Interrupter;
use burn::train::metric::LossMetric;
use burn_lr::scheduler::{Cooldown, Length, WsdDecay};
use burn_lr::training::average::{Average, Ema, Validate};
use burn_lr::training::checkpoint::KeepPolicy;
use burn_lr::training::loader::{EpochLoader, Loader};
use burn_lr::training::metrics::{Best, EpochRecord, valid};
use burn_lr::training::optim::GradientClip;
use burn_lr::training::run::Branch;
use burn_lr::training::track::{RunStart, Tracker, TrackerError, UpdateRecord};
use burn_lr::training::{Trained, Training, TrainingError};
use tempfile::TempDir;

use super::net::{Net, outcome, values};
use super::periods::Endless;
use crate::common::line::Slope;

fn endless(directory: &Path) -> Training<Net> {
    let loader = Loader::replayable_by(|| Arc::new(Endless));
    let average = Average::ema(Ema::new(0.9).with_warmup(2.0, 0.75)).every_updates(2);
    Training::new(directory, loader, EpochLoader::new(Slope, 20))
        .metrics((LossMetric::new(),))
        .schedule(0.05)
        .grads_accumulation(3)
        .clip_gradients(GradientClip::norm(0.5))
        .average(average.validate(Validate::Both))
        .keep(KeepPolicy::all().with_best(Best::min(valid("average_loss"))))
        .checkpoint_every(Duration::ZERO)
        .resume(true)
        .on_notice(|_| {})
}

fn all(trained: Trained<Net>) -> impl PartialEq + std::fmt::Debug {
    (trained.average.as_ref().map(values), outcome(trained))
}

/// Stops a run after so many updates.
struct Stopping(usize, Interrupter);

impl Tracker for Stopping {
    fn begin(&mut self, _: &RunStart<'_>) -> Result<(), TrackerError> {
        Ok(())
    }

    fn update(&mut self, _: &UpdateRecord) -> Result<(), TrackerError> {
        self.0 -= 1;
        if self.0 == 0 {
            self.1.stop(Some("a test"));
        }
        Ok(())
    }

    fn epoch(&mut self, _: &EpochRecord) -> Result<(), TrackerError> {
        Ok(())
    }
}

/// What `training` ends with, which stops again and again, after about two updates each time.
fn stopped_often(training: impl Fn() -> Training<Net>) -> Trained<Net> {
    for process in 0..60 {
        let interrupter = Interrupter::new();
        let stopping = Stopping(2, interrupter.clone());
        let training = training().interrupter(interrupter).track(stopping);
        match training.track_every(1).fit(Net::new(3 + process)) {
            Ok(trained) => return trained,
            Err(TrainingError::Interrupted { .. }) => {}
            other => panic!("{other:?}"),
        }
    }
    panic!("it does not end");
}

#[test]
fn a_branch_off_a_stream_is_what_it_would_have_been_from_the_start_however_often_it_stops() {
    let root = TempDir::new().unwrap();
    let of = |path: &Path| endless(path).max_updates(20).every(7);
    let whole = of(&root.path().join("whole")).fit(Net::new(1)).unwrap();
    let [parent, other] = ["parent", "other"].map(|name| root.path().join(name));
    endless(&parent)
        .max_updates(8)
        .every(3)
        .fit(Net::new(1))
        .unwrap();
    for (at, ends) in [(6, &[3, 6, 7, 14, 20][..]), (8, &[3, 6, 8, 14, 20])] {
        let branch = |name: &str| {
            let path = root.path().join(format!("{name}-{at}"));
            of(&path).branch(Branch::update(&parent, at))
        };
        let trained = branch("once").fit(Net::new(2)).unwrap();
        let epochs = &trained.history.epochs;
        assert!(
            epochs
                .iter()
                .map(|epoch| epoch.updates)
                .eq(ends.iter().copied())
        );
        let samples = epochs.iter().map(|epoch| epoch.data.unwrap().samples);
        assert!(samples.eq(ends.iter().map(|updates| 8 * 3 * updates)));
        assert_eq!(values(&trained.model), values(&whole.model));
        let averages = [&trained, &whole].map(|of| of.average.as_ref().map(values));
        assert_eq!(averages[0], averages[1]);
        let [ours, theirs] = [epochs, &whole.history.epochs].map(|of| of.last().unwrap());
        assert_eq!(
            (&ours.valid, ours.data, ours.lr),
            (&theirs.valid, theirs.data, theirs.lr)
        );
        assert_eq!(all(stopped_often(|| branch("often"))), all(trained));
    }

    // A cooldown, in percent of a longer run, off a branch that was itself stopped.
    let cooled = |name: &str| {
        let cooldown = Cooldown::new(0.05, Length::Percent(80.0), Length::Percent(20.0));
        let training = endless(&root.path().join(name)).max_updates(25).every(1000);
        let training = training.schedule(cooldown.with_kind(WsdDecay::Linear).per_update());
        training.branch(Branch::newest(root.path().join("often-8")))
    };
    let trained = cooled("cooled").fit(Net::new(2)).unwrap();
    let last = trained.history.epochs.last().unwrap();
    assert_eq!((last.updates, trained.history.epochs.len()), (25, 6));
    assert!((last.lr - 0.01).abs() < 1e-12, "{}", last.lr);
    assert_eq!(all(stopped_often(|| cooled("cooled-often"))), all(trained));

    // In epochs there is no end to it.
    let epochs = endless(&other).epochs(3).branch(Branch::newest(&parent));
    let refused = epochs.fit(Net::new(1));
    assert!(
        matches!(refused, Err(TrainingError::Invalid { .. })),
        "{refused:?}"
    );
    assert!(!other.exists());
}
