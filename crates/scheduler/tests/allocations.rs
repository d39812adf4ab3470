//! A step allocates nothing, whatever the schedule: the training loop pays for arithmetic alone.

#![allow(clippy::unwrap_used)]

mod subjects;

use allocation_counter::measure;
use burn_lr_scheduler::{ScheduleConfig, Scheduler};
use burn_optim::lr_scheduler::LrScheduler;

#[test]
fn a_step_allocates_nothing() {
    // A count of 0 means something only if allocations are counted.
    assert!(measure(|| _ = std::hint::black_box(Box::new(1))).count_total > 0);

    let examples = ScheduleConfig::examples().into_iter();
    for (title, schedule) in examples.chain(subjects::combinations()) {
        for schedule in subjects::wrapped(&schedule).into_iter().chain([schedule]) {
            let scheduler = Scheduler::new(schedule, subjects::run()).unwrap();
            let mut scheduler: Box<dyn LrScheduler> = Box::new(scheduler);
            let allocations = measure(|| {
                for _ in 0..400 {
                    std::hint::black_box(scheduler.step());
                }
            });
            assert_eq!(allocations.count_total, 0, "{title}");
        }
    }
}
