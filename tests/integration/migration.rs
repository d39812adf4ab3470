//! What the migration table says of this side exists: each row's schedules, their parameters, and
//! every scheduler of PyTorch on the other side.

use std::collections::BTreeSet;

use burn_lr_scheduler::ScheduleConfig;

const TABLE: &str = include_str!("../../docs/book/src/migration.md");

const PYTORCH: [&str; 16] = [
    "LambdaLR",
    "MultiplicativeLR",
    "StepLR",
    "MultiStepLR",
    "ConstantLR",
    "LinearLR",
    "ExponentialLR",
    "PolynomialLR",
    "CosineAnnealingLR",
    "CosineAnnealingWarmRestarts",
    "CyclicLR",
    "OneCycleLR",
    "swa_utils.SWALR",
    "SequentialLR",
    "ChainedScheduler",
    "ReduceLROnPlateau",
];

/// A row of any of the tables.
struct Row {
    theirs: &'static str,
    ours: &'static str,
    parameters: &'static str,
}

fn rows() -> Vec<Row> {
    let cells = TABLE.lines().filter_map(|line| {
        let cells: Vec<&str> = line.strip_prefix('|')?.split('|').map(str::trim).collect();
        let [first, second, third, ..] = cells[..] else {
            return None;
        };
        Some((first, second, third))
    });
    let mut rows = Vec::new();
    // The table of what others lack has our names in its first column.
    let mut ours_first = false;
    for (first, second, third) in cells {
        if second == "here" || first == "here" {
            ours_first = first == "here";
        } else if !first.starts_with('-') {
            rows.push(Row {
                theirs: first,
                ours: if ours_first { first } else { second },
                parameters: third,
            });
        }
    }
    rows
}

/// Whatever stands between backticks.
fn code(text: &'static str) -> impl Iterator<Item = &'static str> {
    text.split('`').skip(1).step_by(2)
}

/// The schedules of a row, as `Warmup` and `Constant` of "`Warmup` over `Constant`".
fn schedules(row: &Row) -> Vec<&'static str> {
    let names = code(row.ours).map(|span| span.split("::").next().unwrap_or(span));
    names.collect()
}

/// The parameters of the schedule `name`, as documents hold them.
fn parameters(name: &str) -> BTreeSet<String> {
    let examples = ScheduleConfig::examples().into_iter();
    let documents = examples
        .filter(|(_, schedule)| schedule.name() == name)
        .map(|(_, schedule)| serde_json::to_value(&schedule).unwrap());
    let fields = |document: serde_json::Value| document[name].as_object().unwrap().clone();
    documents.flat_map(fields).map(|(key, _)| key).collect()
}

/// The parameters that a row gives to a schedule: `a` of `a = b`, and those it lists by name alone.
fn mentioned(row: &Row) -> Vec<&'static str> {
    let assigned = code(row.parameters).filter_map(|span| Some(span.split_once(" = ")?.0));
    let mut depth = 0;
    let listed = row.parameters.split(|c| {
        depth += i32::from("([".contains(c)) - i32::from(")]".contains(c));
        depth == 0 && (c == ',' || c == ';')
    });
    let listed = listed
        .filter(|item| item.trim().starts_with('`'))
        .flat_map(|item| code(item).next())
        .filter(|span| span.chars().all(|c| c.is_alphanumeric() || c == '_'));
    assigned.chain(listed).collect()
}

#[test]
fn the_table_names_schedules_and_parameters_that_exist() {
    let mut checked = 0;
    for row in rows() {
        // Burn's own is pointed at, where there is nothing to replace it.
        if row.ours.starts_with("Burn's own") || row.ours == "not offered" {
            continue;
        }
        let names = schedules(&row);
        assert!(!names.is_empty(), "{}", row.theirs);
        for name in &names {
            let known = ScheduleConfig::NAMES.contains(name);
            assert!(known, "{}: there is no `{name}`", row.theirs);
        }
        let known: BTreeSet<String> = names.iter().flat_map(|name| parameters(name)).collect();
        for name in mentioned(&row) {
            let theirs = row.theirs;
            assert!(known.contains(name), "{theirs}: {names:?} has no `{name}`");
            checked += 1;
        }
    }
    assert!(checked > 150, "{checked}");
}

#[test]
fn every_scheduler_of_pytorch_is_in_the_table() {
    let theirs: BTreeSet<&str> = rows().iter().flat_map(|row| code(row.theirs)).collect();
    for name in PYTORCH {
        assert!(
            theirs.contains(name),
            "docs/book/src/migration.md: no `{name}`"
        );
    }
}
