//! The results as a table for the terminal.

use comfy_table::{CellAlignment, Table, presets};

use super::all::Results;
use super::columns::varying;
use super::summary::Summary;

impl Results {
    /// The candidates' figures after the last epoch as a table for the terminal: means ± standard
    /// deviations over the seeds.
    ///
    /// A column stands for whatever varies between the candidates, and for every metric; a gap is the
    /// validation minus the training metric before it.
    pub fn table(&self) -> String {
        let mut columns: Vec<(String, Vec<String>)> = Vec::new();
        let summaries = self.summaries();
        let of = |cell: &dyn Fn(&Summary) -> String| summaries.iter().map(cell).collect();
        columns.push(("candidate".to_owned(), of(&|s| s.candidate.name.clone())));
        for column in varying(summaries.iter().map(|summary| &summary.candidate)) {
            let cells = column.texts().collect();
            columns.push((column.name, cells));
        }
        let mut add = |name: &str, cell: &dyn Fn(&Summary) -> String| {
            columns.push((name.to_owned(), of(cell)));
        };
        add("seeds", &seeds);
        for key in self.metrics() {
            add(&key.to_string(), &|s| s.last.stat(&key).to_string());
            let has_gap = summaries
                .iter()
                .any(|s| s.last.gaps.contains_key(key.name()));
            // Behind the second of the two splits.
            if has_gap && key.split() == burn_lr_training::metrics::Split::Valid {
                let name = format!("{}_gap", key.name());
                add(&name, &|s| s.last.gap(key.name()).to_string());
            }
        }
        add("last_lr", &|s| s.final_lr.scientific());
        for group in self.groups() {
            add(&format!("lr_{group}"), &|s| s.group_lr(&group).scientific());
        }
        if summaries.iter().any(|s| s.cuts.mean > 0.0) {
            add("cuts", &|s| s.cuts.text(1.0, 1));
        }
        add("best_epoch", &|s| s.best_epoch.text(1.0, 1));
        add("seconds", &|s| s.seconds.text(1.0, 1));
        if self.objective().is_bounded() {
            add("bounds", &bounds);
        }
        aligned(&columns, summaries.len())
    }
}

/// How many trials were completed, and of how many if some were not.
fn seeds(summary: &Summary) -> String {
    let of = summary.seeds.len() + summary.failed.len();
    if summary.failed.is_empty() {
        of.to_string()
    } else {
        format!("{}/{of}", summary.seeds.len())
    }
}

/// Under how many seeds the bounds are kept.
fn bounds(summary: &Summary) -> String {
    let Some(verdict) = &summary.last.verdict else {
        return String::new();
    };
    let met = verdict.per_seed.iter().filter(|(_, met)| *met).count();
    if verdict.every_seed {
        "met".to_owned()
    } else if met == 0 {
        "missed".to_owned()
    } else {
        format!("met {met}/{}", summary.seeds.len() + summary.failed.len())
    }
}

/// Columns beside each other, the first one flush left.
fn aligned(columns: &[(String, Vec<String>)], rows: usize) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(columns.iter().map(|(name, _)| name));
    for row in 0..rows {
        table.add_row(columns.iter().map(|(_, cells)| cells[row].as_str()));
    }
    for (number, column) in table.column_iter_mut().enumerate() {
        if number == 0 {
            column.set_padding((0, 0));
        } else {
            column
                .set_padding((2, 0))
                .set_cell_alignment(CellAlignment::Right);
        }
    }
    table
        .lines()
        .map(|line| format!("{}\n", line.trim_end()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_by_what_is_seen() {
        let column =
            |name: &str, cells: [&str; 2]| (name.to_owned(), cells.map(str::to_owned).to_vec());
        let columns = [
            column("candidate", ["a", "größer"]),
            column("loss", ["0.12 ± 0.01", "-"]),
        ];
        assert_eq!(
            aligned(&columns, 2),
            "candidate         loss\na          0.12 ± 0.01\ngrößer               -\n"
        );
    }
}
