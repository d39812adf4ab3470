//! The migration table names everything that is registered.

use std::collections::BTreeSet;

use burn_lr_scheduler::ScheduleConfig;

const TABLE: &str = include_str!("../docs/migration.md");

/// Whatever stands between backticks, and its words.
fn code() -> BTreeSet<&'static str> {
    let spans = TABLE.split('`').skip(1).step_by(2);
    spans
        .flat_map(|span| std::iter::once(span).chain(span.split(|c| !is_name(c))))
        .collect()
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

#[test]
fn every_schedule_is_in_the_migration_table() {
    let code = code();
    for name in ScheduleConfig::NAMES {
        assert!(code.contains(name), "docs/migration.md: no `{name}`");
    }
}

#[test]
fn every_parameter_is_in_the_migration_table() {
    let code = code();
    for (_, schedule) in ScheduleConfig::examples() {
        let document = serde_json::to_value(&schedule).unwrap();
        let parameters = document[schedule.name()].as_object().unwrap();
        for parameter in parameters.keys() {
            assert!(
                code.contains(parameter.as_str()),
                "docs/migration.md: no `{parameter}`, of {}",
                schedule.name()
            );
        }
    }
}
