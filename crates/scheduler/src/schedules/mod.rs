//! The catalogue: one schedule, one file, one line below.
//!
//! [`ScheduleConfig`] holds each schedule, and a combinator holds `ScheduleConfig`s: a tree of
//! schedules is a recursive type, and this module and those of the combinators are its two halves.
//! All others know nothing of it outside their tests.

use serde::Serialize;
use serde::de::MapAccess;

use crate::build::RunUse;
use crate::custom::{self, CustomConfig, CustomSchedule};
use crate::{Build, Curve, Run, Schedule, ScheduleError};

/// Calls a macro with the module and the name of each schedule.
macro_rules! catalogue {
    ($callback:ident) => {
        $callback! {
            constant::Constant,
            lambda_lr::LambdaLr,
            multiplicative_lr::MultiplicativeLr,
            step_lr::StepLr,
            multi_step_lr::MultiStepLr,
            constant_lr::ConstantLr,
            linear_lr::LinearLr,
            exponential_lr::ExponentialLr,
            polynomial_lr::PolynomialLr,
            cosine_annealing_lr::CosineAnnealingLr,
            cosine_annealing_warm_restarts::CosineAnnealingWarmRestarts,
            cyclic_lr::CyclicLr,
            one_cycle_lr::OneCycleLr,
            swa_lr::SwaLr,
            sequence::Sequence,
            reduce_lr_on_plateau::ReduceLrOnPlateau,
            greedy_lr::GreedyLr,
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
            polynomial_decay::PolynomialDecay,
            shifted::Shifted,
            rex::Rex,
            hyperbolic_lr::HyperbolicLr,
            infinite_lr::InfiniteLr,
            power_lr::PowerLr,
            wsd_s::WsdS,
            horizon::Horizon,
            stretched::Stretched,
            cooldown::Cooldown,
        }
    };
}
pub(crate) use catalogue;

