//! The learning rates of a trial as its schedule has them.

use burn_lr_scheduler::{Clock, Clocked, Run, Scheduler};
use burn_lr_training::run::RunDirectory;
use serde::Deserialize;

use crate::results::Trial;

/// How many steps of a curve of learning rates are shown at most.
const POINTS: u64 = 400;

/// The parts of a run's configuration that say what its learning rates are.
#[derive(Deserialize)]
struct Config {
    fixed: Fixed,
    free: Free,
}

#[derive(Deserialize)]
struct Fixed {
    schedule: Clocked,
    updates_per_epoch: Option<u64>,
}

#[derive(Deserialize)]
struct Free {
    epochs: u64,
    updates: Option<u64>,
}

/// The rates over epochs, each of which holds until the next one; none for plateaus, which hear
/// metrics, and where a run's configuration does not tell.
pub(super) fn curve(trial: &Trial) -> Option<Vec<(f64, f64)>> {
    let json = std::fs::read(RunDirectory::new(&trial.directory).config()).ok()?;
    let Config { fixed, free } = serde_json::from_slice(&json).ok()?;
    let Clocked {
        schedule, clock, ..
    } = fixed.schedule;
    let run = match (clock, fixed.updates_per_epoch) {
        (Clock::PerEpoch, updates) => Run::per_epoch(updates?),
        (_, Some(updates)) => Run::per_update().with_updates_per_epoch(updates),
        (_, None) => Run::per_update(),
    };
    let run = match free.updates {
        Some(updates) => run.with_updates(updates),
        None => run.with_epochs(free.epochs),
    };
    let scheduler = Scheduler::new(schedule.clone(), run).ok()?;
    if !scheduler.plateaus().is_empty() {
        return None;
    }
    let curve = schedule.curve(&run).ok()?;
    let steps = run.total_steps()?;
    let place = |step: u64| free.epochs as f64 * step as f64 / steps as f64;
    let shown = POINTS.min(steps);
    let step = |point: u64| point * (steps - 1) / (shown - 1).max(1);
    let points = (0..shown).map(|point| (place(step(point)), curve.lr(step(point))));
    let end = (place(steps), curve.lr(steps.saturating_sub(1)));
    Some(points.chain([end]).collect())
}
