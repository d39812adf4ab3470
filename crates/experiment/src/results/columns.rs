//! What varies between candidates.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::candidate::Candidate;

/// A column for something that varies, with a cell for each candidate; none where it has nothing.
#[derive(Debug, PartialEq)]
pub(crate) struct Column {
    pub name: String,
    pub cells: Vec<Option<String>>,
}

impl Column {
    /// The column's name and its cells, `-` where there is nothing.
    pub fn texts(&self) -> impl Iterator<Item = String> {
        let text = |cell: &Option<String>| cell.clone().unwrap_or_else(|| "-".to_owned());
        self.cells.iter().map(text)
    }
}

/// A column for each part of the candidates that is not the same for all of them.
///
/// Schedules of one kind have a column for each of their settings that varies; where there are several
/// kinds, one column says which, and those of each kind what varies within it. So with optimizers. A
/// setting of the base that is called as another column may be is `settings.<name>`.
pub(crate) fn varying<'a>(candidates: impl IntoIterator<Item = &'a Candidate>) -> Vec<Column> {
    let contents: Vec<Value> = candidates.into_iter().map(Candidate::content).collect();
    let part = |name: &str| {
        contents
            .iter()
            .map(|content| content.get(name))
            .collect::<Vec<_>>()
    };
    let mut columns = Vec::new();
    columns.extend(kinds("schedule", &part("schedule")));
    columns.extend(plain("clock", &part("clock")));
    columns.extend(plain("epochs", &part("epochs")));
    columns.extend(kinds("optimizer", &part("optimizer")));
    let branches: Vec<_> = part("branch").into_iter().map(branch).collect();
    columns.extend(plain(
        "branch",
        &branches.iter().map(Option::as_ref).collect::<Vec<_>>(),
    ));
    let settings: Vec<_> = part("settings")
        .into_iter()
        .map(|s| s.and_then(Value::as_object))
        .collect();
    columns.extend(fields(&setting_header, &settings));
    columns
}

/// Names of other columns of tables and documents.
const TAKEN: [&str; 17] = [
    "best_epoch",
    "bounds",
    "branch",
    "candidate",
    "clock",
    "cuts",
    "epochs",
    "epochs_in_bounds",
    "failed",
    "final_lr",
    "last_lr",
    "optimizer",
    "schedule",
    "seconds",
    "seeds",
    "settings",
    "trained_epochs",
];

/// How names begin that columns of metrics, rates and hyperparameters may have.
const TAKEN_STARTS: [&str; 6] = ["best_", "final_", "last_", "lr_", "train_", "valid_"];

/// Where a candidate branches off, as in `stable, update 1600`.
fn branch(value: Option<&Value>) -> Option<Value> {
    let value = value?;
    let (unit, number) = value["at"].as_object()?.iter().next()?;
    let of = value["of"].as_str()?;
    Some(Value::String(format!("{of}, {unit} {number}")))
}

fn setting_header(name: &str) -> String {
    let taken = TAKEN.contains(&name)
        || TAKEN_STARTS.iter().any(|start| name.starts_with(start))
        || name.ends_with("_gap")
        || name.contains('.');
    if taken {
        format!("settings.{name}")
    } else {
        name.to_owned()
    }
}

/// The columns of values such as `{"StepLr": {"step_size": 3}}`, which may be missing.
fn kinds(name: &str, values: &[Option<&Value>]) -> Vec<Column> {
    let kind = |value: &Value| match value {
        Value::Object(fields) => fields.keys().next().cloned(),
        other => Some(text(other)),
    };
    let kinds: Vec<Option<String>> = values.iter().map(|value| kind((*value)?)).collect();
    let distinct: BTreeSet<&String> = kinds.iter().flatten().collect();
    let mut columns = Vec::from_iter(column(name, kinds.clone()));
    for kind in distinct {
        let inside: Vec<_> = values
            .iter()
            .map(|value| value.and_then(|value| value.get(kind)))
            .collect();
        columns.extend(within(kind, &inside));
    }
    columns
}

/// The columns of the values of one kind, which others do not have.
fn within(kind: &str, values: &[Option<&Value>]) -> Vec<Column> {
    let of_kind: Vec<&Value> = values.iter().copied().flatten().collect();
    if of_kind.windows(2).all(|pair| pair[0] == pair[1]) {
        return Vec::new();
    }
    if !of_kind.iter().all(|value| value.is_object()) {
        return plain(kind, values).into_iter().collect();
    }
    let objects: Vec<_> = values
        .iter()
        .map(|value| value.and_then(Value::as_object))
        .collect();
    let mut columns = fields(&|field| format!("{kind}.{field}"), &objects);
    // That others do not have a field is no variation of it.
    columns.retain(|column| {
        let own = column.cells.iter().zip(&objects);
        let mut own = own.filter_map(|(cell, object)| object.map(|_| cell));
        let first = own.next();
        own.any(|cell| Some(cell) != first)
    });
    columns
}

/// A column for each field that varies.
fn fields(header: &dyn Fn(&str) -> String, objects: &[Option<&Map<String, Value>>]) -> Vec<Column> {
    let names: BTreeSet<&String> = objects
        .iter()
        .flatten()
        .flat_map(|object| object.keys())
        .collect();
    let column_of = |name: &String| {
        let values: Vec<_> = objects
            .iter()
            .map(|object| object.and_then(|o| o.get(name)))
            .collect();
        plain(&header(name), &values)
    };
    names.into_iter().filter_map(column_of).collect()
}

