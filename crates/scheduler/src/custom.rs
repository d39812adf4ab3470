//! Schedules that are defined outside this crate.
//!
//! A document names its schedule, so reading one needs a table from names to types. The table is filled
//! by the program as it runs: when a schedule is turned into a [`ScheduleConfig`](crate::ScheduleConfig),
//! or by [`register`](crate::ScheduleConfig::register). Collecting the types at link time, as `typetag`
//! does, would save that call in programs that begin with a document, but it loses what the linker
//! drops, has no way to refuse a name that is taken, and makes users depend on a macro of another crate.

use std::any::{Any, TypeId};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, Error};
use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::{Build, Curve, Schedule, ScheduleError};

/// A schedule of your own that goes wherever one of the catalogue goes: into a
/// [`Scheduler`](crate::Scheduler), into [`ScheduleConfig`](crate::ScheduleConfig) and the combinators,
/// into documents and records.
///
/// ```
/// use burn_lr_scheduler::{
///     Build, Clocked, Curve, CustomSchedule, Run, Schedule, ScheduleConfig, ScheduleError, Scheduler, Warmup,
/// };
/// use serde::{Deserialize, Serialize};
///
/// /// `lr(t) = initial_lr / (1 + ln(1 + t))`
/// #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
/// #[serde(deny_unknown_fields)]
/// struct LogDecay {
///     initial_lr: f64,
/// }
///
/// impl Schedule for LogDecay {
///     fn build(&self, build: &Build<'_>) -> Result<Curve, ScheduleError> {
///         let initial_lr = build.non_negative("initial_lr", self.initial_lr)?;
///         Ok(Curve::new(move |step| initial_lr / (1.0 + (step as f64).ln_1p())))
///     }
/// }
///
/// impl CustomSchedule for LogDecay {
///     const NAME: &'static str = "LogDecay";
/// }
///
/// let schedule = Warmup::new(LogDecay { initial_lr: 0.1 }, 10);
/// let scheduler = Scheduler::new(schedule.clone(), Run::per_update())?;
///
/// // Only a program that reads such a document before it made such a schedule needs this.
/// ScheduleConfig::register::<LogDecay>()?;
/// let document = r#"{"Warmup": {"base": {"LogDecay": {"initial_lr": 0.1}}, "length": 10}}"#;
/// assert_eq!(ScheduleConfig::from_json(document)?, schedule.into());
///
/// let clocked = Clocked::per_epoch(LogDecay { initial_lr: 0.1 });
/// # Ok::<(), ScheduleError>(())
/// ```
///
/// What the schedule serializes is what documents hold, and what a record is compared with: a
/// hyperparameter that is not serialized may change without being noticed. Floating-point
/// hyperparameters should be finite, for JSON has no other. A schedule without hyperparameters is
/// `struct Never {}`, not `struct Never;`: TOML cannot write the latter. A field that is added later with
/// a default keeps old documents and records valid.
pub trait CustomSchedule: Schedule + Serialize + DeserializeOwned + Send + Sync + 'static {
    /// The name in documents and records: letters, digits and underscores, a letter first. It must not be
    /// the name of another schedule, and should stay what it is.
    const NAME: &'static str;
}

/// Any [`CustomSchedule`]. Clones share it.
#[derive(Clone)]
pub struct CustomConfig(Arc<dyn Object>);

impl CustomConfig {
    pub(crate) fn new(schedule: impl CustomSchedule) -> Self {
        Self(Arc::new(schedule))
    }

    /// The schedule's name, as documents use it.
    pub fn name(&self) -> &'static str {
        self.0.name()
    }

    /// The schedule itself, if it is an `S`.
    pub fn downcast_ref<S: CustomSchedule>(&self) -> Option<&S> {
        let any: &dyn Any = &*self.0;
        any.downcast_ref()
    }

    /// Checks that the name belongs to this schedule, then builds it.
    pub(crate) fn build(&self, build: &Build<'_>) -> Result<Curve, ScheduleError> {
        self.0.register()?;
        self.0.build(build)
    }
}

impl PartialEq for CustomConfig {
    fn eq(&self, other: &Self) -> bool {
        self.0.equals(&*other.0)
    }
}

impl fmt::Debug for CustomConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for CustomConfig {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry(self.name(), &*self.0)?;
        map.end()
    }
}

/// What is needed of a [`CustomSchedule`] whose type is forgotten.
trait Object: Any + fmt::Debug + erased_serde::Serialize + Send + Sync {
    fn name(&self) -> &'static str;
    fn equals(&self, other: &dyn Object) -> bool;
    fn build(&self, build: &Build<'_>) -> Result<Curve, ScheduleError>;
    fn register(&self) -> Result<(), ScheduleError>;
}

erased_serde::serialize_trait_object!(Object);

impl<S: CustomSchedule> Object for S {
    fn name(&self) -> &'static str {
        S::NAME
    }

    fn equals(&self, other: &dyn Object) -> bool {
        let other: &dyn Any = other;
        other.downcast_ref() == Some(self)
    }

    fn build(&self, build: &Build<'_>) -> Result<Curve, ScheduleError> {
        Schedule::build(self, build)
    }

    fn register(&self) -> Result<(), ScheduleError> {
        register::<S>()
    }
}

type Read = fn(&mut dyn erased_serde::Deserializer<'_>) -> erased_serde::Result<CustomConfig>;

struct Entry {
    id: TypeId,
    type_name: &'static str,
    read: Read,
}

static REGISTRY: RwLock<BTreeMap<&'static str, Entry>> = RwLock::new(BTreeMap::new());

/// Enters `S` under its name. The names of the catalogue are for the caller to check.
pub(crate) fn register<S: CustomSchedule>() -> Result<(), ScheduleError> {
    let letter_first = S::NAME.starts_with(|c: char| c.is_ascii_alphabetic());
    if !letter_first
        || !S::NAME
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '_')
    {
        return Err(ScheduleError::Invalid {
            path: format!("the name of {}", std::any::type_name::<S>()),
            expected: "letters, digits and underscores, a letter first".to_owned(),
            found: format!("{:?}", S::NAME),
        });
    }
    let mut registry = REGISTRY.write().unwrap_or_else(PoisonError::into_inner);
    let entry = registry.entry(S::NAME).or_insert_with(|| Entry {
        id: TypeId::of::<S>(),
        type_name: std::any::type_name::<S>(),
        read: |deserializer| erased_serde::deserialize::<S>(deserializer).map(CustomConfig::new),
    });
    if entry.id == TypeId::of::<S>() {
        Ok(())
    } else {
        Err(ScheduleError::NameTaken {
            name: S::NAME,
            by: entry.type_name,
        })
    }
}

/// The names of all schedules that were registered.
pub(crate) fn names() -> Vec<&'static str> {
    let registry = REGISTRY.read().unwrap_or_else(PoisonError::into_inner);
    registry.keys().copied().collect()
}

/// Reads the schedule registered as `name`, if there is one.
pub(crate) fn reader(name: &str) -> Option<Reader> {
    let registry = REGISTRY.read().unwrap_or_else(PoisonError::into_inner);
    registry.get(name).map(|entry| Reader(entry.read))
}

pub(crate) struct Reader(Read);

impl<'de> DeserializeSeed<'de> for Reader {
    type Value = CustomConfig;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<CustomConfig, D::Error> {
        (self.0)(&mut <dyn erased_serde::Deserializer<'_>>::erase(
            deserializer,
        ))
        .map_err(D::Error::custom)
    }
}
