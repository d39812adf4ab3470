//! The chart in the terminal.
//!
//! One line is drawn in braille, two by four dots to a character. Several lines are told apart by
//! colour, or by a marker each where there are no colours.

use std::io::{self, Write};

use crate::line::{Axis, Line, highest};

const MARKERS: [char; 8] = ['*', 'o', '+', 'x', '#', '@', '%', '~'];
/// ANSI codes that are legible on dark and light terminals alike.
const COLOURS: [u8; 6] = [36, 33, 35, 32, 31, 34];
const BRAILLE: u32 = 0x2800;
/// The bits of a braille character's dots, by column and row.
const DOTS: [[u8; 4]; 2] = [[0x01, 0x02, 0x04, 0x40], [0x08, 0x10, 0x20, 0x80]];

/// How the chart is drawn.
pub struct Style {
    /// Columns of the terminal to use.
    pub width: usize,
    /// Rows of the drawing area.
    pub height: usize,
    /// Whether colours may be used.
    pub colour: bool,
}

/// Draws `lines` over a common axis of steps, and a legend.
pub fn draw(out: &mut impl Write, lines: &[Line], x_label: &str, style: &Style) -> io::Result<()> {
    let y_axis = Axis::new(highest(lines), 5);
    let texts: Vec<String> = y_axis.ticks().map(|tick| y_axis.text(tick)).collect();
    let margin = texts.iter().map(String::len).max().unwrap_or(0).max(2);
    let width = style.width.saturating_sub(margin + 3).max(10);
    let height = style.height.max(4);
    let braille = style.colour || lines.len() == 1;
    let layers: Vec<Vec<char>> = lines
        .iter()
        .enumerate()
        .map(|(i, line)| match braille {
            true => dots(line, y_axis.end(), width, height),
            false => marks(line, y_axis.end(), width, height, marker(i)),
        })
        .collect();

    let mut labels = vec![String::new(); height];
    for (i, text) in texts.iter().enumerate() {
        let from_top = (texts.len() - 1 - i) * (height - 1);
        labels[from_top / (texts.len() - 1)].clone_from(text);
    }
    writeln!(out, "{:>margin$}", "lr")?;
    for (row, label) in labels.iter().enumerate() {
        let tick = if label.is_empty() { '│' } else { '┤' };
        write!(out, "{label:>margin$} {tick}")?;
        let row = row * width..(row + 1) * width;
        let cells: Vec<_> = row.clone().map(|cell| visible(&layers, cell)).collect();
        let end = cells.iter().rposition(Option::is_some).map_or(0, |i| i + 1);
        for cell in &cells[..end] {
            match *cell {
                Some((i, glyph)) => write!(out, "{}", paint(glyph, i, style.colour))?,
                None => write!(out, " ")?,
            }
        }
        writeln!(out)?;
    }
    write_x_axis(out, lines, margin, width)?;
    writeln!(out, "{:>1$}", x_label, margin + 2 + width)?;
    write_legend(out, lines, braille, style.colour)
}

fn write_x_axis(
    out: &mut impl Write,
    lines: &[Line],
    margin: usize,
    width: usize,
) -> io::Result<()> {
    let steps = steps(lines);
    let axis = Axis::new(steps as f64, steps.min(width / 12) as u64);
    let mut rule = vec!['─'; width + 1];
    let mut labels = String::new();
    for tick in axis.ticks().filter(|&tick| tick <= steps as f64) {
        let column = (tick / steps as f64 * width as f64) as usize;
        rule[column] = '┬';
        let text = format!("{tick}");
        // Centred under its tick, but within the chart and clear of the label before.
        let end = (column + text.len().div_ceil(2)).min(width + 1);
        let start = end.saturating_sub(text.len());
        if labels.is_empty() || start > labels.len() {
            labels.extend(std::iter::repeat_n(' ', start.saturating_sub(labels.len())));
            labels.push_str(&text);
        }
    }
    rule[0] = '┼';
    let rule: String = rule.into_iter().collect();
    writeln!(out, "{:>margin$} {rule}", "")?;
    writeln!(out, "{:>margin$} {labels}", "")
}

fn write_legend(
    out: &mut impl Write,
    lines: &[Line],
    braille: bool,
    colour: bool,
) -> io::Result<()> {
    let width = lines.iter().map(|line| line.label.chars().count()).max();
    let width = width.unwrap_or(0);
    for (i, line) in lines.iter().enumerate() {
        let glyph = if braille { '━' } else { marker(i) };
        let sample = paint(glyph, i, colour);
        let highest = highest(std::slice::from_ref(line));
        let last = line.lrs.last().copied().unwrap_or(0.0);
        let first = line.lrs.first().copied().unwrap_or(0.0);
        writeln!(
            out,
            "{sample}{sample} {:width$}  first {first:?}, highest {highest:?}, last {last:?}",
            line.label
        )?;
    }
    Ok(())
}

