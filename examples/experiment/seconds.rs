//! A time as an option says it.

use std::time::Duration;

/// The time that `text` says in seconds, such as 600 or 0.5.
pub fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "expected seconds".to_owned())?;
    Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())
}
