//! What a page knows that no other file of the run does, kept in the page for whoever writes it next.

use std::borrow::Cow;
use std::path::Path;

use burn_lr_training::run::Launch;
use burn_lr_training::track::UpdateRecord;
use serde::{Deserialize, Serialize};

/// What stands before it in the page.
const BEFORE: &str = r#"<script type="application/json" id="followed">"#;
const AFTER: &str = "</script>";

/// What whoever followed a run was told.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Followed<'a> {
    /// When the run was begun, by which it is known.
    begun: Option<String>,
    /// How often it had been started by then.
    starts: usize,
    /// What the last of these starts was ended by.
    stopped: Option<String>,
    /// Every so many records one was kept.
    pub keep_every: usize,
    pub updates: Cow<'a, [UpdateRecord]>,
}

impl<'a> Followed<'a> {
    /// What is known of the run that was started like this: why it ended if that is so, and of its updates one of so
    /// many.
    pub(super) fn new(
        launches: &[Launch],
        stopped: Option<&str>,
        (keep_every, updates): (usize, &'a [UpdateRecord]),
    ) -> Self {
        Self {
            begun: begun(launches),
            starts: launches.len(),
            stopped: stopped.map(str::to_owned),
            keep_every,
            updates: Cow::Borrowed(updates),
        }
    }

    /// It as an element of a page.
    pub(super) fn element(&self) -> String {
        // All are numbers and texts.
        let json = serde_json::to_string(self).unwrap_or_default();
        // Nothing in it ends the element.
        format!("{BEFORE}{}{AFTER}", json.replace('<', "\\u003c"))
    }

    /// What the page at `path` knows, if it is of the run that was started like this.
    pub(super) fn read(path: &Path, launches: &[Launch]) -> Option<Followed<'static>> {
        let page = std::fs::read_to_string(path).ok()?;
        let (_, followed) = page.split_once(BEFORE)?;
        let (followed, _) = followed.split_once(AFTER)?;
        let followed: Followed<'static> = serde_json::from_str(followed).ok()?;
        let begun = begun(launches)?;
        (followed.begun == Some(begun)).then_some(followed)
    }

    /// What ended the run, if it was not started again since.
    pub(super) fn stopped(&self, launches: &[Launch]) -> Option<String> {
        let reason = self.stopped.clone();
        reason.filter(|_| self.starts == launches.len())
    }
}

/// When the run was begun.
fn begun(launches: &[Launch]) -> Option<String> {
    launches.first().map(|launch| launch.at.clone())
}
