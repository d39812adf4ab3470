//! Tables for the terminal.

use comfy_table::{CellAlignment, Table, presets};

/// A table with that head, whose first column is of texts and the others of numbers.
pub fn table(head: &[String], rows: &[Vec<String>]) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(head);
    table.add_rows(rows);
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table.trim_fmt() + "\n"
}