fn plain(name: &str, values: &[Option<&Value>]) -> Option<Column> {
    let cells = values
        .iter()
        .map(|value| value.filter(|v| !v.is_null()).map(text));
    column(name, cells.collect())
}

/// The column, if its cells are not all the same.
fn column(name: &str, cells: Vec<Option<String>>) -> Option<Column> {
    let varies = cells.windows(2).any(|pair| pair[0] != pair[1]);
    let name = name.to_owned();
    varies.then_some(Column { name, cells })
}

/// A text without quotation marks, anything else as JSON.
fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use burn::optim::{AdamWConfig, SgdConfig};
    use burn_lr_scheduler::{Constant, StepLr};
    use burn_lr_training::optim::OptimizerConfig;

    use super::*;

    fn columns(candidates: &[Candidate]) -> Vec<(String, Vec<String>)> {
        let columns = varying(candidates).into_iter();
        columns
            .map(|column| (column.name.clone(), column.texts().collect()))
            .collect()
    }

    fn column(name: &str, cells: &[&str]) -> (String, Vec<String>) {
        (
            name.to_owned(),
            cells.iter().map(|&cell| cell.to_owned()).collect(),
        )
    }

    #[test]
    fn only_what_varies_has_a_column() {
        let step = |gamma| {
            let schedule = StepLr::new(0.1, 3).with_gamma(gamma).per_epoch();
            Candidate::new(format!("gamma {gamma}"))
                .schedule(schedule)
                .epochs(10)
        };
        assert_eq!(
            columns(&[step(0.5), step(0.1)]),
            [column("StepLr.gamma", &["0.5", "0.1"])]
        );
        let constant = Candidate::new("c")
            .schedule(Constant::new(0.1).per_update())
            .epochs(5);
        assert_eq!(
            columns(&[step(0.5), constant.setting("dropout", 0.25)]),
            [
                column("schedule", &["StepLr", "Constant"]),
                column("clock", &["per_epoch", "per_update"]),
                column("epochs", &["10", "5"]),
                column("dropout", &["-", "0.25"]),
            ]
        );
    }

    #[test]
    fn nothing_varies_in_one_candidate_or_in_equal_ones() {
        let one = || Candidate::new("a").setting("layers", [64, 32].to_vec());
        assert!(columns(&[one()]).is_empty());
        assert!(columns(&[one(), one()]).is_empty());
        assert!(columns(&[]).is_empty());
        let bare = Candidate::new("b");
        assert_eq!(
            columns(&[one(), bare]),
            [column("layers", &["[64,32]", "-"])]
        );
    }

    #[test]
    fn optimizers_have_their_name_or_their_settings() {
        let with = |optimizer| Candidate::new("a").optimizer(optimizer);
        let decay = |decay| with(AdamWConfig::new().with_weight_decay(decay).into());
        let varied = columns(&[decay(0.01), decay(0.1)]);
        assert_eq!(varied, [column("AdamW.weight_decay", &["0.01", "0.1"])]);
        let described = |text: &str| {
            let custom = OptimizerConfig::custom(SgdConfig::new().init(), text);
            Candidate::new("a").optimizer(custom)
        };
        assert_eq!(
            columns(&[described("lion 0.9"), described("lion 0.8")]),
            [column("Custom", &["lion 0.9", "lion 0.8"])]
        );
        let sgd: OptimizerConfig = SgdConfig::new().into();
        assert_eq!(
            columns(&[decay(0.01), with(sgd), Candidate::new("b")]),
            [column("optimizer", &["AdamW", "Sgd", "-"])]
        );
    }
    #[test]
    fn what_varies_within_a_kind_is_told_beside_the_kinds() {
        let rate = |lr| Candidate::new("a").schedule(Constant::new(lr).per_epoch());
        let step = Candidate::new("s").schedule(StepLr::new(0.1, 3).per_epoch());
        assert_eq!(
            columns(&[rate(0.1), step, rate(0.01)]),
            [
                column("schedule", &["Constant", "StepLr", "Constant"]),
                column("Constant.lr", &["0.1", "-", "0.01"]),
            ]
        );
        let with = |optimizer: OptimizerConfig| Candidate::new("a").optimizer(optimizer);
        let decay = |decay| with(AdamWConfig::new().with_weight_decay(decay).into());
        assert_eq!(
            columns(&[decay(0.01), with(SgdConfig::new().into()), decay(0.1)]),
            [
                column("optimizer", &["AdamW", "Sgd", "AdamW"]),
                column("AdamW.weight_decay", &["0.01", "-", "0.1"]),
            ]
        );
    }

    #[test]
    fn no_setting_takes_the_name_of_another_column() {
        let with = |value: usize| {
            Candidate::new("a")
                .epochs(value)
                .setting("epochs", value)
                .setting("valid_loss", value)
                .setting("hidden", value)
        };
        let columns = columns(&[with(1), with(2)]);
        let names: Vec<&str> = columns.iter().map(|(name, _)| name.as_str()).collect();
        let expected = ["epochs", "settings.epochs", "hidden", "settings.valid_loss"];
        assert_eq!(names, expected);
    }
}
