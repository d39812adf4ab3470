//! Lengths that may depend on how long the run is.

use std::fmt;
use std::str::FromStr;

use serde::de::{self, Deserialize, Deserializer, Visitor};
use serde::{Serialize, Serializer};

/// How long a part of a schedule lasts: in schedule steps, in epochs, or as a share of the run.
///
/// Epochs and percentages are turned into steps when the schedule is built, from the
/// [`Run`](crate::Run) it is built for, and rounded to the nearest step. That is the whole run
/// wherever the schedule stands: `"10 %"` in a [`Warmup`](crate::Warmup) or in the last part of a
/// [`Sequence`](crate::Sequence) is a tenth of the run, not of the time that its part has.
///
/// A recipe of another library may have a length that ends between two steps, as EfficientNet's
/// decay every 2.4 epochs. Schedules to which that means something take it as it is; the others
/// refuse it, as they have to begin something at a step.
///
/// In documents a length is a number of steps, `"5 epochs"`, or `"10 %"`. In code a plain number is a
/// number of steps. Composer's spelling is read as well: `"300ba"`, `"5ep"` and `"0.1dur"`.
///
/// ```
/// use burn_lr_scheduler::Length;
///
/// assert_eq!(Length::from(300), Length::Steps(300));
/// assert_eq!(Length::from(2.4), Length::Fractional(2.4));
/// assert_eq!("2.5 epochs".parse(), Ok(Length::Epochs(2.5)));
/// assert_eq!(Length::Percent(10.0).to_string(), "10 %");
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Length {
    /// Schedule steps: optimizer updates or epochs, as the [`Run`](crate::Run) counts them.
    Steps(u64),
    /// Schedule steps and a part of one.
    Fractional(f64),
    /// Epochs. In a schedule that advances per epoch a fraction is what
    /// [`Fractional`](Self::Fractional) is.
    Epochs(f64),
    /// Percent of the whole run, 0 to 100.
    Percent(f64),
}

macro_rules! from_unsigned {
    ($($t:ty),*) => {$(
        impl From<$t> for Length {
            fn from(steps: $t) -> Self {
                Self::Steps(u64::from(steps))
            }
        }
    )*};
}
from_unsigned!(u8, u16, u32, u64);

impl From<usize> for Length {
    fn from(steps: usize) -> Self {
        Self::Steps(steps as u64)
    }
}

/// Integer literals are `i32` by default. A negative number becomes a negative number of epochs,
/// which every schedule refuses when it is built.
impl From<i32> for Length {
    fn from(steps: i32) -> Self {
        u64::try_from(steps).map_or(Self::Epochs(steps.into()), Self::Steps)
    }
}

impl From<f64> for Length {
    fn from(steps: f64) -> Self {
        Self::Fractional(steps)
    }
}

impl fmt::Display for Length {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Steps(steps) => write!(f, "{steps}"),
            // 2 steps and 2.0 steps are told apart when they are read.
            Self::Fractional(steps) => write!(f, "{steps:?}"),
            Self::Epochs(epochs) => write!(f, "{epochs} epochs"),
            Self::Percent(percent) => write!(f, "{percent} %"),
        }
    }
}

/// The form of a length in text was not understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected a number of steps, \"N epochs\" or \"N %\", got {found:?}")]
pub struct ParseLengthError {
    found: String,
}

impl FromStr for Length {
    type Err = ParseLengthError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let trimmed = text.trim();
        let number = |s: &str| s.trim().parse::<f64>().ok();
        let parsed = if let Some(percent) = trimmed.strip_suffix('%') {
            number(percent).map(Self::Percent)
        } else if let Some(share) = trimmed.strip_suffix("dur") {
            number(share).map(|share| Self::Percent(share * 100.0))
        } else if let Some(epochs) = trimmed
            .strip_suffix("epochs")
            .or_else(|| trimmed.strip_suffix("epoch"))
            .or_else(|| trimmed.strip_suffix("ep"))
        {
            number(epochs).map(Self::Epochs)
        } else {
            let steps = trimmed
                .strip_suffix("steps")
                .or_else(|| trimmed.strip_suffix("step"))
                .or_else(|| trimmed.strip_suffix("ba"))
                .unwrap_or(trimmed);
            let steps = steps.trim();
            let fractional = || number(steps).filter(|steps| steps.is_finite());
            let whole = steps.parse().ok().map(Self::Steps);
            whole.or_else(|| fractional().map(Self::Fractional))
        };
        parsed.ok_or_else(|| ParseLengthError {
            found: text.to_owned(),
        })
    }
}

impl Serialize for Length {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Steps(steps) => serializer.serialize_u64(*steps),
            Self::Fractional(steps) => serializer.serialize_f64(*steps),
            _ => serializer.collect_str(self),
        }
    }
}

impl<'de> Deserialize<'de> for Length {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct LengthVisitor;

        impl Visitor<'_> for LengthVisitor {
            type Value = Length;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number of steps, \"N epochs\" or \"N %\"")
            }

            fn visit_u64<E: de::Error>(self, steps: u64) -> Result<Length, E> {
                Ok(Length::Steps(steps))
            }

            // TOML has no unsigned integers.
            fn visit_i64<E: de::Error>(self, steps: i64) -> Result<Length, E> {
                u64::try_from(steps)
                    .map(Length::Steps)
                    .map_err(|_| E::invalid_value(de::Unexpected::Signed(steps), &self))
            }

            fn visit_f64<E: de::Error>(self, steps: f64) -> Result<Length, E> {
                Ok(Length::Fractional(steps))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Length, E> {
                text.parse()
                    .map_err(|_| E::invalid_value(de::Unexpected::Str(text), &self))
            }
        }

        deserializer.deserialize_any(LengthVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_json_round_trip() {
        for length in [
            Length::Steps(0),
            Length::Steps(u64::MAX),
            Length::Fractional(2.4),
            Length::Fractional(2.0),
            Length::Epochs(2.5),
            Length::Percent(12.25),
        ] {
            assert_eq!(length.to_string().parse(), Ok(length));
            let json = serde_json::to_string(&length).unwrap();
            assert_eq!(serde_json::from_str::<Length>(&json).unwrap(), length);
        }
    }

    #[test]
    fn composers_times_are_read() {
        assert_eq!("300ba".parse(), Ok(Length::Steps(300)));
        assert_eq!("5ep".parse(), Ok(Length::Epochs(5.0)));
        assert_eq!("0.25dur".parse(), Ok(Length::Percent(25.0)));
        assert!("5sp".parse::<Length>().is_err());
    }

    #[test]
    fn nonsense_is_refused() {
        for json in ["-1", "\"nan\"", "\"ten\"", "\"5 parsecs\"", "null", "\"%\""] {
            assert!(serde_json::from_str::<Length>(json).is_err(), "{json}");
        }
    }
}
