//! Where what the user should know goes.

use std::fmt::{self, Debug};
use std::sync::{Arc, Mutex, PoisonError};

/// The caller's `on_notice`; clones are one and the same, for all threads of a run.
#[derive(Clone)]
pub(crate) struct Notices(Arc<Mutex<OnNotice>>);

type OnNotice = Box<dyn FnMut(&str) + Send>;

impl Notices {
    pub(crate) fn new(on_notice: impl FnMut(&str) + Send + 'static) -> Self {
        Self(Arc::new(Mutex::new(Box::new(on_notice))))
    }

    /// Says it to these, and then to `others`.
    pub(crate) fn and(self, others: Self) -> Self {
        Self::new(move |notice| {
            self.say(notice);
            others.say(notice);
        })
    }

    pub(crate) fn say(&self, notice: &str) {
        let mut on_notice = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        on_notice(notice);
    }
}

impl Default for Notices {
    /// They go into the log.
    fn default() -> Self {
        Self::new(|notice| log::warn!("{notice}"))
    }
}

impl Debug for Notices {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Notices")
    }
}
