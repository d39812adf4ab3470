//! What the user should know of trials, each thing once.

use std::cell::RefCell;
use std::collections::BTreeSet;

use crate::candidate::Candidate;

pub(crate) type OnNotice = Box<dyn Fn(&Candidate, &str)>;

/// Where the notices of all trials go. Most are of the base and the same in every trial.
#[derive(Default)]
pub(crate) struct Notices {
    /// Standard error if there is none.
    on_notice: Vec<OnNotice>,
    told: RefCell<BTreeSet<String>>,
}

impl Notices {
    /// Calls `on_notice` too.
    pub(crate) fn add(&mut self, on_notice: OnNotice) {
        self.on_notice.push(on_notice);
    }

    /// Tells what the trial of a candidate has said, unless that was told before. Without a hook,
    /// standard error hears of it if nobody else has: `heard` by what the base has set.
    pub(crate) fn tell(&self, candidate: &Candidate, notice: &str, heard: bool) {
        if !self.told.borrow_mut().insert(notice.to_owned()) {
            return;
        }
        if self.on_notice.is_empty() && !heard {
            eprintln!("{}: {notice}", candidate.name);
        }
        for on_notice in &self.on_notice {
            on_notice(candidate, notice);
        }
    }
}
