//! The built form of a schedule: a function from step to learning rate.

use std::fmt;
use std::sync::Arc;

use crate::ScheduleError;
use crate::held::held;
use crate::plateau::{Plateau, PlateauState, Verdict};
use crate::running_product::RunningProduct;

type Function = Arc<dyn Fn(u64) -> f64 + Send + Sync>;
type Mapping = Arc<dyn Fn(u64, f64) -> f64 + Send + Sync>;

/// A validated schedule with all lengths resolved: a function from step to learning rate.
///
/// A curve counts nothing: [`lr`](Self::lr) may be asked for any step in any order, at a cost that
/// does not depend on the step. Only plateaus inside it have a state, which changes in
/// [`observe`](Self::observe) alone.
///
/// Whatever a formula gives is held within `0..=f64::MAX`: growth beyond that saturates, a
/// rounding error below zero becomes zero, and so does NaN: a rate of 0 leaves the weights as they
/// are, NaN would destroy them.
#[derive(Clone)]
pub struct Curve(Node);

#[derive(Clone)]
enum Node {
    Function(Function),
    RunningProduct(RunningProduct),
    Map(Box<Curve>, Mapping),
    /// The curve, and the momentum that goes with it.
    WithMomentum(Box<Curve>, Function),
    /// The curve at a later step.
    Shifted(Box<Curve>, u64),
    /// The curve up to a step, from which on it is held at its value there, and inactive.
    Until(Box<Curve>, u64),
    Product(Vec<Curve>),
    /// Ordered by start. Before the first one's start it is held at its value there, and inactive.
    Sequence(Vec<Part>),
    Plateau(Box<Curve>, Plateau),
}

#[derive(Clone)]
pub(crate) struct Part {
    /// The step from which this part is the active one.
    pub start: u64,
    /// The step of the whole at which this part's own step is 0.
    pub origin: u64,
    pub curve: Curve,
}

impl Curve {
    /// A curve from a pure function.
    pub fn new(lr: impl Fn(u64) -> f64 + Send + Sync + 'static) -> Self {
        Self(Node::Function(Arc::new(lr)))
    }

    /// This curve with every value passed through `map(step, lr)`.
    pub fn map(self, map: impl Fn(u64, f64) -> f64 + Send + Sync + 'static) -> Self {
        Self(Node::Map(Box::new(self), Arc::new(map)))
    }

    /// This curve, and the momentum of every step of it: what a schedule sets beside the rate.
    pub fn with_momentum(self, momentum: impl Fn(u64) -> f64 + Send + Sync + 'static) -> Self {
        Self(Node::WithMomentum(Box::new(self), Arc::new(momentum)))
    }

    pub(crate) fn shifted(self, by: u64) -> Self {
        Self(Node::Shifted(Box::new(self), by))
    }

    pub(crate) fn until(self, step: u64) -> Self {
        Self(Node::Until(Box::new(self), step))
    }

    pub(crate) fn running_product(product: RunningProduct) -> Self {
        Self(Node::RunningProduct(product))
    }

    pub(crate) fn product(factors: Vec<Curve>) -> Self {
        Self(Node::Product(factors))
    }

    /// `parts` must be ordered by start, and none may have its origin after its start.
    pub(crate) fn sequence(parts: Vec<Part>) -> Self {
        Self(Node::Sequence(parts))
    }

    pub(crate) fn plateau(self, plateau: Plateau) -> Self {
        Self(Node::Plateau(Box::new(self), plateau))
    }

    /// The learning rate at `step`.
    pub fn lr(&self, step: u64) -> f64 {
        let lr = match &self.0 {
            Node::Function(function) => function(step),
            Node::RunningProduct(product) => product.at(step),
            Node::Map(curve, map) => map(step, curve.lr(step)),
            // Held in range on the way, or infinity times a later zero would be NaN.
            Node::Product(factors) => factors
                .iter()
                .fold(1.0, |lr, factor| f64::min(lr * factor.lr(step), f64::MAX)),
            Node::Plateau(base, plateau) => plateau.apply(base.lr(step)),
            // What another curve gives is held.
            Node::Shifted(curve, by) => return curve.lr(step.saturating_add(*by)),
            Node::Until(curve, end) => return curve.lr(step.min(*end)),
            Node::Sequence(parts) => {
                let part = &parts[active(parts, step)];
                return part.curve.lr(step.max(part.start) - part.origin);
            }
            Node::WithMomentum(curve, _) => return curve.lr(step),
        };
        held(lr)
    }

