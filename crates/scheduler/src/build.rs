//! Validation and the resolution of lengths, on the way from a schedule to a
//! [`Curve`](crate::Curve).

use std::cell::Cell;
use std::fmt::Display;

use crate::laps::Laps;
use crate::{Length, Run, ScheduleError};

/// How deep schedules may nest; deeper ones are refused rather than overflow the stack.
pub const MAX_DEPTH: usize = 64;

/// What building has asked of the run beside its clock: in all else another run may differ.
#[derive(Debug, Default)]
pub(crate) struct RunUse {
    pub updates_per_epoch: Cell<bool>,
    pub epochs: Cell<bool>,
}

/// What a [`Schedule`](crate::Schedule) is built with: the run, and the place in the tree that
/// errors name.
///
/// Every check returns the value it checked, and is written in the positive form, so that NaN
/// fails it.
#[derive(Debug, Clone)]
pub struct Build<'a> {
    run: Run,
    /// Whether the number of epochs is a horizon in place of the run's own.
    horizon: bool,
    /// What lengths in steps and in epochs are multiplied by.
    ratio: f64,
    uses: &'a RunUse,
    path: String,
    depth: usize,
}

impl<'a> Build<'a> {
    /// The context of a schedule that stands alone.
    pub(crate) fn root(run: &Run, uses: &'a RunUse) -> Self {
        Self {
            run: *run,
            horizon: false,
            ratio: 1.0,
            uses,
            path: String::new(),
            depth: 0,
        }
    }

    /// The run the schedule is built for. A schedule that asks for it is taken to depend on all of it:
    /// its records are refused by a scheduler of a longer run, which those of a schedule with
    /// [lengths](Length) are only where one is in percent.
    pub fn run(&self) -> &Run {
        self.uses_total();
        &self.run
    }

    fn uses_total(&self) {
        self.uses.updates_per_epoch.set(true);
        if !self.horizon {
            self.uses.epochs.set(true);
        }
    }

    /// The path of the schedule being built, as in `Sequence.schedules[1].StepLr`.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The error that says which parameter is wrong.
    pub fn invalid(
        &self,
        name: &str,
        expected: impl Into<String>,
        found: impl Display,
    ) -> ScheduleError {
        ScheduleError::Invalid {
            path: self.join(name),
            expected: expected.into(),
            found: found.to_string(),
        }
    }

    /// A value that must be finite and satisfy `accept`; `expected` describes that.
    pub fn check(
        &self,
        name: &str,
        value: f64,
        expected: &str,
        accept: impl FnOnce(f64) -> bool,
    ) -> Result<f64, ScheduleError> {
        if value.is_finite() && accept(value) {
            Ok(value)
        } else {
            Err(self.invalid(name, expected, value))
        }
    }

    /// A finite value above zero.
    pub fn positive(&self, name: &str, value: f64) -> Result<f64, ScheduleError> {
        self.check(name, value, "a finite number above 0", |v| v > 0.0)
    }

    /// A finite value of zero or more.
    pub fn non_negative(&self, name: &str, value: f64) -> Result<f64, ScheduleError> {
        self.check(name, value, "a finite number of 0 or more", |v| v >= 0.0)
    }

    /// A finite value of zero or more, and at most `limit`, the parameter named `than`.
    pub fn at_most(
        &self,
        name: &str,
        value: f64,
        than: &str,
        limit: f64,
    ) -> Result<f64, ScheduleError> {
        let expected = format!("a number from 0 to {than}, {limit}");
        self.check(name, value, &expected, |v| (0.0..=limit).contains(&v))
    }

    /// The ends between which a momentum is cycled: both in [0, 1), also in the single precision that optimizers
    /// have it in.
    pub(crate) fn momentums(&self, base: f64, max: f64) -> Result<(f64, f64), ScheduleError> {
        let below_1 = "a number of 0 or more and below 1";
        let max = self.check("max_momentum", max, below_1, |max| {
            max >= 0.0 && (max as f32) < 1.0
        })?;
        let base = self.at_most("base_momentum", base, "max_momentum", max)?;
        Ok((base, max))
    }

    /// A length of at least one step.
    pub fn steps(&self, name: &str, length: Length) -> Result<u64, ScheduleError> {
        match self.steps_or_zero(name, length)? {
            0 => Err(self.invalid(name, "a length of at least 1 step", length)),
            steps => Ok(steps),
        }
    }

    /// A length that may be empty.
    pub fn steps_or_zero(&self, name: &str, length: Length) -> Result<u64, ScheduleError> {
        let steps = match length {
            Length::Steps(steps) if self.ratio == 1.0 => return Ok(steps),
            Length::Steps(steps) => (steps as f64 * self.ratio).floor(),
            Length::Fractional(steps) => {
                let steps = steps * self.ratio;
                self.check(name, steps, "a whole number of steps", |s| {
                    s >= 0.0 && s.fract() == 0.0
                })?
            }
            Length::Epochs(epochs) => {
                let per_epoch = self.steps_per_epoch(name, length)?;
                if per_epoch == 1 && epochs.fract() != 0.0 {
                    let expected = "a whole number of epochs in a schedule that advances per epoch";
                    return Err(self.invalid(name, expected, length));
                }
                let steps = epochs * per_epoch as f64;
                if self.ratio == 1.0 {
                    steps
                } else {
                    (steps.round() * self.ratio).floor()
                }
            }
            Length::Percent(percent) => self.share(name, length, percent)?,
        };
        // A cast from f64 saturates, so an absurd length stays absurd rather than wrapping.
        Ok(steps.round() as u64)
    }

