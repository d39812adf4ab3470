//! The unit in which Burn gives a metric.

use burn::train::metric::{MetricAttributes, SerializedEntry};

/// Whether a metric is in percent: by its attributes or, of one that has none, such as AUROC, by the
/// text that Burn displays, `epoch 93.10 % - batch N/A %`.
pub(crate) fn is_percentage(attributes: &MetricAttributes, entry: &SerializedEntry) -> bool {
    match attributes {
        MetricAttributes::Numeric(attributes) => attributes.unit.as_deref() == Some("%"),
        _ => entry.formatted.trim_end().ends_with('%'),
    }
}
