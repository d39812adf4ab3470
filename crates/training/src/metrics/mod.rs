//! Metrics: how they are named, what the Learner reports of them, and the history of a run.

mod any_float;
mod best;
mod early_stopping;
mod history;
mod log;
mod means;
mod record;
mod unit;

pub use crate::key::{MetricKey, ParseMetricKeyError, Split, train, valid};
pub use crate::lineage::{Lineage, SettingChange};
pub(crate) use any_float::single as single_float;
pub use best::Best;
pub use early_stopping::EarlyStopping;
pub use history::History;
pub(crate) use log::{LOSS, LoggedEpoch, MetricsLog, set_files_aside_after};
pub(crate) use means::SavedMeans;
pub use record::{DataPosition, EpochRecord, LrCut, Metrics};
pub(crate) use unit::is_percentage;
