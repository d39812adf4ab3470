//! A chart as text.

mod canvas;

use std::iter::repeat_n;

use crate::axis::Axis;
use crate::pieces::pieces;
use crate::{Chart, Mark};
use canvas::{Canvas, Pen};

/// What lines are drawn with if there are several and no colours.
const MARKERS: [char; 8] = ['*', 'o', '+', 'x', '#', '@', '%', '~'];
/// ANSI codes that are legible on dark and light terminals alike.
const ANSI_COLOURS: [u8; 6] = [36, 33, 35, 32, 31, 34];

/// The room that a chart takes in a terminal, and whether it may have colours; a width and a height
/// stand for one without.
///
/// ```
/// use burn_lr_plot::{Chart, Line, Terminal};
///
/// let chart = Chart::new("Loss")
///     .line(Line::new("training", [(0.0, 1.0), (1.0, 0.2)]))
///     .line(Line::new("validation", [(0.0, 1.1), (1.0, 0.5)]));
/// assert!(!chart.terminal((80, 16)).contains('\u{1b}'));
/// assert!(chart.terminal(Terminal::new(80, 16).colour(true)).contains("\u{1b}[36m"));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terminal {
    width: usize,
    height: usize,
    colour: bool,
}

impl Terminal {
    /// `width` columns for the whole chart, and `height` rows for its drawing area; at least 20 and
    /// 4 are taken.
    pub fn new(width: usize, height: usize) -> Self {
        Self {
            width: width.max(20),
            height: height.max(4),
            colour: false,
        }
    }

    /// Tells several lines apart by colour, as ANSI escape sequences, instead of by a marker each.
    pub fn colour(mut self, colour: bool) -> Self {
        self.colour = colour;
        self
    }
}

impl From<(usize, usize)> for Terminal {
    fn from((width, height): (usize, usize)) -> Self {
        Self::new(width, height)
    }
}

impl Chart {
    /// The chart as text of that width and height.
    ///
    /// A single line is drawn in braille, and so are several that have colours; else a marker each
    /// tells them apart. Where lines meet they take turns from column to column. Vertical marks are
    /// dotted, and named below the chart, as lines are. Bands and points that are marked are left
    /// out.
    ///
    /// ```
    /// use burn_lr_plot::{Chart, Line};
    ///
    /// let chart = Chart::new("").line(Line::new("", [(0.0, 1.0), (10.0, 0.0)]));
    /// assert_eq!(
    ///     chart.terminal((24, 4)),
    ///     "1.0 ┤⠉⠒⠤⢄⡀\n\
    ///      \u{20}   │    ⠈⠉⠒⠤⢄⡀\n\
    ///      0.5 ┤         ⠈⠑⠒⠤⣀⡀\n\
    ///      \u{20} 0 ┤              ⠈⠑⠒⠤⣀\n\
    ///      \u{20}   ┼┬────────┬────────┬\n\
    ///      \u{20}    0        5       10\n"
    /// );
    /// ```
    pub fn terminal(&self, terminal: impl Into<Terminal>) -> String {
        let Terminal {
            width,
            height,
            colour,
        } = terminal.into();
        let y = self.y_axis((height / 3).max(2));
        let margin = y.ticks().iter().map(|tick| tick.text.len()).max();
        let margin = margin.unwrap_or(0).min(width / 2);
        let columns = width - margin - 2;
        let x = self.x_axis((columns / 12).max(2));

        let mut rows: Vec<String> = Vec::new();
        rows.extend((!self.title.is_empty()).then(|| self.title.clone()));
        rows.extend((!self.y_label.is_empty()).then(|| self.y_label.clone()));
        for (row, cells) in self
            .canvas(&x, &y, columns, height, colour)
            .rows()
            .enumerate()
        {
            let bottom = (height - 1) as f64;
            let tick = y
                .ticks()
                .iter()
                .rfind(|tick| (bottom * (1.0 - tick.at)).round() as usize == row);
            let (text, rule) = tick.map_or(("", '│'), |tick| (&*tick.text, '┤'));
            rows.push(format!("{text:>margin$} {rule}{cells}"));
        }
        rows.extend(x_axis(&x, columns).map(|row| format!("{:margin$} {row}", "")));
        if !self.x_label.is_empty() {
            rows.push(format!("{:>width$}", self.x_label));
        }
        rows.extend(self.key(&x, colour));
        rows.iter()
            .map(|row| format!("{}\n", row.trim_end()))
            .collect()
    }

