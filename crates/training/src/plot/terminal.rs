//! A chart as text.

use super::axis::Axis;
use super::pieces::{Place, pieces};
use super::{Chart, Mark};

/// What lines are drawn with if there are several.
const MARKERS: [char; 8] = ['*', 'o', '+', 'x', '#', '@', '%', '~'];
const BRAILLE: u32 = 0x2800;
/// The bits of a braille character's dots, by column and row.
const DOTS: [[u8; 4]; 2] = [[0x01, 0x02, 0x04, 0x40], [0x08, 0x10, 0x20, 0x80]];

impl Chart {
    /// The chart as text of `width` columns, its drawing area having `height` rows; at least 20 and
    /// 4.
    ///
    /// A single line is drawn in braille; several are told apart by a marker each, not by colour.
    /// Vertical marks are dotted, and named below the chart. Bands are left out.
    pub fn terminal(&self, width: usize, height: usize) -> String {
        let (width, height) = (width.max(20), height.max(4));
        let y = self.y_axis((height / 3).max(2));
        let margin = y.ticks().iter().map(|tick| tick.text.len()).max();
        let margin = margin.unwrap_or(0).min(width / 2);
        let columns = width - margin - 2;
        let x = self.x_axis((columns / 12).max(2));

        let mut canvas = Canvas::new(columns, height);
        for mark in self.marks.iter().filter(|mark| mark.y.is_none()) {
            if let Some(at) = x.at(mark.x) {
                canvas.vertical(at);
            }
        }
        // The first line is on top.
        for (i, line) in self.lines.iter().enumerate().rev() {
            let marker = (self.lines.len() > 1).then(|| MARKERS[i % MARKERS.len()]);
            for piece in pieces(&line.points, &x, &y) {
                canvas.line(&piece, marker);
            }
        }

        let mut rows: Vec<String> = Vec::new();
        rows.extend((!self.title.is_empty()).then(|| self.title.clone()));
        rows.extend((!self.y_label.is_empty()).then(|| self.y_label.clone()));
        for (row, cells) in canvas.cells.chunks(columns).enumerate() {
            let height = (height - 1) as f64;
            let tick = y
                .ticks()
                .iter()
                .rfind(|tick| (height * (1.0 - tick.at)).round() as usize == row);
            let (text, rule) = tick.map_or(("", '│'), |tick| (&*tick.text, '┤'));
            let cells: String = cells.iter().collect();
            rows.push(format!("{text:>margin$} {rule}{}", cells.trim_end()));
        }
        rows.extend(x_axis(&x, columns).map(|row| format!("{:margin$} {row}", "")));
        if !self.x_label.is_empty() {
            rows.push(format!("{:>width$}", self.x_label));
        }
        rows.extend(self.key(&x));
        rows.iter()
            .map(|row| format!("{}\n", row.trim_end()))
            .collect()
    }

    /// What the markers and marks mean.
    fn key(&self, x: &Axis) -> Vec<String> {
        let lines = self.lines.iter().enumerate();
        let lines = lines
            .filter(|(_, line)| self.lines.len() > 1 && !line.name.is_empty())
            .map(|(i, line)| format!("{0}{0} {1}", MARKERS[i % MARKERS.len()], line.name));
        let seen = |mark: &&Mark| mark.y.is_none() && x.at(mark.x).is_some();
        let marks = self.marks.iter().filter(seen);
        lines
            .chain(marks.map(|mark| format!("┊  {}", mark.label)))
            .collect()
    }
}

/// The rule below the chart and the numbers below that.
fn x_axis(x: &Axis, columns: usize) -> [String; 2] {
    let mut rule = vec!['─'; columns + 1];
    let mut labels = String::new();
    for tick in x.ticks() {
        let column = 1 + (tick.at * (columns - 1) as f64).round() as usize;
        rule[column] = '┬';
        // Centred under its tick, but within the chart and clear of the label before.
        let end = (column + tick.text.len().div_ceil(2)).min(columns + 1);
        let start = end.saturating_sub(tick.text.len());
        if labels.is_empty() || start > labels.len() {
            labels.extend(std::iter::repeat_n(' ', start.saturating_sub(labels.len())));
            labels.push_str(&tick.text);
        }
    }
    rule[0] = '┼';
    [rule.into_iter().collect(), labels]
}

