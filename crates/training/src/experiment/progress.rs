//! One bar for all trials of an experiment.

use indicatif::{ProgressBar, ProgressStyle};

/// Counts the epochs of all trials.
pub(super) struct Progress {
    bar: ProgressBar,
    /// The epochs that each trial is known to have completed.
    epochs: Vec<usize>,
    running: Vec<String>,
    finished: usize,
}

impl Progress {
    pub(super) fn new(visible: bool, trials: usize, epochs: usize) -> Self {
        let bar = match visible {
            true => ProgressBar::new(epochs as u64),
            false => ProgressBar::hidden(),
        };
        let template = "{wide_bar} {pos}/{len} epochs, {eta} left\n{msg}";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        Self {
            bar,
            epochs: vec![0; trials],
            running: Vec::new(),
            finished: 0,
        }
    }

    pub(super) fn start(&mut self, name: String) {
        self.running.push(name);
        self.show();
    }

    pub(super) fn epoch(&mut self, trial: usize, epoch: usize) {
        let before = std::mem::replace(&mut self.epochs[trial], epoch);
        if before == 0 && epoch > 1 {
            // Trained by an earlier process: these epochs say nothing about how long one takes.
            self.bar.inc(epoch as u64 - 1);
            self.bar.reset_eta();
            self.bar.inc(1);
        } else {
            self.bar.inc(epoch.saturating_sub(before) as u64);
        }
    }

    /// A trial of `epochs` has come to its end, in whatever way.
    pub(super) fn end(&mut self, trial: usize, epochs: usize, name: &str) {
        self.epoch(trial, epochs);
        self.finished += 1;
        self.running.retain(|running| running != name);
        self.show();
    }

    /// Runs `print`, which may write to the terminal.
    pub(super) fn aside(&self, print: impl FnOnce()) {
        self.bar.suspend(print);
    }

    fn show(&self) {
        let running = self.running.join(" | ");
        let trials = self.epochs.len();
        let message = format!("{} of {trials} trials done; now {running}", self.finished);
        self.bar.set_message(message);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