    /// A length above 0 that may end between two steps.
    pub(crate) fn laps(&self, name: &str, length: Length) -> Result<Laps, ScheduleError> {
        match self.between_steps(length) {
            Some(steps) => self.positive(name, steps).map(Laps::Fractional),
            None => self.steps(name, length).map(Laps::Whole),
        }
    }

    /// The same, which may be empty.
    pub(crate) fn laps_or_zero(&self, name: &str, length: Length) -> Result<Laps, ScheduleError> {
        match self.between_steps(length) {
            Some(steps) => self.non_negative(name, steps).map(Laps::Fractional),
            None => self.steps_or_zero(name, length).map(Laps::Whole),
        }
    }

    /// A length in steps that may be empty and may end between two steps.
    pub(crate) fn duration(&self, name: &str, length: Length) -> Result<f64, ScheduleError> {
        match self.between_steps(length) {
            Some(steps) => self.non_negative(name, steps),
            None => Ok(self.steps_or_zero(name, length)? as f64),
        }
    }

    /// A length in steps, if it is one that [`steps`](Self::steps) would refuse for its fraction.
    fn between_steps(&self, length: Length) -> Option<f64> {
        match length {
            Length::Fractional(steps) => Some(steps * self.ratio),
            Length::Epochs(epochs) if epochs.fract() != 0.0 => {
                (self.run.steps_per_epoch() == Some(1)).then_some(epochs * self.ratio)
            }
            _ => None,
        }
    }

    /// The number of steps in an epoch, which `length`, in epochs, needs.
    fn steps_per_epoch(&self, name: &str, length: Length) -> Result<u64, ScheduleError> {
        if let Length::Epochs(epochs) = length {
            self.non_negative(name, epochs)?;
        }
        self.uses.updates_per_epoch.set(true);
        self.needed(
            name,
            length,
            self.run.steps_per_epoch(),
            "number of updates per epoch",
        )
    }

    /// Percent of the run, in steps that are not rounded yet.
    fn share(&self, name: &str, length: Length, percent: f64) -> Result<f64, ScheduleError> {
        self.check(name, percent, "0 to 100 %", |p| (0.0..=100.0).contains(&p))?;
        self.uses_total();
        let whole = self.run.epochs().or(self.run.updates());
        self.needed(name, length, whole, "number of epochs")?;
        let total = self.run.total_steps();
        let total = self.needed(name, length, total, "number of updates per epoch")?;
        Ok(percent / 100.0 * total as f64)
    }

    fn needed(
        &self,
        name: &str,
        length: Length,
        value: Option<u64>,
        missing: &'static str,
    ) -> Result<u64, ScheduleError> {
        value.ok_or_else(|| ScheduleError::UnresolvedLength {
            path: self.join(name),
            length,
            missing,
        })
    }

    /// Lengths of at least one step, each greater than the one before.
    pub fn increasing(&self, name: &str, lengths: &[Length]) -> Result<Vec<u64>, ScheduleError> {
        let mut previous = 0;
        let mut steps = Vec::with_capacity(lengths.len());
        for (i, &length) in lengths.iter().enumerate() {
            let name = format!("{name}[{i}]");
            let step = self.steps(&name, length)?;
            if step <= previous {
                let expected = format!("more than {previous}, the one before");
                return Err(self.invalid(&name, expected, step));
            }
            previous = step;
            steps.push(step);
        }
        Ok(steps)
    }

    /// Learning rates: at least one, each finite and zero or more.
    pub fn values(&self, name: &str, values: &[f64]) -> Result<Vec<f64>, ScheduleError> {
        if values.is_empty() {
            return Err(self.invalid(name, "at least one value", "none"));
        }
        let checked = |(i, &value)| self.non_negative(&format!("{name}[{i}]"), value);
        values.iter().enumerate().map(checked).collect()
    }

    /// [Increasing](Self::increasing) lengths where each but the first of `count` items, the
    /// parameter named `items`, starts.
    pub fn between(
        &self,
        name: &str,
        lengths: &[Length],
        items: &str,
        count: usize,
    ) -> Result<Vec<u64>, ScheduleError> {
        if lengths.len() + 1 != count {
            let expected = format!(
                "{} of them, one fewer than {items}",
                count.saturating_sub(1)
            );
            return Err(self.invalid(name, expected, lengths.len()));
        }
        self.increasing(name, lengths)
    }

    /// The same, with percentages of a run of that many epochs.
    pub(crate) fn with_horizon(&self, epochs: u64) -> Self {
        Self {
            run: self.run.with_epochs(epochs),
            horizon: true,
            ..self.clone()
        }
    }

    /// The same, with lengths that are multiplied by `ratio` once more.
    pub(crate) fn stretched(&self, ratio: f64) -> Self {
        Self {
            ratio: self.ratio * ratio,
            ..self.clone()
        }
    }

    /// The context of the schedule nested under the field `name`.
    pub(crate) fn nested(&self, name: &str) -> Result<Self, ScheduleError> {
        let depth = self.depth + 1;
        if depth > MAX_DEPTH {
            let expected = format!("schedules nested at most {MAX_DEPTH} deep");
            return Err(self.invalid(name, expected, "a deeper one"));
        }
        Ok(Self {
            path: self.join(name),
            depth,
            ..*self
        })
    }

    /// The context one path segment further down, used by the registry for a schedule's own name.
    pub(crate) fn named(&self, name: &str) -> Self {
        Self {
            path: self.join(name),
            ..self.clone()
        }
    }

    fn join(&self, name: &str) -> String {
        if self.path.is_empty() {
            name.to_owned()
        } else {
            format!("{}.{name}", self.path)
        }
    }
}