    /// The learning rate at `step` once every plateau has raised it as far as it goes.
    pub fn highest_lr(&self, step: u64) -> f64 {
        let lr = match &self.0 {
            Node::Function(_) | Node::RunningProduct(_) => self.lr(step),
            Node::Map(curve, map) => map(step, curve.highest_lr(step)),
            Node::Shifted(curve, by) => curve.highest_lr(step.saturating_add(*by)),
            Node::Until(curve, end) => curve.highest_lr(step.min(*end)),
            Node::Product(factors) => factors.iter().fold(1.0, |lr, factor| {
                f64::min(lr * factor.highest_lr(step), f64::MAX)
            }),
            Node::Sequence(parts) => {
                let part = &parts[active(parts, step)];
                part.curve.highest_lr(step.max(part.start) - part.origin)
            }
            Node::WithMomentum(curve, _) => curve.highest_lr(step),
            Node::Plateau(base, plateau) => plateau.apply_at_most(base.highest_lr(step)),
        };
        held(lr)
    }

    /// The momentum, or Adam's beta 1, that goes with the learning rate at `step`; `None` where the schedule leaves
    /// that to the optimizer.
    ///
    /// [`OneCycleLr`](crate::OneCycleLr) and [`CyclicLr`](crate::CyclicLr) have one. What is made of them keeps
    /// it: factors and plateaus change the rate alone, a sequence has that of its active part, and of several
    /// factors the first that has any counts.
    pub fn momentum(&self, step: u64) -> Option<f64> {
        match &self.0 {
            Node::Function(_) | Node::RunningProduct(_) => None,
            Node::WithMomentum(_, momentum) => Some(momentum(step)),
            Node::Map(curve, _) | Node::Plateau(curve, _) => curve.momentum(step),
            Node::Shifted(curve, by) => curve.momentum(step.saturating_add(*by)),
            Node::Until(curve, end) => curve.momentum(step.min(*end)),
            Node::Product(factors) => factors.iter().find_map(|factor| factor.momentum(step)),
            Node::Sequence(parts) => {
                let part = &parts[active(parts, step)];
                part.curve.momentum(step.max(part.start) - part.origin)
            }
        }
    }

    /// Whether any step has a [momentum](Self::momentum).
    pub fn has_momentum(&self) -> bool {
        match &self.0 {
            Node::Function(_) | Node::RunningProduct(_) => false,
            Node::WithMomentum(..) => true,
            Node::Map(curve, _)
            | Node::Plateau(curve, _)
            | Node::Shifted(curve, _)
            | Node::Until(curve, _) => curve.has_momentum(),
            Node::Product(curves) => curves.iter().any(Self::has_momentum),
            Node::Sequence(parts) => parts.iter().any(|part| part.curve.has_momentum()),
        }
    }

    /// Tells every plateau that is active at `step` the metric of the epoch that ended there.
    ///
    /// A plateau inside a sequence is active while its part of the sequence is. The verdicts come
    /// in the order of the tree, outer plateaus first; none where there is no active plateau. Their
    /// rates are those after every [`map`](Self::map) around the plateau.
    ///
    /// # Errors
    /// [`ScheduleError::NanMetric`] if the metric is NaN and a plateau treats that as an error.
    /// Nothing has changed then.
    pub fn observe(&mut self, step: u64, metric: f64) -> Result<Vec<Verdict>, ScheduleError> {
        self.check_metric(step, metric)?;
        let mut verdicts = Vec::new();
        self.observe_into(step, metric, &mut verdicts);
        Ok(verdicts)
    }

    fn check_metric(&self, step: u64, metric: f64) -> Result<(), ScheduleError> {
        match &self.0 {
            Node::Function(_) | Node::RunningProduct(_) => Ok(()),
            Node::Map(curve, _) | Node::WithMomentum(curve, _) => curve.check_metric(step, metric),
            Node::Shifted(curve, by) => curve.check_metric(step.saturating_add(*by), metric),
            Node::Until(_, end) if step >= *end => Ok(()),
            Node::Until(curve, _) => curve.check_metric(step, metric),
            Node::Product(factors) => factors
                .iter()
                .try_for_each(|factor| factor.check_metric(step, metric)),
            Node::Sequence(parts) => {
                let part = &parts[active(parts, step)];
                if step < part.start {
                    Ok(())
                } else {
                    part.curve.check_metric(step - part.origin, metric)
                }
            }
            Node::Plateau(base, plateau) => {
                plateau.check(metric)?;
                base.check_metric(step, metric)
            }
        }
    }

