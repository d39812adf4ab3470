//! The characters of a drawing area.

use crate::pieces::Place;

const BRAILLE: u32 = 0x2800;
/// The bits of a braille character's dots, by column and row.
const DOTS: [[u8; 4]; 2] = [[0x01, 0x02, 0x04, 0x40], [0x08, 0x10, 0x20, 0x80]];

/// What a line is drawn with.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pen {
    /// A character, or dots without one.
    pub marker: Option<char>,
    /// The code of an ANSI colour.
    pub colour: Option<u8>,
}

impl Pen {
    /// The character in the pen's colour.
    pub(super) fn painted(self, character: char) -> String {
        match self.colour {
            Some(colour) => format!("\u{1b}[{colour}m{character}\u{1b}[0m"),
            None => character.to_string(),
        }
    }
}

/// A drawing area, and a layer for each line in it; blank cells are spaces.
pub(super) struct Canvas {
    columns: usize,
    rows: usize,
    background: Vec<char>,
    layers: Vec<(Pen, Vec<char>)>,
}

impl Canvas {
    pub(super) fn new(columns: usize, rows: usize) -> Self {
        Self {
            columns,
            rows,
            background: vec![' '; columns * rows],
            layers: Vec::new(),
        }
    }

    pub(super) fn vertical(&mut self, at: f64) {
        let column = (at * (self.columns - 1) as f64).round() as usize;
        for row in 0..self.rows {
            self.background[row * self.columns + column] = '┊';
        }
    }

    pub(super) fn line(&mut self, pieces: &[Vec<Place>], pen: Pen) {
        let mut cells = vec![' '; self.columns * self.rows];
        let (across, down) = if pen.marker.is_some() { (1, 1) } else { (2, 4) };
        let right = (self.columns * across - 1) as f64;
        let bottom = (self.rows * down - 1) as f64;
        let dot = |place: Place| (place.0 * right, (1.0 - place.1) * bottom);
        for piece in pieces {
            for (i, &place) in piece.iter().enumerate() {
                let (from, to) = (dot(piece[i.saturating_sub(1)]), dot(place));
                let length = (to.0 - from.0).abs().max((to.1 - from.1).abs()).ceil();
                for step in 0..=length as usize {
                    let share = step as f64 / length.max(1.0);
                    let x = (from.0 + share * (to.0 - from.0)).round() as usize;
                    let y = (from.1 + share * (to.1 - from.1)).round() as usize;
                    let cell = &mut cells[y / down * self.columns + x / across];
                    let dotted = || with_dot(*cell, DOTS[x % 2][y % 4]);
                    *cell = pen.marker.unwrap_or_else(dotted);
                }
            }
        }
        self.layers.push((pen, cells));
    }

    /// The rows from the top, without blanks at their ends.
    pub(super) fn rows(&self) -> impl Iterator<Item = String> {
        (0..self.rows).map(|row| {
            let row = row * self.columns..(row + 1) * self.columns;
            let blank = |cell: usize| self.seen(cell).is_none();
            let end = row.clone().rfind(|&cell| !blank(cell));
            let cells = row.start..end.map_or(row.start, |last| last + 1);
            cells
                .map(|cell| self.seen(cell).unwrap_or_else(|| " ".to_owned()))
                .collect()
        })
    }

    /// What is seen in a cell. Where several lines meet they take turns from cell to cell, so that
    /// lines on top of each other are all seen.
    fn seen(&self, cell: usize) -> Option<String> {
        let here = |(_, cells): &&(Pen, Vec<char>)| cells[cell] != ' ';
        let lines = self.layers.iter().filter(here);
        let turn = cell % lines.clone().count().max(1);
        let line = lines.clone().nth(turn);
        let line = line.map(|(pen, cells)| pen.painted(cells[cell]));
        let background = self.background[cell];
        line.or_else(|| (background != ' ').then(|| background.to_string()))
    }
}

/// The braille character in a cell with one more dot.
fn with_dot(cell: char, dot: u8) -> char {
    let bits = u32::from(cell)
        .checked_sub(BRAILLE)
        .filter(|&bits| bits < 256);
    char::from_u32(BRAILLE | bits.unwrap_or(0) | u32::from(dot)).unwrap_or(' ')
}
