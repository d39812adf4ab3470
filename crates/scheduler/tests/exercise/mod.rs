//! What must hold of any schedule that can be read; shared by the property tests and the fuzz target.

use burn_lr_scheduler::{Run, ScheduleConfig, ScheduleError, Scheduler};
use burn_optim::lr_scheduler::LrScheduler;

/// Builds, evaluates, feeds, saves, restores and writes a schedule. Whether it could be built.
pub fn exercise(schedule: &ScheduleConfig, run: &Run, steps: &[u64], metrics: &[f64]) -> bool {
    if let Ok(json) = schedule.to_json() {
        assert_eq!(ScheduleConfig::from_json(&json).as_ref(), Ok(schedule));
    }
    #[cfg(feature = "toml")]
    if let Ok(toml) = schedule.to_toml() {
        assert_eq!(ScheduleConfig::from_toml(&toml).as_ref(), Ok(schedule));
    }

    let mut curve = match schedule.curve(run) {
        Ok(curve) => curve,
        Err(ScheduleError::Invalid { .. } | ScheduleError::UnresolvedLength { .. }) => {
            return false;
        }
        Err(error) => panic!("not an error of building: {error:?}"),
    };
    for (i, &step) in steps.iter().enumerate() {
        let lr = curve.lr(step);
        assert!(
            lr.is_finite() && lr >= 0.0,
            "{lr} at {step} of {schedule:?}"
        );
        if let Some(&metric) = metrics.get(i) {
            match curve.observe(step, metric) {
                Ok(_) | Err(ScheduleError::NanMetric { .. }) => {}
                Err(error) => panic!("not an error of observing: {error:?}"),
            }
        }
    }

    let Ok(mut scheduler) = Scheduler::new(schedule.clone(), *run) else {
        return false;
    };
    let mut fresh = scheduler.clone();
    for &metric in metrics {
        scheduler.step();
        _ = scheduler.observe(metric);
    }
    assert_eq!(fresh.try_load_record(&scheduler.to_record()), Ok(()));
    for &metric in metrics {
        assert_eq!(
            fresh.step().to_bits(),
            scheduler.step().to_bits(),
            "{schedule:?}"
        );
        let verdicts = (fresh.observe(metric), scheduler.observe(metric));
        assert_eq!(verdicts.0, verdicts.1, "{schedule:?}");
    }
    true
}
