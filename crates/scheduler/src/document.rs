//! Schedules from JSON and TOML and back.
//!
//! Reading is written out by hand, where a derived implementation would say which of dozens of
//! names it expected, but not that `StepLR` is spelt `StepLr`. What is written is read back before
//! it is handed out: JSON has no NaN, both parsers have a limit to nesting, and a document that
//! cannot be read is worse than none.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, Visitor};

use crate::custom;
use crate::{ScheduleConfig, ScheduleError};

impl ScheduleConfig {
    /// Reads a schedule from a JSON document.
    ///
    /// # Errors
    /// [`ScheduleError::Document`] naming the place inside the document. Ranges are checked later,
    /// by [`curve`](Self::curve).
    pub fn from_json(document: &str) -> Result<Self, ScheduleError> {
        let mut parser = serde_json::Deserializer::from_str(document);
        let schedule = serde_path_to_error::deserialize(&mut parser)
            .map_err(|error| at(error.path(), error.inner()))?;
        parser.end().map_err(whole)?;
        Ok(schedule)
    }

    /// Writes the schedule as an indented JSON document.
    ///
    /// # Errors
    /// [`ScheduleError::Document`] if the document could not be read again: if a number is not
    /// finite, or the nesting too deep (128 brackets, that is about 40 schedules).
    pub fn to_json(&self) -> Result<String, ScheduleError> {
        let document = serde_json::to_string_pretty(self).map_err(whole)?;
        self.read_back(Self::from_json(&document))?;
        Ok(document)
    }

    /// Reads a schedule from a TOML document.
    ///
    /// # Errors
    /// [`ScheduleError::Document`] naming the place inside the document. Ranges are checked later,
    /// by [`curve`](Self::curve).
    #[cfg(feature = "toml")]
    pub fn from_toml(document: &str) -> Result<Self, ScheduleError> {
        let located = |error: &toml::de::Error| {
            let message = error.message();
            match error.span() {
                Some(span) => format!("{message} at {}", position(document, span.start)),
                None => message.to_owned(),
            }
        };
        let parser = toml::Deserializer::parse(document).map_err(|error| whole(located(&error)))?;
        serde_path_to_error::deserialize(parser)
            .map_err(|error| at(error.path(), located(error.inner())))
    }

    /// Writes the schedule as a TOML document.
    ///
    /// # Errors
    /// [`ScheduleError::Document`] if the document could not be read again: if a number is
    /// NaN, or the nesting too deep (80 keys, that is about 40 schedules).
    #[cfg(feature = "toml")]
    pub fn to_toml(&self) -> Result<String, ScheduleError> {
        let document = toml::to_string(self).map_err(whole)?;
        self.read_back(Self::from_toml(&document))?;
        Ok(document)
    }

    fn read_back(&self, read: Result<Self, ScheduleError>) -> Result<(), ScheduleError> {
        match read {
            Ok(read) if read == *self => Ok(()),
            Ok(_) => Err(whole("a number is not finite, and would be lost")),
            Err(error) => Err(whole(format!("would be written unreadably: {error}"))),
        }
    }
}

fn at(path: &serde_path_to_error::Path, reason: impl fmt::Display) -> ScheduleError {
    let path = path.to_string();
    ScheduleError::Document {
        path: if path == "." { String::new() } else { path },
        reason: reason.to_string(),
    }
}

fn whole(reason: impl fmt::Display) -> ScheduleError {
    ScheduleError::Document {
        path: String::new(),
        reason: reason.to_string(),
    }
}

#[cfg(feature = "toml")]
fn position(document: &str, offset: usize) -> String {
    let before = document.get(..offset).unwrap_or(document);
    let line = before.matches('\n').count() + 1;
    let column = before.chars().rev().take_while(|&c| c != '\n').count() + 1;
    format!("line {line} column {column}")
}

impl<'de> Deserialize<'de> for ScheduleConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entry;

        impl<'de> Visitor<'de> for Entry {
            type Value = ScheduleConfig;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("one entry, a schedule's name with its hyperparameters")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<ScheduleConfig, A::Error> {
                let Some(name) = map.next_key::<String>()? else {
                    return Err(A::Error::invalid_length(0, &self));
                };
                let Some(schedule) = ScheduleConfig::read(&name, &mut map)? else {
                    return Err(A::Error::custom(unknown(&name)));
                };
                match map.next_key::<String>()? {
                    None => Ok(schedule),
                    Some(second) => Err(A::Error::custom(format_args!(
                        "expected one schedule, got `{second}` beside `{name}`"
                    ))),
                }
            }
        }

        deserializer.deserialize_map(Entry)
    }
}

fn unknown(name: &str) -> String {
    let mut known = ScheduleConfig::NAMES.to_vec();
    known.extend(custom::names());
    let plain = |name: &str| name.replace(['_', '-', ' '], "").to_lowercase();
    // No name is that long, and a document may hold anything.
    let asked = if name.len() > 64 { "" } else { name };
    let nearest = known
        .iter()
        .map(|known| (strsim::levenshtein(&plain(known), &plain(asked)), known))
        .min()
        .filter(|(distance, _)| *distance <= asked.len() / 4);
    let suggestion = match nearest {
        Some((_, known)) => format!("did you mean `{known}`? "),
        None => String::new(),
    };
    let known = known.join(", ");
    format!(
        "unknown schedule `{name}`; {suggestion}known are {known}; \
         a schedule of your own has to be registered first"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_name_is_corrected() {
        for (name, meant) in [
            ("StepLR", "StepLr"),
            ("step_lr", "StepLr"),
            ("ReduceLROnPlateu", "ReduceLrOnPlateau"),
            ("WarmupStableDeacy", "WarmupStableDecay"),
        ] {
            let error = unknown(name);
            assert!(error.contains(&format!("mean `{meant}`?")), "{error}");
        }
        for name in ["", "Adam", "é", &"x".repeat(1000)] {
            assert!(!unknown(name).contains("mean"), "{name}");
        }
    }
}
