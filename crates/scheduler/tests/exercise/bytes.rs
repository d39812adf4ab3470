//! Bytes to a document to a schedule, which must then hold what every schedule holds; for the fuzz targets.

use std::sync::LazyLock;

use burn_lr_scheduler::{Run, ScheduleConfig};
use serde_json::{Value, json};

use super::exercise::exercise;

/// Takes numbers off the front of the input; zeros once it is used up.
struct Input<'a>(&'a [u8]);

impl Input<'_> {
    fn u8(&mut self) -> u8 {
        let Some((&first, rest)) = self.0.split_first() else {
            return 0;
        };
        self.0 = rest;
        first
    }

    fn u64(&mut self) -> u64 {
        u64::from_le_bytes(std::array::from_fn(|_| self.u8()))
    }

    fn f64(&mut self) -> f64 {
        f64::from_bits(self.u64())
    }

    /// A number that is small as often as it is anything.
    fn count(&mut self) -> u64 {
        match self.u8() {
            small @ 0..128 => u64::from(small),
            _ => self.u64(),
        }
    }

    fn run(&mut self) -> Run {
        let (flags, updates, epochs) = (self.u8(), self.count(), self.count());
        let run = match flags & 3 {
            0 => Run::per_update(),
            1 => Run::per_epoch(updates),
            _ => Run::per_update().with_updates_per_epoch(updates),
        };
        if flags & 4 == 0 {
            run
        } else {
            run.with_epochs(epochs)
        }
    }

    fn leaf(&mut self) -> Value {
        match self.u8() % 7 {
            0 => json!(self.f64()),
            1 => json!(f64::from(self.u8()) / 64.0),
            2 => json!(self.count()),
            3 => json!(format!("{} epochs", self.f64())),
            4 => json!(format!("{} %", f64::from(self.u8()) / 2.0)),
            5 => Value::Null,
            _ => json!(self.u8() & 1 == 1),
        }
    }
}

static EXAMPLES: LazyLock<Vec<Value>> = LazyLock::new(|| {
    let examples = ScheduleConfig::examples();
    let values = examples
        .iter()
        .map(|(_, schedule)| serde_json::to_value(schedule));
    values.filter_map(Result::ok).collect()
});

/// An example with some of its leaves replaced, and others grafted in place of them.
fn changed_example(input: &mut Input) -> Value {
    let example = |index: u8| EXAMPLES[usize::from(index) % EXAMPLES.len()].clone();
    let mut document = example(input.u8());
    for _ in 0..input.u8() % 8 {
        let mut places = Vec::new();
        collect(&document, String::new(), &mut places);
        let place = &places[usize::from(input.u8()) % places.len()];
        let value = match input.u8() % 4 {
            0 => example(input.u8()),
            _ => input.leaf(),
        };
        if let Some(target) = document.pointer_mut(place) {
            *target = value;
        }
    }
    document
}

fn collect(value: &Value, at: String, places: &mut Vec<String>) {
    match value {
        Value::Array(items) => (0..).zip(items).for_each(|(i, item): (usize, _)| {
            collect(item, format!("{at}/{i}"), places);
        }),
        Value::Object(fields) => fields
            .iter()
            .for_each(|(name, field)| collect(field, format!("{at}/{name}"), places)),
        _ => {}
    }
    places.push(at);
}

/// Whether `data` is a document of a schedule.
pub fn exercise_bytes(data: &[u8]) -> bool {
    let mut input = Input(data);
    let run = input.run();
    let steps = [0, 1, input.count(), input.count(), u64::MAX];
    let metrics = [input.f64(), input.f64(), input.f64(), f64::from(input.u8())];
    let schedule = match input.u8() % 4 {
        0 => ScheduleConfig::from_json(&String::from_utf8_lossy(input.0)),
        #[cfg(feature = "toml")]
        1 => ScheduleConfig::from_toml(&String::from_utf8_lossy(input.0)),
        _ => ScheduleConfig::from_json(&changed_example(&mut input).to_string()),
    };
    schedule.is_ok_and(|schedule| {
        exercise(&schedule, &run, &steps, &metrics);
        true
    })
}
