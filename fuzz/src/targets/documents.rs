//! Documents of schedules, as they are.

use burn_lr_scheduler::{Length, Run, ScheduleConfig};

use super::Target;
use super::schedules::exercise::exercise;

pub struct Documents;

impl Target for Documents {
    fn corpus(&self) -> Vec<Vec<u8>> {
        let examples = ScheduleConfig::examples();
        let texts = examples
            .iter()
            .flat_map(|(_, schedule)| [schedule.to_json(), schedule.to_toml()]);
        texts
            .filter_map(|text| Some(text.ok()?.into_bytes()))
            .collect()
    }

    fn run(&mut self, input: &[u8]) -> bool {
        let text = String::from_utf8_lossy(input);
        if let Ok(length) = text.parse::<Length>() {
            let again = length.to_string().parse::<Length>().unwrap();
            assert_eq!(format!("{again:?}"), format!("{length:?}"));
        }
        let schedule = if text.starts_with('{') {
            ScheduleConfig::from_json(&text)
        } else {
            ScheduleConfig::from_toml(&text)
        };
        schedule.is_ok_and(|schedule| {
            let run = Run::per_epoch(3).with_epochs(4);
            exercise(
                &schedule,
                &run,
                &[0, 1, 5, 11, u64::MAX],
                &[1.0, 0.5, f64::NAN, 2.0],
            );
            true
        })
    }
}
