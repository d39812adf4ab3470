//! Metrics in JSON, which has no NaN and no infinity: they are texts there.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

type Metrics = BTreeMap<String, f64>;

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Value {
    Number(f64),
    Text(String),
}

impl From<f64> for Value {
    fn from(value: f64) -> Self {
        if value.is_finite() {
            Self::Number(value)
        } else {
            Self::Text(value.to_string())
        }
    }
}

impl Value {
    fn number<E: de::Error>(self) -> Result<f64, E> {
        match self {
            Self::Number(number) => Ok(number),
            Self::Text(text) => text.parse().map_err(|_| {
                let expected = &"a number, or NaN or inf as a text";
                E::invalid_value(de::Unexpected::Str(&text), expected)
            }),
        }
    }
}

/// A single number.
pub(crate) mod single {
    use super::*;

    pub(crate) fn serialize<S: Serializer>(value: &f64, to: S) -> Result<S::Ok, S::Error> {
        Value::from(*value).serialize(to)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
        Value::deserialize(from)?.number()
    }
}

pub(crate) fn serialize<S: Serializer>(metrics: &Metrics, to: S) -> Result<S::Ok, S::Error> {
    to.collect_map(
        metrics
            .iter()
            .map(|(name, &value)| (name, Value::from(value))),
    )
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Metrics, D::Error> {
    BTreeMap::<String, Value>::deserialize(from)?
        .into_iter()
        .map(|(name, value)| Ok((name, value.number()?)))
        .collect()
}
