//! The learning rates that a training run would get.

use std::path::Path;

use burn_lr_scheduler::{Run, ScheduleConfig, ScheduleError, Scheduler, Verdict};
use burn_optim::lr_scheduler::LrScheduler;

use super::args::Args;
use super::files::bad_file;
use crate::failure::Failure;

/// The learning rate of every optimizer update.
pub fn rates(
    args: &Args,
    file: &Path,
    schedule: ScheduleConfig,
    run: Run,
    steps: u64,
    metrics: &[f64],
) -> Result<Vec<f64>, Failure> {
    let refused = |error| match error {
        ScheduleError::UnresolvedLength {
            path,
            length,
            missing,
        } => bad_file(
            file,
            format!(
                "{path}: a length of {length} needs the run's {missing}; give --steps-per-epoch \
                 and --epochs"
            ),
        ),
        error => bad_file(file, error),
    };
    let mut scheduler = Scheduler::new(schedule, run).map_err(refused)?;
    let updates_per_epoch = run.updates_per_epoch().unwrap_or(u64::MAX);
    let mut lrs = Vec::new();
    let mut observations = metrics.iter().zip(1..);
    let (mut cuts, mut rises) = (Vec::new(), Vec::new());
    for update in 1..=steps {
        lrs.push(scheduler.step());
        if update % updates_per_epoch != 0 {
            continue;
        }
        if let (Some((&metric, number)), Some(metrics)) = (observations.next(), &args.metrics) {
            let verdicts = scheduler.observe(metric).map_err(|error| {
                bad_file(
                    metrics,
                    format!("line {number}: {}: {error}", file.display()),
                )
            })?;
            if verdicts.iter().any(|v| matches!(v, Verdict::Cut { .. })) {
                cuts.push(number);
            }
            if verdicts.iter().any(|v| matches!(v, Verdict::Raised { .. })) {
                rises.push(number);
            }
        }
    }
    if let Some(metrics) = &args.metrics {
        let (file, metrics) = (file.display(), metrics.display());
        if scheduler.plateaus().is_empty() {
            eprintln!("note: {file}: no plateau that could hear {metrics}");
        } else {
            eprintln!("note: {file}: {}", changes(&cuts, &rises));
        }
    }
    Ok(lrs)
}

/// After which epochs plateaus cut the rate, and raised it.
fn changes(cuts: &[u64], rises: &[u64]) -> String {
    let said = |what, epochs: &[u64]| {
        let epochs: Vec<String> = epochs.iter().map(u64::to_string).collect();
        (!epochs.is_empty()).then(|| format!("{what} after epoch {}", epochs.join(", ")))
    };
    let all = [said("cut", cuts), said("raised", rises)];
    let all: Vec<String> = all.into_iter().flatten().collect();
    if all.is_empty() {
        return "no cut".to_owned();
    }
    all.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rises_are_not_said_to_be_cuts() {
        assert_eq!(changes(&[], &[]), "no cut");
        assert_eq!(changes(&[6, 8], &[]), "cut after epoch 6, 8");
        assert_eq!(changes(&[], &[2]), "raised after epoch 2");
        assert_eq!(
            changes(&[6], &[2, 4]),
            "cut after epoch 6; raised after epoch 2, 4"
        );
    }
}
