//! Cross entropy.

use burn::nn::loss::CrossEntropyLoss;
use burn::tensor::{Int, Tensor, TensorData};
use pulp::NullaryFnOnce;

use super::fused::{Gradient, Operation, fits, fused, numbers};
use super::softmax::softmax;
use super::width::widest;

/// Gives `logits` back where that is not for here.
pub(crate) fn cross_entropy(
    layer: &CrossEntropyLoss,
    logits: Tensor<2>,
    targets: &Tensor<1, Int>,
) -> Result<Tensor<1>, Tensor<2>> {
    let is_plain = layer.logits
        && layer.weights.is_none()
        && layer.smoothing.is_none()
        && layer.pad_tokens.is_none();
    // Before targets are fetched from another device.
    if !is_plain || !fits(&logits) {
        return Err(logits);
    }
    match classes(&logits, targets) {
        Some(classes) => fused(logits, MeanLoss(classes)),
        None => Err(logits),
    }
}

/// The targets, if there are as many as rows, and all of them are classes.
fn classes(logits: &Tensor<2>, targets: &Tensor<1, Int>) -> Option<Vec<usize>> {
    let [rows, columns] = logits.dims();
    let data = targets.to_data();
    let classes = data.iter::<i64>().map(|target| {
        let class = usize::try_from(target).ok()?;
        (class < columns).then_some(class)
    });
    let classes: Vec<usize> = classes.collect::<Option<_>>()?;
    (rows > 0 && classes.len() == rows).then_some(classes)
}

struct MeanLoss(Vec<usize>);

impl Operation for MeanLoss {
    type Gradient = Differences;

    fn forward(self, input: TensorData) -> TensorData {
        self.tracked(input).0
    }

    fn tracked(self, mut input: TensorData) -> (TensorData, Differences) {
        let loss = widest(Losses {
            logits: numbers(&mut input),
            classes: &self.0,
        });
        (TensorData::from([loss]), Differences(input))
    }
}

/// The gradient of the logits where that of the loss is 1.
#[derive(Debug, Clone)]
struct Differences(TensorData);

impl Gradient for Differences {
    fn of_input(mut self, mut of_output: TensorData) -> TensorData {
        let factor = numbers(&mut of_output).first().copied().unwrap_or_default();
        if factor != 1.0 {
            widest(Scaled(numbers(&mut self.0), factor));
        }
        self.0
    }
}

struct Scaled<'a>(&'a mut [f32], f32);

impl NullaryFnOnce for Scaled<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        for value in self.0 {
            *value *= self.1;
        }
    }
}

/// Makes of logits the gradients of the mean loss, which it returns.
struct Losses<'a> {
    logits: &'a mut [f32],
    classes: &'a [usize],
}

impl NullaryFnOnce for Losses<'_> {
    type Output = f32;

    #[inline(always)]
    fn call(self) -> f32 {
        let rows = self.classes.len();
        let share = 1.0 / rows as f32;
        let mut losses = 0.0;
        let columns = self.logits.len() / rows;
        for (row, class) in self.logits.chunks_exact_mut(columns).zip(self.classes) {
            let logit = row[*class];
            let scale = softmax(row);
            losses += f64::from(scale.sum.ln() - (logit - scale.greatest));
            row[*class] -= 1.0;
            for value in row {
                *value *= share;
            }
        }
        (losses / rows as f64) as f32
    }
}
