//! Where the parts of a picture go.

use crate::Chart;
use crate::axis::Axis;

/// plotters has whole coordinates: a chart is drawn this much larger, and scaled back by its
/// `viewBox`.
pub(super) const SCALE: u32 = 8;
/// The height of a row of text.
pub(super) const ROW: u32 = 20 * SCALE;
/// The length of a line in the legend, and the gap beside it.
pub(super) const SAMPLE: u32 = 24 * SCALE;
pub(super) const GAP: u32 = 8 * SCALE;
/// What is left free on the right.
pub(super) const RIGHT: u32 = 20 * SCALE;
/// The width of a character, in parts of the 13 pixels of its height, on the safe side.
const CHARACTER: f64 = 0.6 * 13.0 * SCALE as f64;

/// The parts of a picture from its top: the title, the legend, the labels of vertical marks, and the
/// drawing area with its axes.
pub(super) struct Layout {
    pub x: Axis,
    pub y: Axis,
    pub width: u32,
    pub height: u32,
    pub title_height: u32,
    /// The names of lines, by their numbers; the first row is the highest.
    pub legend: Vec<Entry>,
    /// The labels of vertical marks, by their numbers; the first row is the lowest.
    pub labels: Vec<Entry>,
    /// The height of legend and labels.
    pub legend_height: u32,
    pub labels_height: u32,
    /// The width of the vertical axis and its numbers.
    pub y_axis_width: u32,
}

/// A text in a row of texts.
pub(super) struct Entry {
    pub number: usize,
    pub left: u32,
    pub row: u32,
}

impl Layout {
    /// The layout of a picture of `size`, which grows with every row of labels, and of the legend
    /// but for the first.
    pub(super) fn new(chart: &Chart, size: (u32, u32)) -> Self {
        let width = SCALE * size.0;
        let x = chart.x_axis((size.0 / 70) as usize);
        let y = chart.y_axis((size.1 / 50) as usize);
        let longest = y.ticks().iter().map(|tick| text_width(&tick.text)).max();
        let numbers = longest.unwrap_or(0) + 14 * SCALE;
        let y_axis_width = numbers + if chart.y_label.is_empty() { 0 } else { ROW };

        let legend = legend(chart, width);
        let labels = labels(chart, &x, y_axis_width, width);
        let rows = |entries: &[Entry]| {
            let last = entries.iter().map(|entry| entry.row + 1).max();
            last.unwrap_or(0)
        };
        let (legend_rows, label_rows) = (rows(&legend), rows(&labels));
        Self {
            height: SCALE * size.1 + (legend_rows.saturating_sub(1) + label_rows) * ROW,
            title_height: if chart.title.is_empty() {
                0
            } else {
                ROW + ROW / 4
            },
            legend_height: legend_rows * ROW,
            labels_height: label_rows * ROW,
            x,
            y,
            width,
            legend,
            labels,
            y_axis_width,
        }
    }
}

/// Names beside each other, in as many rows as they need.
fn legend(chart: &Chart, width: u32) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    let (mut left, mut row) = (2 * GAP, 0);
    let named = |(_, name): &(usize, &String)| !name.is_empty();
    let names = chart.lines.iter().map(|line| &line.name).enumerate();
    for (number, name) in names.filter(named) {
        let length = (SAMPLE + 3 * GAP).saturating_add(text_width(name));
        if !entries.is_empty() && left.saturating_add(length) > width {
            (left, row) = (2 * GAP, row + 1);
        }
        entries.push(Entry { number, left, row });
        left = left.saturating_add(length);
    }
    entries
}

/// Labels above their marks, each in the first row that has room.
fn labels(chart: &Chart, x: &Axis, left: u32, width: u32) -> Vec<Entry> {
    let area = f64::from(width.saturating_sub(left + RIGHT));
    let marks = chart.marks.iter().enumerate();
    let mut labels: Vec<(usize, u32, u32)> = marks
        .filter(|(_, mark)| mark.y.is_none() && !mark.label.is_empty())
        .filter_map(|(number, mark)| {
            let centre = left + (x.at(mark.x)? * area) as u32;
            let length = text_width(&mark.label).min(width);
            let start = centre.saturating_sub(length / 2).min(width - length);
            Some((number, start, length))
        })
        .collect();
    labels.sort_by_key(|&(_, start, _)| start);
    // Where each row is free from.
    let mut rows: Vec<u32> = Vec::new();
    let place = |(number, left, length): (usize, u32, u32)| {
        let row = rows.iter().position(|&free| free <= left);
        let row = row.unwrap_or_else(|| {
            rows.push(0);
            rows.len() - 1
        });
        rows[row] = left + length + GAP;
        Entry {
            number,
            left,
            row: row as u32,
        }
    };
    labels.into_iter().map(place).collect()
}

fn text_width(text: &str) -> u32 {
    // Saturating, so that no length of a text overflows.
    (CHARACTER * text.chars().count() as f64) as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Line, Mark};

    #[test]
    fn names_that_do_not_fit_begin_a_row() {
        let names = ["one", "", "two", "a name of thirty characters ..", "four"];
        let chart = names.iter().fold(Chart::new(""), |chart, name| {
            chart.line(Line::new(*name, []))
        });
        let layout = Layout::new(&chart, (300, 200));
        let rows: Vec<_> = layout.legend.iter().map(|e| (e.number, e.row)).collect();
        assert_eq!(rows, [(0, 0), (2, 0), (3, 1), (4, 2)]);
        assert_eq!(layout.height, SCALE * 200 + 2 * ROW);
    }

    #[test]
    fn labels_are_above_their_marks_and_apart() {
        let marks = [
            (1.0, "at the end"),
            (0.5, "middle"),
            (0.52, "beside it"),
            (0.0, "start"),
        ];
        let chart = marks.iter().fold(Chart::new(""), |chart, &(x, label)| {
            chart.mark(Mark::vertical(x, label))
        });
        let layout = Layout::new(&chart, (640, 360));
        let rows: Vec<_> = layout.labels.iter().map(|e| (e.number, e.row)).collect();
        assert_eq!(rows, [(3, 0), (1, 0), (2, 1), (0, 0)]);
        let end = layout.labels[3].left + text_width("at the end");
        assert!(end <= layout.width, "{end}");
        assert_eq!(layout.labels_height, 2 * ROW);
    }
}
