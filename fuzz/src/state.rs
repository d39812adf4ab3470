//! What was done, a line of JSON for each stretch of inputs.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::Path;
use std::time::Instant;

use serde_json::{Value, json};

use crate::driver::Progress;

pub struct State {
    lines: Vec<Value>,
    file: Option<File>,
    begun: Instant,
}

impl State {
    /// What the file at `path` says. A last line that was not written whole is what was under way when the
    /// process was killed, and is taken away.
    pub fn read(path: Option<&Path>) -> io::Result<Self> {
        let mut state = Self {
            lines: vec![],
            file: None,
            begun: Instant::now(),
        };
        let Some(path) = path else { return Ok(state) };
        let mut options = OpenOptions::new();
        let mut file = options.read(true).append(true).create(true).open(path)?;
        let mut text = String::new();
        file.read_to_string(&mut text)?;
        let whole = text.rfind('\n').map_or(0, |end| end + 1);
        let lines = text[..whole].lines().map(serde_json::from_str);
        state.lines = lines.collect::<Result<_, _>>()?;
        file.set_len(whole as u64)?;
        state.file = Some(file);
        Ok(state)
    }

    /// The number of the first input that was not tried.
    pub fn until(&self, target: &str, seed: u64) -> u64 {
        let of = |line: &&Value| line["target"] == target && line["seed"] == seed;
        let until = self
            .lines
            .iter()
            .filter(of)
            .map(|line| line["until"].as_u64());
        until.flatten().max().unwrap_or(0)
    }

    /// Notes what a target has come to since it was asked last.
    pub fn note(&mut self, target: &str, seed: u64, progress: &Progress) {
        let Progress {
            until,
            tried,
            read,
            found,
        } = *progress;
        let seconds = self.begun.elapsed().as_secs_f64();
        self.begun = Instant::now();
        eprint!(
            "\r{target}: {until} inputs, {:.0} a second      ",
            tried as f64 / seconds
        );
        if let Some(file) = &mut self.file {
            let line = json!({
                "target": target, "seed": seed, "until": until, "tried": tried, "read": read, "found": found.len(),
                "seconds": seconds
            });
            writeln!(file, "{line}").unwrap();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_was_not_written_whole_is_tried_again() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("fuzz.jsonl");
        let progress = |until| Progress {
            until,
            tried: 5,
            read: 1,
            found: &[],
        };
        let mut state = State::read(Some(&path)).unwrap();
        state.note("png", 1, &progress(5));
        state.note("png", 2, &progress(50));
        let whole = std::fs::read(&path).unwrap();
        state.note("png", 1, &progress(10));
        let longer = std::fs::read(&path).unwrap();
        for end in whole.len()..longer.len() {
            std::fs::write(&path, &longer[..end]).unwrap();
            let mut state = State::read(Some(&path)).unwrap();
            assert_eq!(std::fs::read(&path).unwrap(), whole);
            assert_eq!(state.until("png", 1), 5);
            assert_eq!(state.until("png", 2), 50);
            assert_eq!(state.until("idx", 1), 0);
            state.note("png", 1, &progress(10));
            assert_eq!(State::read(Some(&path)).unwrap().until("png", 1), 10);
        }
    }

    #[test]
    fn what_is_no_state_is_refused_and_left_as_it_is() {
        let directory = tempfile::tempdir().unwrap();
        assert!(State::read(Some(directory.path())).is_err());
        let path = directory.path().join("notes.txt");
        for text in [&b"no JSON\n"[..], b"\xff\n"] {
            std::fs::write(&path, text).unwrap();
            assert!(State::read(Some(&path)).is_err());
            assert_eq!(std::fs::read(&path).unwrap(), text);
        }
    }
}