    fn observe_into(&mut self, step: u64, metric: f64, verdicts: &mut Vec<Verdict>) {
        match &mut self.0 {
            Node::Function(_) | Node::RunningProduct(_) => {}
            Node::Map(curve, map) => {
                let before = verdicts.len();
                curve.observe_into(step, metric, verdicts);
                let mapped = |lr: f64| held(map(step, lr));
                for verdict in &mut verdicts[before..] {
                    *verdict = verdict.with_rates(mapped);
                }
            }
            Node::WithMomentum(curve, _) => curve.observe_into(step, metric, verdicts),
            Node::Shifted(curve, by) => {
                curve.observe_into(step.saturating_add(*by), metric, verdicts);
            }
            Node::Until(curve, end) => {
                if step < *end {
                    curve.observe_into(step, metric, verdicts);
                }
            }
            Node::Product(factors) => {
                for factor in factors {
                    factor.observe_into(step, metric, verdicts);
                }
            }
            Node::Sequence(parts) => {
                let index = active(parts, step);
                let part = &mut parts[index];
                if step >= part.start {
                    part.curve
                        .observe_into(step - part.origin, metric, verdicts);
                }
            }
            Node::Plateau(base, plateau) => {
                verdicts.push(plateau.observe(base.lr(step), metric));
                base.observe_into(step, metric, verdicts);
            }
        }
    }

    /// The states of all plateaus, in the order of the tree.
    pub fn plateaus(&self) -> Vec<PlateauState> {
        let mut states = Vec::new();
        self.clone()
            .visit_plateaus(&mut |plateau| states.push(*plateau.state()));
        states
    }

    pub(crate) fn visit_plateaus(&mut self, visit: &mut impl FnMut(&mut Plateau)) {
        match &mut self.0 {
            Node::Function(_) | Node::RunningProduct(_) => {}
            Node::Map(curve, _)
            | Node::WithMomentum(curve, _)
            | Node::Shifted(curve, _)
            | Node::Until(curve, _) => {
                curve.visit_plateaus(visit);
            }
            Node::Product(curves) => curves.iter_mut().for_each(|c| c.visit_plateaus(visit)),
            Node::Sequence(parts) => {
                for part in parts {
                    part.curve.visit_plateaus(visit);
                }
            }
            Node::Plateau(base, plateau) => {
                visit(plateau);
                base.visit_plateaus(visit);
            }
        }
    }
}

/// The index of the part that `step` falls into.
fn active(parts: &[Part], step: u64) -> usize {
    parts
        .partition_point(|part| part.start <= step)
        .saturating_sub(1)
}

impl fmt::Debug for Curve {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Node::Function(_) => f.write_str("Function"),
            Node::RunningProduct(_) => f.write_str("RunningProduct"),
            Node::Map(curve, _) => f.debug_tuple("Map").field(curve).finish(),
            Node::WithMomentum(curve, _) => f.debug_tuple("WithMomentum").field(curve).finish(),
            Node::Shifted(curve, by) => f.debug_tuple("Shifted").field(curve).field(by).finish(),
            Node::Until(curve, end) => f.debug_tuple("Until").field(curve).field(end).finish(),
            Node::Product(factors) => f.debug_tuple("Product").field(factors).finish(),
            Node::Sequence(parts) => f
                .debug_list()
                .entries(parts.iter().map(|part| (part.start, &part.curve)))
                .finish(),
            Node::Plateau(base, plateau) => f
                .debug_tuple("Plateau")
                .field(base)
                .field(plateau.state())
                .finish(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_formula_gives_a_rate_that_is_not_a_finite_number() {
        for (value, held) in [
            (f64::NAN, 0.0),
            (-f64::NAN, 0.0),
            (0.0 * f64::INFINITY, 0.0),
            (f64::NEG_INFINITY, 0.0),
            (-1e-300, 0.0),
            (f64::INFINITY, f64::MAX),
        ] {
            let curve = Curve::new(move |_| value);
            assert_eq!(curve.lr(0), held);
            let doubled = curve.clone().map(|_, lr| 2.0 * lr);
            let product = Curve::product(vec![curve, doubled]);
            assert_eq!(product.lr(0), held);
        }
    }
}
