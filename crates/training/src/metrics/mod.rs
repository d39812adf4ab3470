//! Metrics: how they are named, what the Learner reports of them, and the history of a run.

pub(crate) mod any_float;
mod best;
mod divergence;
mod early_stopping;
mod files;
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
pub(crate) use files::set_files_aside_after;
pub use history::History;
pub(crate) use log::{LOSS, LoggedEpoch, MetricsLog};
pub(crate) use means::SavedMeans;
pub use record::{DataPosition, EpochRecord, LrCut, Metrics};
pub(crate) use unit::is_percentage;