fn steps(lines: &[Line]) -> usize {
    let lengths = lines.iter().map(|line| line.lrs.len());
    lengths.max().unwrap_or(0).max(1)
}

fn marker(i: usize) -> char {
    MARKERS[i % MARKERS.len()]
}

fn paint(glyph: char, i: usize, colour: bool) -> String {
    match colour {
        true => format!("\u{1b}[{}m{glyph}\u{1b}[0m", COLOURS[i % COLOURS.len()]),
        false => glyph.to_string(),
    }
}

/// The line that is seen in a cell. Where several meet they take turns from column to column, so
/// that lines on top of each other are all seen.
fn visible(layers: &[Vec<char>], cell: usize) -> Option<(usize, char)> {
    let here = |layer: &&(usize, &Vec<char>)| layer.1[cell] != ' ';
    let layers: Vec<_> = layers.iter().enumerate().collect();
    let present: Vec<_> = layers.iter().filter(here).collect();
    let &&(i, layer) = present.get(cell % present.len().max(1))?;
    Some((i, layer[cell]))
}

/// The rows, counted from the top, that each column of a drawing covers.
///
/// Each column shows all steps that fall into it, and reaches to where the column before ended.
fn spans(line: &Line, top: f64, columns: usize, rows: usize) -> Vec<(usize, usize)> {
    let row = |lr: f64| ((1.0 - lr / top) * (rows - 1) as f64).round() as usize;
    let steps = line.lrs.len();
    let mut before = None;
    (0..columns)
        .map(|column| {
            let start = column * steps / columns;
            let end = ((column + 1) * steps / columns).max(start + 1);
            let bucket = line.lrs.get(start..end).unwrap_or_default();
            let (mut first, mut last) = (usize::MAX, 0);
            for row in bucket.iter().map(|&lr| row(lr)) {
                (first, last) = (first.min(row), last.max(row));
            }
            if let Some(before) = before {
                if before < first {
                    first = before + 1;
                } else if before > last {
                    last = before - 1;
                }
            }
            before = line.lrs.get(end - 1).map(|&lr| row(lr));
            (first, last)
        })
        .collect()
}

fn dots(line: &Line, top: f64, width: usize, height: usize) -> Vec<char> {
    let mut cells = vec![0u8; width * height];
    let spans = spans(line, top, width * 2, height * 4);
    for (column, (first, last)) in spans.into_iter().enumerate() {
        for row in first..=last {
            cells[row / 4 * width + column / 2] |= DOTS[column % 2][row % 4];
        }
    }
    let glyph = |bits| match bits {
        0 => ' ',
        bits => char::from_u32(BRAILLE + u32::from(bits)).unwrap_or(' '),
    };
    cells.into_iter().map(glyph).collect()
}

fn marks(line: &Line, top: f64, width: usize, height: usize, marker: char) -> Vec<char> {
    let mut cells = vec![' '; width * height];
    let spans = spans(line, top, width, height);
    for (column, (first, last)) in spans.into_iter().enumerate() {
        for row in first..=last {
            cells[row * width + column] = marker;
        }
    }
    cells
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(lines: &[Line], colour: bool) -> String {
        let style = Style {
            width: 40,
            height: 5,
            colour,
        };
        let mut out = Vec::new();
        draw(&mut out, lines, "step", &style).unwrap();
        String::from_utf8(out).unwrap()
    }

    fn line(label: &str, lrs: impl IntoIterator<Item = f64>) -> Line {
        Line {
            label: label.to_owned(),
            lrs: lrs.into_iter().collect(),
        }
    }

    #[test]
    fn markers_tell_lines_apart_without_colours() {
        let falling = line("falling", (0..=10).map(|i| 1.0 - f64::from(i) / 10.0));
        let flat = line("flat", [0.0; 11]);
        let text = chart(&[falling, flat], false);
        let drawn = text.split('┼').next().unwrap();
        assert!(drawn.contains('*') && drawn.contains('o') && !text.contains('\u{1b}'));
        assert!(text.contains("** falling  first 1.0, highest 1.0, last 0.0"));
    }

    #[test]
    fn any_length_and_rate_can_be_drawn() {
        for lrs in [
            vec![0.0],
            vec![f64::MAX, 0.0, 1e-320],
            vec![1e-7; 10_000],
            (0..10_000).map(f64::from).collect(),
        ] {
            for colour in [false, true] {
                let text = chart(&[line("a", lrs.clone()), line("b", lrs.clone())], colour);
                assert_eq!(text.lines().count(), 1 + 5 + 3 + 2);
            }
        }
    }
}
