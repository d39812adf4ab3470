//! The closures of [`LambdaLr`](crate::LambdaLr) and [`MultiplicativeLr`](crate::MultiplicativeLr).

use std::fmt;
use std::sync::Arc;

use serde::de::{Deserializer, Error};
use serde::{Deserialize, Serialize, Serializer};

/// A function from step to factor that can be part of a schedule.
///
/// Clones share the function, and two of them are equal if they share it. In a document it appears
/// as the text `"closure"`; it cannot be read back.
#[derive(Clone)]
pub struct Closure(Arc<dyn Fn(u64) -> f64 + Send + Sync>);

impl Closure {
    /// The factor at `step`.
    pub fn call(&self, step: u64) -> f64 {
        (self.0)(step)
    }
}

impl<F: Fn(u64) -> f64 + Send + Sync + 'static> From<F> for Closure {
    fn from(function: F) -> Self {
        Self(Arc::new(function))
    }
}

impl PartialEq for Closure {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl fmt::Debug for Closure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("closure")
    }
}

impl Serialize for Closure {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str("closure")
    }
}

/// Always an error, so that a schedule with a closure can have a derived implementation.
impl<'de> Deserialize<'de> for Closure {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        refuse(deserializer)
    }
}

/// The whole schedule is refused, whatever its fields: a complaint about a missing one would send
/// the reader the wrong way.
pub(crate) fn refuse<'de, T, D: Deserializer<'de>>(_: D) -> Result<T, D::Error> {
    Err(D::Error::custom(
        "a closure cannot be read from a document; build this schedule in code",
    ))
}