/// Declares each schedule's module and its variant of [`ScheduleConfig`].
///
/// `rustfmt` does not see modules declared by a macro; it is called on their files by name.
macro_rules! registry {
    ($($module:ident::$schedule:ident,)*) => {
        $(mod $module; pub use $module::$schedule;)*

        /// Any schedule of the catalogue: the form that nests and that documents hold.
        ///
        /// A document is an object with one entry, the schedule's name, holding its
        /// hyperparameters; schedules nest in the same form. What has a default may be left out,
        /// unknown fields are errors. [Lengths](crate::Length) are a number of steps, `"N epochs"`
        /// or `"N %"` of the run; enumerations are written in snake case. The same in JSON and in
        /// TOML:
        ///
        /// ```
        /// use burn_lr_scheduler::{Length, ReduceLrOnPlateau, ScheduleConfig, StepLr, Warmup};
        ///
        /// let json = r#"
        ///     {"ReduceLrOnPlateau": {
        ///         "base": {"Warmup": {
        ///             "base": {"StepLr": {"initial_lr": 0.01, "step_size": "3 epochs"}},
        ///             "length": "10 %",
        ///             "kind": "exponential",
        ///             "start_factor": 0.1
        ///         }},
        ///         "factor": 0.5,
        ///         "patience": 2
        ///     }}"#;
        /// let toml = r#"
        ///     [ReduceLrOnPlateau]
        ///     factor = 0.5
        ///     patience = 2
        ///
        ///     [ReduceLrOnPlateau.base.Warmup]
        ///     length = "10 %"
        ///     kind = "exponential"
        ///     start_factor = 0.1
        ///
        ///     [ReduceLrOnPlateau.base.Warmup.base.StepLr]
        ///     initial_lr = 0.01
        ///     step_size = "3 epochs"
        /// "#;
        /// let warmup = Warmup::new(StepLr::new(0.01, Length::Epochs(3.0)), Length::Percent(10.0))
        ///     .with_kind(burn_lr_scheduler::WarmupKind::Exponential)
        ///     .with_start_factor(0.1);
        /// let plateau = ReduceLrOnPlateau::over(warmup).with_factor(0.5).with_patience(2);
        /// assert_eq!(ScheduleConfig::from_json(json)?, plateau.clone().into());
        /// # #[cfg(feature = "toml")]
        /// assert_eq!(ScheduleConfig::from_toml(toml)?, plateau.into());
        /// # Ok::<(), burn_lr_scheduler::ScheduleError>(())
        /// ```
        ///
        /// Errors name the place, as in `ReduceLrOnPlateau.base.Warmup.base.StepLr.gamma`.
        #[derive(Debug, Clone, PartialEq, Serialize)]
        #[non_exhaustive]
        pub enum ScheduleConfig {
            $(
                #[doc = concat!("[`", stringify!($schedule), "`]")]
                $schedule($schedule),
            )*
            /// A [schedule of your own](CustomSchedule)
            #[serde(untagged)]
            Custom(CustomConfig),
        }

        $(
            impl From<$schedule> for ScheduleConfig {
                fn from(schedule: $schedule) -> Self {
                    Self::$schedule(schedule)
                }
            }
        )*

        impl ScheduleConfig {
            /// The names of all schedules of the catalogue, as documents use them.
            pub const NAMES: &[&str] = &[$(stringify!($schedule)),*];

            /// The schedule's name, as documents use it.
            pub fn name(&self) -> &'static str {
                match self {
                    $(Self::$schedule(_) => stringify!($schedule),)*
                    Self::Custom(schedule) => schedule.name(),
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

            /// Reads the hyperparameters of the schedule `name`, if there is one.
            pub(crate) fn read<'de, A: MapAccess<'de>>(
                name: &str,
                map: &mut A,
            ) -> Result<Option<Self>, A::Error> {
                Ok(match name {
                    $(stringify!($schedule) => Some(Self::$schedule(map.next_value()?)),)*
                    _ => match custom::reader(name) {
                        Some(reader) => Some(Self::Custom(map.next_value_seed(reader)?)),
                        None => None,
                    },
                })
            }

            pub(crate) fn build(&self, build: &Build<'_>) -> Result<Curve, ScheduleError> {
                let build = build.named(self.name());
                match self {
                    $(Self::$schedule(schedule) => schedule.build(&build),)*
                    Self::Custom(schedule) => {
                        Self::check_name(schedule.name())?;
                        schedule.build(&build)
                    }
                }
            }
        }
    };
}

catalogue!(registry);

pub use cyclic_lr::CyclicMode;

/// A constant learning rate.
impl From<f64> for ScheduleConfig {
    fn from(lr: f64) -> Self {
        Constant::new(lr).into()
    }
}

/// Also [registers](ScheduleConfig::register) the schedule. If its name is taken, that is an error of
/// building it.
impl<S: CustomSchedule> From<S> for ScheduleConfig {
    fn from(schedule: S) -> Self {
        _ = Self::register::<S>();
        Self::Custom(CustomConfig::new(schedule))
    }
}

impl ScheduleConfig {
    /// Lets documents hold schedules of type `S`, under its [name](CustomSchedule::NAME).
    ///
    /// Turning such a schedule into a `ScheduleConfig` does that too, so only a program that reads a
    /// document first has to call it. Calling it again changes nothing.
    ///
    /// # Errors
    /// [`ScheduleError::NameTaken`] if the name is another schedule's, [`ScheduleError::Invalid`] if it is
    /// not made of letters, digits and underscores, a letter first.
    pub fn register<S: CustomSchedule>() -> Result<(), ScheduleError> {
        Self::check_name(S::NAME)?;
        custom::register::<S>()
    }

    /// Refuses the names of the catalogue.
    fn check_name(custom: &'static str) -> Result<(), ScheduleError> {
        if Self::NAMES.contains(&custom) {
            let (name, by) = (custom, "burn-lr-scheduler");
            return Err(ScheduleError::NameTaken { name, by });
        }
        Ok(())
    }
}

impl Build<'_> {
    /// Builds the schedule nested under the field `name`.
    ///
    /// # Errors
    /// What is wrong with that schedule, or that schedules nest deeper than
    /// [`MAX_DEPTH`](crate::MAX_DEPTH).
    pub fn child(&self, name: &str, schedule: &ScheduleConfig) -> Result<Curve, ScheduleError> {
        schedule.build(&self.nested(name)?)
    }
}

impl ScheduleConfig {
    /// Validates the schedule for `run` and returns its curve.
    ///
    /// # Errors
    /// [`ScheduleError`] naming the first hyperparameter that is outside its range, or a length
    /// that cannot be resolved for this run.
    pub fn curve(&self, run: &Run) -> Result<Curve, ScheduleError> {
        self.build(&Build::root(run, &RunUse::default()))
    }
}
