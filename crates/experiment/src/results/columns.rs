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
/// kinds, one column says which. So with optimizers.
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
    let settings: Vec<_> = part("settings")
        .into_iter()
        .map(|s| s.and_then(Value::as_object))
        .collect();
    columns.extend(fields("", &settings));
    columns
}

/// The columns of values such as `{"StepLr": {"step_size": 3}}`, which may be missing.
fn kinds(name: &str, values: &[Option<&Value>]) -> Vec<Column> {
    let kind = |value: &Value| match value {
        Value::Object(fields) => fields.keys().next().cloned(),
        other => Some(text(other)),
    };
    let kinds: Vec<Option<String>> = values.iter().map(|value| kind((*value)?)).collect();
    if let Some(Some(first)) = kinds.first()
        && kinds.iter().all(|kind| kind.as_ref() == Some(first))
    {
        let inside: Vec<_> = values
            .iter()
            .map(|value| {
                value
                    .and_then(|value| value.get(first))
                    .and_then(Value::as_object)
            })
            .collect();
        return fields(&format!("{first}."), &inside);
    }
    column(name, kinds).into_iter().collect()
}

/// A column for each field that varies.
fn fields(prefix: &str, objects: &[Option<&Map<String, Value>>]) -> Vec<Column> {
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
        plain(&format!("{prefix}{name}"), &values)
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
        let sgd: burn_lr_training::optim::OptimizerConfig = SgdConfig::new().into();
        assert_eq!(
            columns(&[decay(0.01), with(sgd), Candidate::new("b")]),
            [column("optimizer", &["AdamW", "Sgd", "-"])]
        );
    }
}
