//! One bar for all trials of an experiment.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Counts the epochs of all trials, or the trials if it is not known how many epochs they have.
pub(crate) struct Progress {
    bar: ProgressBar,
    /// The epochs of each trial, and how many of them are known to be complete.
    trials: Vec<(Option<usize>, usize)>,
    counts_epochs: bool,
    running: Vec<(usize, String)>,
    finished: usize,
}

impl Progress {
    pub(crate) fn new(visible: bool, epochs: impl Iterator<Item = Option<usize>>) -> Self {
        let trials: Vec<(Option<usize>, usize)> = epochs.map(|epochs| (epochs, 0)).collect();
        let total: Option<usize> = trials.iter().map(|&(epochs, _)| epochs).sum();
        let length = total.unwrap_or(trials.len());
        let target = if visible {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        let bar = ProgressBar::with_draw_target(Some(length as u64), target);
        let unit = if total.is_some() { "epochs" } else { "trials" };
        let template = format!("{{wide_bar}} {{pos}}/{{len}} {unit}, {{eta}} left\n{{msg}}");
        if let Ok(style) = ProgressStyle::with_template(&template) {
            bar.set_style(style);
        }
        Self {
            bar,
            trials,
            counts_epochs: total.is_some(),
            running: Vec::new(),
            finished: 0,
        }
    }

    pub(crate) fn start(&mut self, trial: usize, name: String) {
        self.running.push((trial, name));
        self.show();
    }

    pub(crate) fn epoch(&mut self, trial: usize, epoch: usize) {
        let before = std::mem::replace(&mut self.trials[trial].1, epoch);
        if !self.counts_epochs {
            return;
        }
        if before == 0 && epoch > 1 {
            // Trained by an earlier process: these epochs say nothing about how long one takes.
            self.bar.inc(epoch as u64 - 1);
            self.bar.reset_eta();
            self.bar.inc(1);
        } else {
            self.bar.inc(epoch.saturating_sub(before) as u64);
        }
    }

    /// A trial has come to its end, in whatever way.
    pub(crate) fn end(&mut self, trial: usize) {
        match self.trials[trial].0 {
            Some(epochs) if self.counts_epochs => self.epoch(trial, epochs),
            _ => self.bar.inc(1),
        }
        self.finished += 1;
        self.running.retain(|(running, _)| *running != trial);
        self.show();
    }

    /// Runs `print`, which may write to the terminal.
    pub(crate) fn aside(&self, print: impl FnOnce()) {
        self.bar.suspend(print);
    }

    fn show(&self) {
        let running: Vec<&str> = self.running.iter().map(|(_, name)| &**name).collect();
        let (trials, running) = (self.trials.len(), running.join(" | "));
        let message = format!("{} of {trials} trials done; now {running}", self.finished);
        self.bar.set_message(message);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn epochs_are_counted_where_all_are_known() {
        let mut progress = Progress::new(false, [Some(3), Some(2)].into_iter());
        assert_eq!(progress.bar.length(), Some(5));
        progress.epoch(0, 2);
        // It failed or stopped early: the bar goes on all the same.
        progress.end(0);
        assert_eq!(progress.bar.position(), 3);
        let mut progress = Progress::new(false, [Some(3), None].into_iter());
        assert_eq!(progress.bar.length(), Some(2));
        progress.epoch(1, 7);
        progress.end(1);
        assert_eq!(progress.bar.position(), 1);
        assert_eq!(Progress::new(false, [].into_iter()).bar.length(), Some(0));
    }
}
