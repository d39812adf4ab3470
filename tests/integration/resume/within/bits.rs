//! A run that was stopped after any batch ends with the same bits.

use burn::train::metric::{LearningRateMetric, LossMetric};
use burn_lr::scheduler::{
    CosineAnnealingLr, LinearLr, OneCycleLr, ReduceLrOnPlateau, StepLr, Warmup,
};
use burn_lr::training::average::{Average, Decay, Ema, Statistics, Validate};
use burn_lr::training::checkpoint::KeepPolicy;
use burn_lr::training::loader::EpochLoader;
use burn_lr::training::optim::{
    GradientClip, Hyperparameter, NonFinite, ProdigyConfig, ScheduleFreeAdamWConfig, adamw,
};
use burn_lr::training::run::{BatchGrowth, Period};
use burn_lr::training::{Trained, Training};
use tempfile::TempDir;

use super::{ALL, BATCHES, EPOCHS, NEVER, assert_stopped, ended, run};
use crate::average::statistics::Normed;
use crate::common::line::Slope;
use crate::common::stopping::stopping_after;
use crate::engine::net::{Net, noted};

type Configure = fn(Training<Net>) -> Training<Net>;

fn plateau() -> Warmup {
    let plateau = ReduceLrOnPlateau::new(0.05)
        .with_patience(0)
        .with_factor(0.5);
    Warmup::new(plateau, 4)
}

/// Each with how many batches make an update, at most.
const CONFIGURATIONS: [(&str, usize, Configure); 14] = [
    ("epochs", 1, |training| {
        training.schedule(plateau().per_update())
    }),
    ("accumulated, per epoch", 2, |training| {
        let schedule = StepLr::new(0.05, 1).with_gamma(0.5).per_epoch();
        training.grads_accumulation(2).schedule(schedule)
    }),
    ("clipped", 1, |training| {
        training
            .clip_gradients(GradientClip::norm(0.1))
            .non_finite(NonFinite::Skip)
    }),
    ("clipped, unread", 1, |training| {
        training.clip_gradients(GradientClip::norm(0.1))
    }),
    ("ema", 1, |training| {
        let ema = Ema::new(0.9).with_warmup(2.0, 0.75);
        training.average(Average::ema(ema).every_updates(2).after_updates(3))
    }),
    ("swa, both", 1, |training| {
        let swa = Average::swa().after_epochs(1).every_updates(2);
        training.average(swa.validate(Validate::Both))
    }),
    ("wsm", 1, |training| {
        training
            .average(Average::checkpoints(2, Decay::Cosine))
            .keep(KeepPolicy::last(2))
    }),
    ("periods", 1, |training| {
        let cosine = CosineAnnealingLr::new(0.05, 13);
        training
            .max_updates(ALL as u64)
            .every(4)
            .schedule(cosine.per_update())
    }),
    ("periods, accumulated", 2, |training| {
        training
            .every(Period::Epochs(0.8))
            .grads_accumulation(2)
            .schedule(plateau().per_epoch())
    }),
    ("cycled, growing", 2, |training| {
        let cycle = OneCycleLr::new(0.05).with_total_steps(11);
        training
            .grow_batch(BatchGrowth::by_samples([(0, 1), (50, 2)]))
            .schedule(cycle.per_update())
            .schedule_for(Hyperparameter::WeightDecay, LinearLr::new(0.1).per_update())
            .optimizer(adamw())
    }),
    ("growing, schedule-free", 2, |training| {
        training
            .grow_batch(BatchGrowth::by_updates([(0, 1), (7, 2)]))
            .optimizer(ScheduleFreeAdamWConfig::new().with_warmup_steps(7))
            .clip_gradients(GradientClip::norm(0.1))
            .non_finite(NonFinite::Skip)
    }),
    ("schedule-free", 1, |training| {
        training.optimizer(ScheduleFreeAdamWConfig::new().with_warmup_steps(7))
    }),
    ("Prodigy", 2, |training| {
        let prodigy = ProdigyConfig::new().with_d0(1e-4);
        training
            .optimizer(prodigy)
            .schedule(1.0)
            .grads_accumulation(2)
    }),
    ("samples, averaged", 1, |training| {
        training
            .max_samples(110)
            .every(Period::Samples(24))
            .average(Average::ema(0.9))
    }),
];

#[test]
fn a_run_that_stopped_after_any_batch_ends_with_the_same_bits_and_history() {
    for (name, accumulation, configure) in CONFIGURATIONS {
        let root = TempDir::new().unwrap();
        let at = |stop: &str, batches| configure(run(&root.path().join(stop), batches));
        let expected = ended(at("whole", NEVER).fit(Net::new(1)).unwrap());
        // That there are such checkpoints makes no difference either.
        let (train, _) = stopping_after(NEVER);
        let without = Training::new(
            root.path().join("without"),
            train,
            EpochLoader::new(Slope, 20),
        )
        .metrics((LossMetric::new(), LearningRateMetric::new()))
        .schedule(0.05)
        .epochs(EPOCHS)
        .on_notice(|_| {});
        assert_eq!(
            ended(configure(without).fit(Net::new(1)).unwrap()),
            expected,
            "{name}, without"
        );

        // After one update each time, from another model.
        let mut within = 0;
        let mut processes = 0;
        let resumed = loop {
            let (training, said) = noted(at("each", accumulation));
            training.can_resume(&Net::new(2)).unwrap();
            let result = training.fit(Net::new(1 + 10 * processes));
            within += said
                .iter()
                .filter(|said| said.starts_with("resuming within"))
                .count();
            processes += 1;
            assert!(processes < 30, "{name}");
            match result {
                Ok(trained) => break trained,
                stopped => assert_stopped(stopped),
            }
        };
        assert!(within >= 5, "{name}: {within} of {processes}");
        assert_eq!(ended(resumed), expected, "{name}, stopped after each");

        // And by itself in the second epoch.
        for stop in BATCHES..=2 * BATCHES {
            let directory = stop.to_string();
            assert_stopped(at(&directory, stop).fit(Net::new(1)));
            let resumed = at(&directory, NEVER).fit(Net::new(2)).unwrap();
            assert_eq!(ended(resumed), expected, "{name}, stopped after {stop}");
        }
    }
}

#[test]
fn running_statistics_are_continued() {
    for statistics in [
        Statistics::Averaged,
        Statistics::Copied,
        Statistics::Recomputed,
    ] {
        let root = TempDir::new().unwrap();
        let at = |stop: usize, batches| {
            let average = Average::ema(0.8).statistics(statistics);
            run::<Normed>(&root.path().join(stop.to_string()), batches).average(average)
        };
        let all = |trained: Trained<Normed>| {
            let statistics = [
                trained.model.statistics(),
                trained.average.as_ref().unwrap().statistics(),
            ];
            (statistics, ended(trained))
        };
        let expected = all(at(0, NEVER).fit(Normed::new(1)).unwrap());
        for stop in [1, 3, 7, 12] {
            assert_stopped(at(stop, stop).fit(Normed::new(1)));
            let resumed = at(stop, NEVER).fit(Normed::new(2)).unwrap();
            assert_eq!(all(resumed), expected, "{statistics:?}, {stop}");
        }
    }
}
