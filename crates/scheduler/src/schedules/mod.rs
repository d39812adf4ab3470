//! The catalogue: one schedule, one file, one line in the registry below.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Build, Curve, Run, Schedule, ScheduleError};

/// Declares each schedule's module and its variant of [`ScheduleConfig`].
///
/// `rustfmt` does not see modules declared by a macro; it is called on their files by name.
macro_rules! registry {
    ($($module:ident::$schedule:ident,)*) => {
        $(mod $module; pub use $module::$schedule;)*

        /// Any schedule of the catalogue: the form that nests and that documents hold.
        ///
        /// A document is an object with one entry, the schedule's name, holding its
        /// hyperparameters; schedules nest in the same form.
        ///
        /// ```
        /// use burn_lr_scheduler::{ScheduleConfig, StepLr};
        ///
        /// let document = r#"{"StepLr": {"initial_lr": 0.01, "step_size": 3, "gamma": 0.5}}"#;
        /// let schedule = ScheduleConfig::from_json(document)?;
        /// assert_eq!(schedule, StepLr::new(0.01, 3).with_gamma(0.5).into());
        /// # Ok::<(), burn_lr_scheduler::ScheduleError>(())
        /// ```
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[non_exhaustive]
        pub enum ScheduleConfig {
            $(
                #[doc = concat!("[`", stringify!($schedule), "`]")]
                $schedule($schedule),
            )*
        }

        $(
            impl From<$schedule> for ScheduleConfig {
                fn from(schedule: $schedule) -> Self {
                    Self::$schedule(schedule)
                }
            }
        )*

        impl ScheduleConfig {
            /// The names of all schedules, as documents use them.
            pub const NAMES: &[&str] = &[$(stringify!($schedule)),*];

            /// The schedule's name, as documents use it.
            pub fn name(&self) -> &'static str {
                match self {
                    $(Self::$schedule(_) => stringify!($schedule),)*
                }
            }

            /// Every schedule's own [examples](Schedule::examples), with their titles.
            pub fn examples() -> Vec<(&'static str, Self)> {
                let mut all = Vec::new();
                $(
                    all.extend(
                        <$schedule as Schedule>::examples()
                            .into_iter()
                            .map(|(title, schedule)| (title, Self::from(schedule))),
                    );
                )*
                all
            }

            pub(crate) fn build(&self, build: &Build<'_>) -> Result<Curve, ScheduleError> {
                let build = build.named(self.name());
                match self {
                    $(Self::$schedule(schedule) => schedule.build(&build),)*
                }
            }
        }
    };
}

registry! {
    constant::Constant,
    step_lr::StepLr,
    sequence::Sequence,
    reduce_lr_on_plateau::ReduceLrOnPlateau,
    product::Product,
    warmup::Warmup,
    scaled::Scaled,
    clamped::Clamped,
    inverse_sqrt::InverseSqrt,
    noam::Noam,
    warmup_stable_decay::WarmupStableDecay,
    inverse_time_decay::InverseTimeDecay,
    exponential_decay::ExponentialDecay,
    piecewise_constant::PiecewiseConstant,
    piecewise_interpolate::PiecewiseInterpolate,
    tanh_decay::TanhDecay,
    flat_cosine::FlatCosine,
    cosine_decay_cycles::CosineDecayCycles,
    polynomial_decay_cycles::PolynomialDecayCycles,
}

pub use warmup::WarmupKind;
pub use warmup_stable_decay::WsdDecay;

impl ScheduleConfig {
    /// Validates the schedule for `run` and returns its curve.
    ///
    /// # Errors
    /// [`ScheduleError`] naming the first hyperparameter that is outside its range, or a length
    /// that cannot be resolved for this run.
    pub fn curve(&self, run: &Run) -> Result<Curve, ScheduleError> {
        self.build(&Build::root(run))
    }

    /// Reads a schedule from a JSON document.
    ///
    /// # Errors
    /// [`ScheduleError::Document`] naming the place inside the document.
    pub fn from_json(document: &str) -> Result<Self, ScheduleError> {
        let mut parser = serde_json::Deserializer::from_str(document);
        let schedule = serde_path_to_error::deserialize(&mut parser).map_err(document_error)?;
        parser.end().map_err(|error| ScheduleError::Document {
            path: String::new(),
            reason: error.to_string(),
        })?;
        Ok(schedule)
    }
}

fn document_error<E: fmt::Display>(error: serde_path_to_error::Error<E>) -> ScheduleError {
    let path = error.path().to_string();
    ScheduleError::Document {
        path: if path == "." { String::new() } else { path },
        reason: error.inner().to_string(),
    }
}
