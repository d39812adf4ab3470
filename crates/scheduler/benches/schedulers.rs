//! What a step costs: `cargo bench --bench schedulers`.
//!
//! - `step`: every example of every registered schedule, through `Box<dyn LrScheduler>` as the
//!   Learner holds it, over the first 300 steps.
//! - `step at 1e9`: the same, after loading a record of a billion updates: it must not cost more.
//!   The one step that follows the loading is left out, as a `MultiplicativeLr` has to catch up.
//! - `nested`: 1 to 32 sequences inside each other.
//! - `beside Burn`: Burn's step scheduler and ours. Burn gives its own out only inside a
//!   `ModuleLrScheduler`, so both are measured inside one.

#![allow(missing_docs, reason = "criterion's macro makes public items")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use burn_lr_scheduler::{Run, ScheduleConfig, ScheduleError, Scheduler, Sequence, StepLr};
use burn_optim::lr_scheduler::LrScheduler;
use burn_optim::lr_scheduler::module_lr_scheduler::ModuleLrScheduler;
use burn_optim::lr_scheduler::step::StepLrSchedulerConfig;
use criterion::{Bencher, BenchmarkId, Criterion};

const STEPS: u64 = 300;
const FAR: u64 = 1_000_000_000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut criterion = Criterion::default()
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_millis(600))
        .sample_size(20)
        .configure_from_args();

    let mut group = criterion.benchmark_group("step");
    for (title, schedule) in ScheduleConfig::examples() {
        let fresh = boxed(schedule)?;
        group.bench_function(title, |b| time_steps(b, &fresh, |s| s.step()));
    }
    group.finish();

    let mut group = criterion.benchmark_group("step at 1e9");
    for (title, schedule) in ScheduleConfig::examples() {
        let fresh = boxed_far(schedule)?;
        group.bench_function(title, |b| time_steps(b, &fresh, |s| s.step()));
    }
    group.finish();

    let mut group = criterion.benchmark_group("nested");
    for depth in [1, 8, 32] {
        let mut schedule = ScheduleConfig::from(StepLr::new(0.1, 30));
        for _ in 0..depth {
            schedule = Sequence::new([schedule.clone()], [0; 0]).into();
        }
        let fresh = boxed(schedule)?;
        let id = BenchmarkId::from_parameter(depth);
        group.bench_function(id, |b| time_steps(b, &fresh, |s| s.step()));
    }
    group.finish();

    let mut group = criterion.benchmark_group("beside Burn");
    let burn = StepLrSchedulerConfig::new(0.1, 30).with_gamma(0.5).init()?;
    group.bench_function("Burn's step scheduler", |b| {
        time_steps(b, &burn, |s| s.step());
    });
    let schedule = StepLr::new(0.1, 30).with_gamma(0.5);
    let ours = ModuleLrScheduler::new(Scheduler::new(schedule, run())?);
    group.bench_function("StepLr", |b| time_steps(b, &ours, |s| s.step()));
    group.finish();

    criterion.final_summary();
    Ok(())
}

/// A run that lengths of any kind can be resolved for.
fn run() -> Run {
    Run::per_update().with_updates_per_epoch(5).with_epochs(60)
}

fn boxed(schedule: ScheduleConfig) -> Result<Box<dyn LrScheduler>, ScheduleError> {
    Ok(Box::new(Scheduler::new(schedule, run())?))
}

/// A scheduler that was loaded after a billion updates, and made one more.
fn boxed_far(schedule: ScheduleConfig) -> Result<Box<dyn LrScheduler>, ScheduleError> {
    let mut scheduler = Scheduler::new(schedule, run())?;
    let record = scheduler.to_record().with_scalar("updates", FAR);
    scheduler.try_load_record(&record)?;
    scheduler.step();
    Ok(Box::new(scheduler))
}

/// Times steps 0 to 299 of a clone of `fresh`, again and again: past its horizon a schedule may be
/// cheaper than the steps that matter.
fn time_steps<S: Clone, L>(bencher: &mut Bencher<'_>, fresh: &S, step: impl Fn(&mut S) -> L) {
    bencher.iter_custom(|iterations| {
        let mut elapsed = Duration::ZERO;
        let mut left = iterations;
        while left > 0 {
            let steps = left.min(STEPS);
            let mut scheduler = fresh.clone();
            let start = Instant::now();
            for _ in 0..steps {
                black_box(step(&mut scheduler));
            }
            elapsed += start.elapsed();
            left -= steps;
        }
        elapsed
    });
}
