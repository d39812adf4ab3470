//! Records of schedulers.

use burn::tensor::Bytes;
use burn_lr_scheduler::{Run, ScheduleConfig, Scheduler};
use burn_optim::lr_scheduler::{LrScheduler, LrSchedulerRecord};

use super::Target;

/// A scheduler of each example; the first byte of an input says whose record the others are.
pub struct SchedulerRecords(Vec<Scheduler>);

impl SchedulerRecords {
    pub fn new() -> Self {
        let run = Run::per_epoch(3).with_epochs(4);
        let examples = ScheduleConfig::examples().into_iter();
        let schedulers = examples.filter_map(|(_, schedule)| Scheduler::new(schedule, run).ok());
        Self(schedulers.take(256).collect())
    }
}

impl Target for SchedulerRecords {
    fn corpus(&self) -> Vec<Vec<u8>> {
        let records = (0..).zip(&self.0).map(|(number, scheduler)| {
            let mut scheduler = scheduler.clone();
            for metric in [1.0, 2.0, 3.0, 0.5] {
                scheduler.step();
                _ = scheduler.observe(metric);
            }
            let record = scheduler.to_record().into_bytes().unwrap();
            [&[number], &record[..]].concat()
        });
        records.collect()
    }

    fn run(&mut self, input: &[u8]) -> bool {
        let Some((&number, record)) = input.split_first() else {
            return false;
        };
        let bytes = Bytes::from_bytes_vec(record.to_vec());
        let Ok(record) = LrSchedulerRecord::from_bytes(bytes) else {
            return false;
        };
        let original = &self.0[usize::from(number) % self.0.len()];
        _ = original.clone().branch_from(&record);
        let mut scheduler = original.clone();
        if scheduler.try_load_record(&record).is_err() {
            assert_eq!(scheduler.updates(), original.updates());
            return false;
        }
        let mut again = original.clone();
        assert_eq!(again.try_load_record(&scheduler.to_record()), Ok(()));
        for metric in [2.0, 1.0, f64::NAN, 3.0] {
            let lr = scheduler.step();
            assert!(
                lr.is_finite() && lr >= 0.0,
                "{lr} of {:?}",
                scheduler.plateaus()
            );
            assert_eq!(again.step().to_bits(), lr.to_bits());
            _ = scheduler.observe(metric);
            _ = again.observe(metric);
        }
        true
    }
}
