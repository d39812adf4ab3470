//! Optimizers whose momentum, betas or weight decay follow schedules.
//!
//! Burn hands an optimizer a learning rate and nothing else. But what a schedule gives is a function of the
//! number of the update, which the scheduler of the rate counts. So the optimizer holds a [`Dial`], which the
//! scheduler turns before every update: there is no state beside the scheduler's, and a parameter that gets no
//! gradient in some updates does not fall behind.

mod assign;
mod dial;
mod driver;
mod optimizer;

pub(crate) use dial::{Dial, Knob, Values};
pub use driver::Driver;
pub(super) use optimizer::{Scheduled, Settable};

#[cfg(test)]
mod tests;