struct Canvas {
    columns: usize,
    rows: usize,
    cells: Vec<char>,
}

impl Canvas {
    fn new(columns: usize, rows: usize) -> Self {
        Self {
            columns,
            rows,
            cells: vec![' '; columns * rows],
        }
    }

    fn vertical(&mut self, at: f64) {
        let column = (at * (self.columns - 1) as f64).round() as usize;
        for row in 0..self.rows {
            self.cells[row * self.columns + column] = '┊';
        }
    }

    /// Draws with `marker`, or with dots without one.
    fn line(&mut self, piece: &[Place], marker: Option<char>) {
        let (across, down) = if marker.is_some() { (1, 1) } else { (2, 4) };
        let right = (self.columns * across - 1) as f64;
        let bottom = (self.rows * down - 1) as f64;
        let dot = |place: Place| (place.0 * right, (1.0 - place.1) * bottom);
        for (i, &place) in piece.iter().enumerate() {
            let (from, to) = (dot(piece[i.saturating_sub(1)]), dot(place));
            let length = (to.0 - from.0).abs().max((to.1 - from.1).abs()).ceil();
            for step in 0..=length as usize {
                let share = step as f64 / length.max(1.0);
                let x = (from.0 + share * (to.0 - from.0)).round() as usize;
                let y = (from.1 + share * (to.1 - from.1)).round() as usize;
                let cell = &mut self.cells[y / down * self.columns + x / across];
                *cell = marker.unwrap_or_else(|| with_dot(*cell, DOTS[x % 2][y % 4]));
            }
        }
    }
}

/// The braille character in a cell with one more dot.
fn with_dot(cell: char, dot: u8) -> char {
    let bits = u32::from(cell)
        .checked_sub(BRAILLE)
        .filter(|&bits| bits < 256);
    char::from_u32(BRAILLE | bits.unwrap_or(0) | u32::from(dot)).unwrap_or(' ')
}

#[cfg(test)]
mod tests {
    use super::super::Line;
    use super::*;

    #[test]
    fn a_falling_line_goes_from_the_upper_left_to_the_lower_right() {
        let chart = Chart::new("Loss")
            .y_label("loss")
            .x_label("epoch")
            .line(Line::new("", [(0.0, 1.0), (10.0, 0.0)]));
        assert_eq!(
            chart.terminal(24, 4),
            "Loss\n\
             loss\n\
             1.0 ┤⠉⠒⠤⢄⡀\n\
             \u{20}   │    ⠈⠉⠒⠤⢄⡀\n\
             0.5 ┤         ⠈⠑⠒⠤⣀⡀\n\
             \u{20} 0 ┤              ⠈⠑⠒⠤⣀\n\
             \u{20}   ┼┬────────┬────────┬\n\
             \u{20}    0        5       10\n\
             \u{20}                  epoch\n"
        );
    }

    #[test]
    fn several_lines_have_markers_and_marks_are_named() {
        let chart = Chart::new("")
            .line(Line::new("up", [(0.0, 0.0), (1.0, 1.0)]))
            .line(Line::new("down", [(0.0, 1.0), (1.0, 0.0)]))
            .mark(Mark::vertical(0.5, "where they meet"));
        let text = chart.terminal(60, 10);
        assert!(
            text.ends_with("** up\noo down\n┊  where they meet\n"),
            "{text}"
        );
        let rows: Vec<&str> = text.lines().collect();
        assert!(rows[0].contains('o') && rows[0].ends_with('*'), "{text}");
        assert!(rows[9].contains('*') && rows[9].ends_with('o'), "{text}");
        assert!(rows.iter().all(|row| row.chars().count() <= 60), "{text}");
    }
}