    fn canvas(&self, x: &Axis, y: &Axis, columns: usize, rows: usize, colour: bool) -> Canvas {
        let mut canvas = Canvas::new(columns, rows);
        for mark in self.marks.iter().filter(|mark| mark.y.is_none()) {
            if let Some(at) = x.at(mark.x) {
                canvas.vertical(at);
            }
        }
        for (number, line) in self.lines.iter().enumerate() {
            canvas.line(&pieces(line, x, y), self.pen(number, colour));
        }
        canvas
    }

    fn pen(&self, number: usize, colour: bool) -> Pen {
        let braille = colour || self.lines.len() == 1;
        Pen {
            marker: (!braille).then(|| MARKERS[number % MARKERS.len()]),
            colour: colour.then(|| ANSI_COLOURS[number % ANSI_COLOURS.len()]),
        }
    }

    /// What the lines and marks mean.
    fn key(&self, x: &Axis, colour: bool) -> Vec<String> {
        let lines = self.lines.iter().enumerate();
        let named: Vec<_> = lines.filter(|(_, line)| !line.name.is_empty()).collect();
        let widths = named.iter().map(|(_, line)| line.name.chars().count());
        let width = widths.max().unwrap_or(0);
        let lines = named.iter().map(|&(number, line)| {
            let pen = self.pen(number, colour);
            let sample = pen.painted(pen.marker.unwrap_or('━'));
            format!("{sample}{sample} {:width$}  {}", line.name, line.note)
        });
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
            labels.extend(repeat_n(' ', start.saturating_sub(labels.len())));
            labels.push_str(&tick.text);
        }
    }
    rule[0] = '┼';
    [rule.into_iter().collect(), labels]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Line;

    #[test]
    fn a_falling_line_goes_from_the_upper_left_to_the_lower_right() {
        let chart = Chart::new("Loss")
            .y_label("loss")
            .x_label("epoch")
            .line(Line::new("", [(0.0, 1.0), (10.0, 0.0)]));
        assert_eq!(
            chart.terminal((24, 4)),
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
        let text = chart.terminal((60, 10));
        assert!(
            text.ends_with("** up\noo down\n┊  where they meet\n"),
            "{text}"
        );
        let rows: Vec<&str> = text.lines().collect();
        assert!(rows[0].contains('o') && rows[0].ends_with('*'), "{text}");
        assert!(rows[9].contains('*') && rows[9].ends_with('o'), "{text}");
        assert!(rows.iter().all(|row| row.chars().count() <= 60), "{text}");
    }

    #[test]
    fn colours_tell_lines_apart_and_notes_stand_behind_names() {
        let chart = Chart::new("")
            .line(Line::new("falling", [(0.0, 1.0), (1.0, 0.0)]).note("last 0"))
            .line(Line::new("up", [(0.0, 0.0), (1.0, 1.0)]).note("last 1"));
        let text = chart.terminal(Terminal::new(40, 5).colour(true));
        assert!(text.contains("\u{1b}[36m⠉\u{1b}[0m"), "{text}");
        let key = "\u{1b}[33m━\u{1b}[0m\u{1b}[33m━\u{1b}[0m up       last 1\n";
        assert!(text.ends_with(key), "{text}");
        let plain = chart.terminal((40, 5));
        assert!(
            plain.contains("** falling  last 0\noo up       last 1\n"),
            "{plain}"
        );
        assert!(!plain.contains('\u{1b}'));
    }

    #[test]
    fn lines_on_top_of_each_other_take_turns() {
        let line = |name| Line::new(name, [(0.0, 1.0), (1.0, 1.0)]);
        let chart = Chart::new("")
            .line(line("a"))
            .line(line("b"))
            .y_include(0.0);
        let text = chart.terminal((24, 4));
        let drawn = text.split('┼').next().unwrap_or_default();
        assert!(drawn.contains("*o*o*o"), "{text}");
    }

    #[test]
    fn any_size_and_values_give_a_row_each() {
        let values = [
            vec![],
            vec![0.0],
            vec![f64::MAX, 0.0, 5e-324],
            vec![f64::NAN; 3],
        ];
        for values in values {
            for (width, height) in [(0, 0), (20, 4), (1000, 50)] {
                let points = values.iter().zip(0..).map(|(&y, x)| (f64::from(x), y));
                let chart = Chart::new("").line(Line::new("", points));
                for held in [
                    chart.clone(),
                    chart.line(Line::new("", [(0.0, 1.0)]).held()),
                ] {
                    let text = held.terminal((width, height));
                    assert_eq!(text.lines().count(), height.max(4) + 2, "{text}");
                }
            }
        }
    }
}
