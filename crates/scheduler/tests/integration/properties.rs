//! Nothing panics: whatever a document holds, it gives a schedule or a typed error, and whatever a
//! schedule is asked, it answers with a rate that is finite and not negative.
//!
//! The documents are those of all registered examples, with random changes at random places, so
//! newly registered schedules are covered as they are. `fuzz/` does the same from bytes.

use crate::changes::*;
use crate::exercise::exercise;
use burn_lr_scheduler::{Length, ScheduleConfig, ScheduleError};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::json;

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..Default::default() })]

    #[test]
    fn changed_documents_give_a_schedule_or_a_typed_error(
        index in any::<usize>(),
        changes in prop::collection::vec((any::<usize>(), any_change()), 0..6),
        run in any_run(),
        steps in prop::collection::vec(any_step(), 1..20),
        metrics in prop::collection::vec(any_metric(), 0..20),
    ) {
        let mut document = example(index);
        for (place, change) in &changes {
            apply(&mut document, *place, change);
        }
        for schedule in read(&document) {
            match schedule {
                Ok(schedule) => _ = exercise(&schedule, &run, &steps, &metrics),
                Err(ScheduleError::Document { .. }) => {}
                Err(error) => panic!("not an error of reading: {error:?}"),
            }
        }
    }

    #[test]
    fn every_example_bears_any_number_anywhere(
        numbers in prop::collection::vec(prop_oneof![
            any_number().prop_map(|number| json!(number)),
            any_length().prop_map(|length| json!(length)),
            select(NOT_FINITE.map(|(name, _)| json!(name)).to_vec()),
        ], 1..4),
        place in any::<usize>(),
        steps in prop::collection::vec(any_step(), 1..10),
    ) {
        for mut document in examples() {
            for (i, number) in numbers.iter().enumerate() {
                let mut all = Vec::new();
                places(&document, "", &mut all);
                all.retain(|at| document.pointer(at).is_some_and(|v| v.is_number() || v.is_null()));
                if !all.is_empty() {
                    let at = &all[place.wrapping_add(i) % all.len()];
                    *document.pointer_mut(at).unwrap() = number.clone();
                }
            }
            for schedule in read(&document).into_iter().flatten() {
                exercise(&schedule, &crate::subjects::run(), &steps, &[1.0, 2.0, 3.0]);
            }
        }
    }

    #[test]
    fn any_text_is_read_or_refused(text in "[ -~\n]{0,60}|\\PC{0,60}") {
        _ = ScheduleConfig::from_json(&text);
        #[cfg(feature = "toml")]
        { _ = ScheduleConfig::from_toml(&text); }
        _ = text.parse::<Length>();
    }
}

/// The properties would hold of errors alone: enough changed documents must still build.
#[test]
fn changes_leave_enough_to_build() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let changes = prop::collection::vec((any::<usize>(), any_change()), 0..6);
    let (mut built, total) = (0, 1000);
    for index in 0..total {
        let mut document = example(index);
        for (place, change) in changes.new_tree(&mut runner).unwrap().current() {
            apply(&mut document, place, &change);
        }
        let schedule = ScheduleConfig::from_json(&document.to_string());
        built += usize::from(
            schedule.is_ok_and(|s| exercise(&s, &crate::subjects::run(), &[7], &[1.0])),
        );
    }
    assert!(built > total / 5, "{built} of {total}");
}
