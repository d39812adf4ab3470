//! The results as CSV and JSON.

use std::collections::BTreeSet;

use burn_lr_training::storage::write_atomically;
use serde::Serialize;

use super::all::{Results, Tested};
use super::columns::{Column, varying};
use super::comparison::Comparison;
use super::figures::Verdict;
use super::summary::Summary;
use super::trial::{At, Trial};
use crate::error::ExperimentError;
use crate::objective::Objective;

/// What `results.json` holds.
#[derive(Serialize)]
struct Document<'a> {
    burn_lr: &'static str,
    objective: &'a Objective,
    summaries: &'a [Summary],
    #[serde(skip_serializing_if = "Option::is_none")]
    tested: Option<&'a Tested>,
    comparisons: Vec<Comparison>,
    trials: &'a [Trial],
}

impl Results {
    /// The candidates' figures as CSV: a row a candidate, with what varies between candidates, and
    /// means and standard deviations over the seeds in columns of their own; what is not there is
    /// empty.
    ///
    /// # Errors
    /// [`ExperimentError::Unwritable`] with what the CSV writer says.
    pub fn to_csv(&self) -> Result<String, ExperimentError> {
        let failed = |reason: String| ExperimentError::Unwritable {
            format: "CSV",
            reason,
        };
        let mut csv = csv::Writer::from_writer(Vec::new());
        for row in self.rows() {
            csv.write_record(row)
                .map_err(|error| failed(error.to_string()))?;
        }
        let bytes = csv
            .into_inner()
            .map_err(|error| failed(error.to_string()))?;
        String::from_utf8(bytes).map_err(|error| failed(error.to_string()))
    }

    /// A header and a row for each candidate.
    fn rows(&self) -> Vec<Vec<String>> {
        let columns = self.columns();
        let header = columns.iter().map(|(name, _)| name.clone()).collect();
        let row = |place: usize| {
            columns
                .iter()
                .map(|(_, cells)| cells[place].clone())
                .collect()
        };
        let rows = (0..self.summaries().len()).map(row);
        std::iter::once(header).chain(rows).collect()
    }

    fn columns(&self) -> Vec<(String, Vec<String>)> {
        let summaries = self.summaries();
        let mut columns: Vec<(String, Vec<String>)> = Vec::new();
        let of = |cell: &dyn Fn(&Summary) -> String| summaries.iter().map(cell).collect();
        columns.push(("candidate".to_owned(), of(&|s| s.candidate.name.clone())));
        for Column { name, cells } in varying(summaries.iter().map(|s| &s.candidate)) {
            let cells = cells.into_iter().map(Option::unwrap_or_default);
            columns.push((name, cells.collect()));
        }
        let mut add = |name: String, cell: &dyn Fn(&Summary) -> String| {
            columns.push((name, of(cell)));
        };
        add("seeds".to_owned(), &|s| s.seeds.len().to_string());
        add("failed".to_owned(), &|s| s.failed.len().to_string());
        let names: BTreeSet<&String> = summaries.iter().flat_map(|s| s.last.gaps.keys()).collect();
        for at in At::ALL {
            let prefix = at.name();
            for key in self.metrics() {
                let name = format!("{prefix}_{key}");
                add(name.clone(), &|s| number(s.at(at).stat(&key).mean));
                add(format!("{name}_sd"), &|s| number(s.at(at).stat(&key).sd));
            }
            for &name in &names {
                let of_gap = format!("{prefix}_{name}_gap");
                add(of_gap.clone(), &|s| number(s.at(at).gap(name).mean));
                add(format!("{of_gap}_sd"), &|s| number(s.at(at).gap(name).sd));
            }
            if self.objective().is_bounded() {
                let verdict = |s: &Summary, text: fn(&Verdict) -> String| {
                    s.at(at).verdict.as_ref().map(text).unwrap_or_default()
                };
                add(format!("{prefix}_seeds_in_bounds"), &|s| {
                    verdict(s, |v| {
                        v.per_seed
                            .iter()
                            .filter(|(_, met)| *met)
                            .count()
                            .to_string()
                    })
                });
                add(format!("{prefix}_in_bounds"), &|s| {
                    verdict(s, |v| v.every_seed.to_string())
                });
                add(format!("{prefix}_mean_in_bounds"), &|s| {
                    verdict(s, |v| v.mean.to_string())
                });
            }
        }
        add("best_epoch".to_owned(), &|s| number(s.best_epoch.mean));
        add("trained_epochs".to_owned(), &|s| number(s.epochs.mean));
        add("final_lr".to_owned(), &|s| number(s.final_lr.mean));
        for group in self.groups() {
            let name = format!("final_lr_{group}");
            add(name, &|s| number(s.group_lr(&group).mean));
        }
        add("cuts".to_owned(), &|s| number(s.cuts.mean));
        add("seconds".to_owned(), &|s| number(s.seconds.mean));
        if self.objective().is_bounded() {
            add("epochs_in_bounds".to_owned(), &|s| {
                let epochs: Vec<String> = s.epochs_met.iter().map(usize::to_string).collect();
                epochs.join(" ")
            });
        }
        columns
    }

    /// The figures, comparisons and all trials with their histories as JSON; what is NaN is null.
    ///
    /// # Errors
    /// [`ExperimentError::Unwritable`] if a path is not Unicode or a schedule not data.
    pub fn to_json(&self) -> Result<String, ExperimentError> {
        let keys = self.metrics();
        let pairs = At::ALL
            .into_iter()
            .flat_map(|at| keys.iter().map(move |key| (key, at)));
        let document = Document {
            burn_lr: env!("CARGO_PKG_VERSION"),
            objective: self.objective(),
            summaries: self.summaries(),
            tested: self.tested(),
            comparisons: pairs
                .flat_map(|(key, at)| self.comparisons(key, at))
                .collect(),
            trials: self.trials(),
        };
        serde_json::to_string_pretty(&document).map_err(|error| ExperimentError::Unwritable {
            format: "JSON",
            reason: error.to_string(),
        })
    }

    /// Writes `results.csv` and `results.json` into the experiment's directory.
    ///
    /// # Errors
    /// As [`to_csv`](Self::to_csv) and [`to_json`](Self::to_json), or
    /// [`ExperimentError::Training`] naming the file.
    pub fn write(&self) -> Result<(), ExperimentError> {
        let file = |name: &str| self.directory().join(name);
        let (csv, json) = (self.to_csv()?, self.to_json()?);
        write_atomically(&file("results.csv"), csv.as_bytes())?;
        write_atomically(&file("results.json"), json.as_bytes())?;
        Ok(())
    }
}

/// A number such that it reads back to the bit; nothing for NaN.
fn number(value: f64) -> String {
    if value.is_nan() {
        String::new()
    } else {
        value.to_string()
    }
}
